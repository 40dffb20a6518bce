import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as naive from '../../test/support/naive-crypto.ts';
import { concatBytes, equalBytes, isZero } from './bytes.ts';
import { counterKdfPair } from './counter-kdf.ts';
import { hkdfSha256 } from './hkdf.ts';
import { hmacSha256 } from './hmac.ts';

const plain = (bytes: Uint8Array) => Uint8Array.from(bytes);

describe('key derivation', () => {
  test('HMAC, HKDF and the counter KDF agree with naive implementations', () => {
    const any = fc.uint8Array({ minLength: 1, maxLength: 100 });
    const run = fc.property(any, any, any, fc.integer({ min: 1, max: 200 }), (key, salt, info, length) => {
      expect(plain(hmacSha256(key, salt, info))).toEqual(naive.hmac(key, salt, info));
      expect(hkdfSha256(key, salt, info, length)).toEqual(naive.hkdf(key, salt, info, length));
      expect(concatBytes(...counterKdfPair(createSecretKey(key), 'label', [salt, info]))).toEqual(
        naive.counterKdf(key, 'label', naive.join(salt, info), 64),
      );
    });
    fc.assert(run, { numRuns: 100 });
  });
});

describe('bytes', () => {
  test('equal means same length and same bytes', () => {
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  });

  test('joins in order, and knows zeros', () => {
    expect(concatBytes(Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
    expect(isZero(new Uint8Array(9))).toBe(true);
    expect(isZero(Uint8Array.of(0, 0, 4))).toBe(false);
  });
});
