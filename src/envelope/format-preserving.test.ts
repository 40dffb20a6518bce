/** The format-preserving value: its form, its way back, and a second implementation of it. */
import { createCipheriv, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { takeKey } from '../crypto/key-types.ts';
import {
  ALPHABETS,
  leastLength,
  MAX_FORMAT_CHARACTERS,
  misfit,
  openFormat,
  sealFormat,
  type AlphabetName,
  type PreservedFormat,
} from './format-preserving.ts';

const KEY = Buffer.alloc(32, 7);
const dek = takeKey('Dek', Uint8Array.from(KEY));
const aad = Buffer.alloc(16, 9);

const formats = fc.record({
  // The keys of the table.
  alphabet: fc.constantFrom(...(Object.keys(ALPHABETS) as AlphabetName[])),
  keepFirst: fc.integer({ min: 0, max: 5 }),
  keepLast: fc.integer({ min: 0, max: 5 }),
});
const fitting = formats.chain((format) =>
  fc
    .array(fc.constantFrom(...ALPHABETS[format.alphabet]), { minLength: leastLength(format), maxLength: 40 })
    .map((characters) => ({ format, text: characters.join('') })),
);

/** FF1 as SP 800-38G writes it, over OpenSSL's AES. */
function naive(format: PreservedFormat, text: string): string {
  const alphabet: string = ALPHABETS[format.alphabet];
  const radix = BigInt(alphabet.length);
  const key = Buffer.from(hkdfSync('sha256', KEY, '', 'sealgate value v1 ff1', 32));
  const aes = (block: Buffer): Buffer => createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(block);
  const first = text.slice(0, format.keepFirst);
  const last = text.slice(text.length - format.keepLast);
  const middle = text.slice(first.length, text.length - last.length);
  const tweak = Buffer.concat([aad, Buffer.from(first + last)]);
  const num = (part: string): bigint =>
    Array.from(part).reduce((sum, one) => sum * radix + BigInt(alphabet.indexOf(one)), 0n);
  const str = (value: bigint, length: number): string => {
    let rest = value;
    let out = '';
    for (let at = 0; at < length; at += 1) {
      out = (alphabet[Number(rest % radix)] ?? '') + out;
      rest /= radix;
    }
    return out;
  };
  const bytes = (value: bigint, length: number): Buffer =>
    Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex');
  const n = middle.length;
  const u = Math.floor(n / 2);
  const v = n - u;
  const b = Math.ceil(Math.ceil(v * Math.log2(alphabet.length)) / 8);
  const d = 4 * Math.ceil(b / 4) + 4;
  const p = Buffer.concat([
    Buffer.of(1, 2, 1),
    bytes(radix, 3),
    Buffer.of(10, u & 0xff),
    bytes(BigInt(n), 4),
    bytes(BigInt(tweak.length), 4),
  ]);
  let [a, c] = [middle.slice(0, u), middle.slice(u)];
  for (let round = 0; round < 10; round += 1) {
    const pad = (16 - ((tweak.length + b + 1) % 16)) % 16;
    const q = Buffer.concat([tweak, Buffer.alloc(pad), Buffer.of(round), bytes(num(c), b)]);
    let r: Buffer = Buffer.alloc(16);
    const all = Buffer.concat([p, q]);
    for (let at = 0; at < all.length; at += 16)
      r = aes(Buffer.from(all.subarray(at, at + 16).map((byte, i) => byte ^ (r[i] ?? 0))));
    const s = [r];
    for (let j = 1; j < Math.ceil(d / 16); j += 1)
      s.push(aes(Buffer.from(r.map((byte, i) => byte ^ (bytes(BigInt(j), 16)[i] ?? 0)))));
    const y = BigInt(`0x${Buffer.concat(s).subarray(0, d).toString('hex')}`);
    const m = round % 2 === 0 ? u : v;
    const next = str((num(a) + y) % radix ** BigInt(m), m);
    [a, c] = [c, next];
  }
  return first + a + c + last;
}

test('every fitting text keeps length, alphabet and ends, and comes back; another implementation gives the same', () => {
  fc.assert(
    fc.property(fitting, ({ format, text }) => {
      const sealed = sealFormat({ dek, aad, format, text });
      expect(sealed).toBe(naive(format, text));
      expect(misfit(format, sealed)).toBeUndefined();
      expect(sealed.length).toBe(text.length);
      expect(sealed.slice(0, format.keepFirst)).toBe(text.slice(0, format.keepFirst));
      expect(sealed.slice(text.length - format.keepLast)).toBe(text.slice(text.length - format.keepLast));
      expect(openFormat({ dek, aad, format, text: sealed })).toBe(text);
    }),
    { numRuns: 300 },
  );
});

const cards: PreservedFormat = { alphabet: 'digits', keepFirst: 2, keepLast: 1 };

test('another column, and other kept ends, give another middle', () => {
  const seal = (text: string, id: Buffer = aad): string => sealFormat({ dek, aad: id, format: cards, text });
  const one = seal('110000001');
  expect(seal('110000001', Buffer.alloc(16, 8))).not.toBe(one);
  expect(seal('120000001').slice(2, 8)).not.toBe(one.slice(2, 8));
  expect(seal('110000002').slice(2, 8)).not.toBe(one.slice(2, 8));
});

describe('what does not fit', () => {
  test.each([
    [{ alphabet: 'digits', keepFirst: 0, keepLast: 0 }, 6],
    [{ alphabet: 'digits', keepFirst: 6, keepLast: 4 }, 16],
    [{ alphabet: 'digits-and-capitals', keepFirst: 0, keepLast: 0 }, 4],
    [{ alphabet: 'alphanumeric', keepFirst: 1, keepLast: 0 }, 5],
  ] as const)('%o needs %i characters', (format, least) => {
    expect(leastLength(format)).toBe(least);
    expect(misfit(format, '1'.repeat(least))).toBeUndefined();
    expect(misfit(format, '1'.repeat(least - 1))).toContain('fewer');
  });

  test.each([
    '',
    '123-45-6789',
    '12345678é',
    ' 123456789',
    '１２３４５６７８９',
    '1234567890\n',
    '9'.repeat(MAX_FORMAT_CHARACTERS + 1),
  ])('the text %j', (text) => {
    expect(misfit(cards, text)).toBeDefined();
  });
});
