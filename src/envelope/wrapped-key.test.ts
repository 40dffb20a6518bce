import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { naiveContext, naiveWrappedKey } from '../../test/support/naive-envelope.ts';
import { MALFORMED, OPEN_FAILED, flip, random } from '../../test/support/object-fixtures.ts';
import { takeKey } from '../crypto/key-types.ts';
import { decodeContext, encodeContext } from './encryption-context.ts';
import { MAX_WRAPPED_PLAINTEXT_BYTES } from './limits.ts';
import { WRAPPED_KEY_OVERHEAD, parseWrappedKey, unwrapKey, wrapKey } from './wrapped-key.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const contexts = fc.dictionary(text, text, { maxKeys: 5 });
const kekOf = (raw: Uint8Array) => takeKey('Kek', Uint8Array.from(raw));

function fixture(context: Record<string, string> = { a: 'bc' }) {
  const raw = { kek: random(32), keyUuid: random(16), materialId: random(32) };
  const kek = kekOf(raw.kek);
  const blob = wrapKey({ ...raw, kek, plaintext: random(32), context }, random);
  const open = (change: Partial<Parameters<typeof unwrapKey>[0]> = {}) =>
    unwrapKey({ kek, materialId: raw.materialId, blob, context, ...change });
  return { raw, kek, blob, open };
}

describe('encryption context', () => {
  test('is sorted by the UTF-8 bytes of its names, whatever planes they are of', () => {
    const unit = fc.constantFrom(
      'a',
      'b',
      '\u00e9',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '\u{1f600}',
      '\u{10ffff}',
    );
    const name = fc.array(unit, { maxLength: 4 }).map((units) => units.join(''));
    // Few are sorted by other means than many.
    const run = fc.property(fc.uniqueArray(name, { maxLength: 14, size: 'max' }), (names) => {
      const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const encoded = encodeContext(Object.fromEntries(names.map((one) => [one, 'v'])));
      expect(Object.keys(decodeContext(encoded))).toEqual(sorted);
    });
    fc.assert(run, { numRuns: 500 });
  });

  test('has one canonical form, that reads back', () => {
    const run = fc.property(contexts, (context) => {
      const encoded = encodeContext(context);
      expect(encoded).toEqual(naiveContext(context));
      expect({ ...decodeContext(encoded) }).toEqual({ ...context });
      expect(encodeContext(Object.fromEntries(Object.entries(context).reverse()))).toEqual(encoded);
    });
    fc.assert(run, { numRuns: 100 });
  });

  test('sorts by UTF-8 bytes, not by UTF-16 units', () => {
    // U+FF5E sorts after U+1F600 in UTF-16 units, before it in UTF-8.
    const names = Object.keys(decodeContext(encodeContext({ '\u{1f600}': '', '\uff5e': '' })));
    expect(names).toEqual(['\uff5e', '\u{1f600}']);
  });

  test('refuses lone surrogates in names and values, and what is too large', () => {
    const bad = [{ '\ud800': 'a' }, { a: 'x\udc00' }, { a: 'x'.repeat(17_000) }];
    for (const context of bad)
      expect(() => encodeContext(context)).toThrow(expect.objectContaining({ code: 'ERR_ENVELOPE_CONTEXT' }));
  });

  test('refuses to read unsorted, doubled, cut or overlong forms', () => {
    const pair = (name: string) => naiveContext({ [name]: 'v' }).slice(4);
    const count = Uint8Array.of(0, 0, 0, 2);
    const whole = encodeContext({ a: 'v', b: 'v' });
    const bad = [
      Buffer.concat([count, pair('b'), pair('a')]),
      Buffer.concat([count, pair('a'), pair('a')]),
      Buffer.concat([whole, Uint8Array.of(0)]),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff),
      ...[...whole.keys()].map((at) => whole.subarray(0, at)),
    ];
    for (const form of bad) expect(() => decodeContext(form)).toThrow(expect.objectContaining(MALFORMED));
  });

  test('a name like __proto__ is a name', () => {
    const context = JSON.parse('{"__proto__":"x"}');
    expect(Object.keys(decodeContext(encodeContext(context)))).toEqual(['__proto__']);
  });
});

describe('wrapped key', () => {
  test('is what the independent encoder writes, and opens', () => {
    const plaintexts = fc.uint8Array({ minLength: 1, maxLength: 100 });
    const all = fc.tuple(
      bytes(32),
      bytes(16),
      bytes(32),
      plaintexts,
      contexts,
      fc.constantFrom(0, 1),
      bytes(16),
      bytes(12),
    );
    const run = fc.property(all, ([kek, keyUuid, materialId, plaintext, context, flags, salt, iv]) => {
      const fixed = (count: number) => (count === 16 ? salt : iv);
      const input = { kek: kekOf(kek), keyUuid, materialId, plaintext, context, flags };
      const blob = wrapKey(input, fixed);
      expect(blob).toEqual(naiveWrappedKey({ kek, keyUuid, materialId, plaintext, context, flags, salt, iv }));
      expect(blob.length).toBe(plaintext.length + WRAPPED_KEY_OVERHEAD);
      expect(parseWrappedKey(blob)).toEqual({
        flags,
        keyUuid,
        materialRef: materialId.subarray(0, 8),
        plaintextBytes: plaintext.length,
      });
      expect(Uint8Array.from(unwrapKey({ kek: kekOf(kek), materialId, blob, context }))).toEqual(plaintext);
    });
    fc.assert(run, { numRuns: 100 });
  });

  test('does not open with any byte changed', () => {
    const { blob, open } = fixture();
    for (const at of blob.keys()) {
      const expected = at < 5 ? MALFORMED : OPEN_FAILED;
      expect(() => open({ blob: flip(blob, at) }), `byte ${at}`).toThrow(expect.objectContaining(expected));
    }
  });

  test('does not open cut or extended', () => {
    const { blob, open } = fixture();
    for (const at of blob.keys()) {
      // Below the least length of any wrapped key it cannot even be read; above, only the tag tells.
      const expected = at < 106 ? MALFORMED : OPEN_FAILED;
      expect(() => open({ blob: blob.subarray(0, at) }), `cut to ${at}`).toThrow(expect.objectContaining(expected));
    }
    expect(() => open({ blob: Buffer.concat([blob, Uint8Array.of(0)]) })).toThrow(expect.objectContaining(OPEN_FAILED));
    expect(() => parseWrappedKey(new Uint8Array(100_000))).toThrow(expect.objectContaining(MALFORMED));
  });

  test('does not open in a context whose concatenation looks the same', () => {
    const { open } = fixture({ a: 'bc' });
    expect(open().length).toBe(32);
    for (const context of [{ ab: 'c' }, { a: 'b' }, {}, { a: 'bc', b: '' }]) {
      expect(() => open({ context })).toThrow(expect.objectContaining(OPEN_FAILED));
    }
  });

  test('does not open under another key, or another material id with the same reference', () => {
    const { raw, open } = fixture();
    expect(() => open({ kek: kekOf(random(32)) })).toThrow(expect.objectContaining(OPEN_FAILED));
    expect(() => open({ materialId: flip(raw.materialId, 31) })).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('a blob whose commitment is spliced in from another does not open', () => {
    const [a, b] = [fixture(), fixture()];
    const spliced = Uint8Array.from(a.blob);
    spliced.set(b.blob.subarray(57, 89), 57);
    expect(() => a.open({ blob: spliced })).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('wraps 1 to 4096 bytes', () => {
    const { raw, kek } = fixture();
    const wrap = (length: number) => wrapKey({ ...raw, kek, plaintext: random(length), context: {} }, random);
    expect(wrap(MAX_WRAPPED_PLAINTEXT_BYTES).length).toBe(4096 + 105);
    for (const length of [0, 4097])
      expect(() => wrap(length)).toThrow(expect.objectContaining({ code: 'ERR_ENVELOPE_TOO_LARGE' }));
  });

  test('never reads outside hostile bytes', () => {
    const run = fc.property(fc.uint8Array({ maxLength: 300 }), (blob) => {
      const { open } = shared;
      expect(() => open({ blob })).toThrow(expect.objectContaining({ name: 'EnvelopeError' }));
    });
    const shared = fixture();
    fc.assert(run, { numRuns: 200 });
  });
});
