import { createHash, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ascii, hex, unhex, xaesSeal } from '../../test/support/naive-crypto.ts';
import { openXaesGcm, sealXaesGcm } from './xaes-gcm.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new RangeError(`no item ${index}`);
  return item;
}

/** A long deterministic stream: SHAKE-128 of nothing. */
function shakeStream(length: number): (count: number) => Uint8Array {
  const stream = createHash('shake128', { outputLength: length }).digest();
  let at = 0;
  return (count) => stream.subarray(at, (at += count));
}

describe('XAES-256-GCM', () => {
  // Source: https://c2sp.org/XAES-256-GCM, "Test vectors": MSB(L) = 0, then 1.
  test.each([
    { key: '01', aad: '', sealed: 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271' },
    { key: '03', aad: 'c2sp.org/XAES-256-GCM', sealed: '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d' },
  ])('gives the published vector for the key of $key bytes', ({ key, aad, sealed }) => {
    const keyObject = createSecretKey(unhex(key.repeat(32)));
    const nonce = ascii('ABCDEFGHIJKLMNOPQRSTUVWX');
    expect(hex(sealXaesGcm(keyObject, nonce, ascii('XAES-256-GCM'), ascii(aad)))).toBe(sealed);
    expect(Uint8Array.from(openXaesGcm(keyObject, nonce, unhex(sealed), ascii(aad)))).toEqual(ascii('XAES-256-GCM'));
  });

  test('gives the published hash over 10 000 accumulated messages', () => {
    const next = shakeStream(8_000_000);
    const block = () => next(next(1)[0] ?? 0);
    const hash = createHash('shake128', { outputLength: 32 });
    for (let i = 0; i < 10_000; i++) {
      const [key, nonce, plaintext, aad] = [createSecretKey(next(32)), next(24), block(), block()];
      hash.update(sealXaesGcm(key, nonce, plaintext, aad));
    }
    expect(hash.digest('hex')).toBe('e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939');
  });

  test('seals to the same bytes as an independent implementation by AES-CMAC, and opens them', () => {
    const run = fc.property(bytes(32), bytes(24), fc.uint8Array(), fc.uint8Array(), (key, nonce, plaintext, aad) => {
      const keyObject = createSecretKey(key);
      const sealed = sealXaesGcm(keyObject, nonce, plaintext, aad);
      expect(sealed).toEqual(xaesSeal(key, nonce, plaintext, aad));
      expect(Uint8Array.from(openXaesGcm(keyObject, nonce, sealed, aad))).toEqual(plaintext);
    });
    fc.assert(run, { numRuns: 100 });
  });

  test('keeps the keys apart, however their messages interleave', () => {
    const raw = Array.from({ length: 5 }, (_, i) => new Uint8Array(32).fill(i + 1));
    // Two objects of the same bytes are one key; two of other bytes never are.
    const keys = [...raw, ...raw].map((key) => ({ key, object: createSecretKey(key) }));
    const message = fc.record({ which: fc.nat(keys.length - 1), nonce: bytes(24), plaintext: fc.uint8Array() });
    const run = fc.property(fc.array(message, { minLength: 2, maxLength: 20 }), (messages) => {
      for (const { which, nonce, plaintext } of messages) {
        const { key, object } = at(keys, which);
        const expected = xaesSeal(key, nonce, plaintext, new Uint8Array());
        expect(sealXaesGcm(object, nonce, plaintext)).toEqual(expected);
        for (const other of keys) {
          const open = () => Uint8Array.from(openXaesGcm(other.object, nonce, expected));
          if (other.key === key) expect(open()).toEqual(plaintext);
          else expect(open).toThrow(expect.objectContaining({ code: 'ERR_CRYPTO_OPEN_FAILED' }));
        }
        // One that lives for a single message, and leaves nothing to those after it.
        expect(sealXaesGcm(createSecretKey(key), nonce, plaintext)).toEqual(expected);
      }
    });
    fc.assert(run, { numRuns: 20 });
  });

  test('a nonce, key or message that is refused leaves the key as it was', () => {
    const raw = new Uint8Array(32).fill(9);
    const [key, nonce] = [createSecretKey(raw), new Uint8Array(24).fill(3)];
    const expected = xaesSeal(raw, nonce, ascii('x'), new Uint8Array());
    for (const length of [0, 12, 23, 25]) {
      expect(() => sealXaesGcm(key, new Uint8Array(length), ascii('x'))).toThrow(RangeError);
      expect(() => openXaesGcm(key, nonce, new Uint8Array(length))).toThrow(
        expect.objectContaining({ code: 'ERR_CRYPTO_OPEN_FAILED' }),
      );
      expect(sealXaesGcm(key, nonce, ascii('x'))).toEqual(expected);
    }
    expect(() => sealXaesGcm(createSecretKey(new Uint8Array(16)), nonce, ascii('x'))).toThrow();
    expect(nonce).toEqual(new Uint8Array(24).fill(3));
  });

  test('refuses another nonce in either half', () => {
    const key = createSecretKey(new Uint8Array(32));
    const nonce = new Uint8Array(24);
    const sealed = sealXaesGcm(key, nonce, ascii('x'));
    for (const at of [0, 11, 12, 23]) {
      expect(() => openXaesGcm(key, nonce.with(at, 1), sealed)).toThrow(
        expect.objectContaining({ code: 'ERR_CRYPTO_OPEN_FAILED' }),
      );
    }
  });
});
