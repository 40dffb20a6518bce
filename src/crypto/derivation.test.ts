import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as naive from '../../test/support/naive-crypto.ts';
import { wycheproof } from '../../test/support/shared.ts';
import { concatBytes, equalBytes, isZero } from './bytes.ts';
import { KDF_PAIR_BYTES, putKdfPair } from './counter-kdf.ts';
import { hkdfSha256 } from './hkdf.ts';
import { hmacSha256 } from './hmac.ts';
import { putKeptHmac } from './kept-hmac.ts';

const { unhex } = naive;
const plain = (bytes: Uint8Array) => Uint8Array.from(bytes);

describe('key derivation', () => {
  test('HMAC, HKDF and the counter KDF agree with naive implementations', () => {
    const any = fc.uint8Array({ minLength: 1, maxLength: 100 });
    const run = fc.property(any, any, any, fc.integer({ min: 1, max: 200 }), (key, salt, info, length) => {
      expect(plain(hmacSha256(key, salt, info))).toEqual(naive.hmac(key, salt, info));
      expect(hkdfSha256(key, salt, info, length)).toEqual(naive.hkdf(key, salt, info, length));
      const [kept, pair] = [createSecretKey(key.subarray(0, 64)), new Uint8Array(KDF_PAIR_BYTES)];
      putKdfPair(pair, kept, 'label', [salt, info]);
      expect(pair).toEqual(naive.counterKdf(key.subarray(0, 64), 'label', naive.join(salt, info), 64));
    });
    fc.assert(run, { numRuns: 100 });
  });

  test('HMAC under a kept key agrees with node:crypto for every length of a message and a key', () => {
    const target = new Uint8Array(3 + 32 + 3).fill(9);
    for (let length = 0; length <= 300; length++) {
      const [key, message] = [createSecretKey(randomBytes(1 + (length % 64))), randomBytes(length)];
      putKeptHmac(target, 3, key, message);
      expect(plain(target.subarray(3, 35))).toEqual(plain(hmacSha256(key, message)));
      // Its states are kept: the second MAC goes on from them, whatever was hashed in between.
      putKeptHmac(target, 3, createSecretKey(randomBytes(32)), message);
      putKeptHmac(target, 3, key, message);
      expect(plain(target.subarray(3, 35))).toEqual(plain(hmacSha256(key, message)));
    }
    expect([...target.subarray(0, 3), ...target.subarray(35)]).toEqual([9, 9, 9, 9, 9, 9]);
  });

  test('HMAC under a kept key passes the Wycheproof vectors of keys that fit', ({ skip }) => {
    const groups = wycheproof('hmac_sha256_test.json', skip).filter(({ keySize = 0 }) => keySize > 0 && keySize <= 512);
    expect(groups.flatMap(({ tests }) => tests).length).toBeGreaterThan(100);
    for (const { tests, tagSize = 0 } of groups)
      for (const { key = '', msg = '', tag = '', result } of tests) {
        const mac = new Uint8Array(32);
        putKeptHmac(mac, 0, createSecretKey(unhex(key)), unhex(msg));
        expect(equalBytes(mac.subarray(0, tagSize / 8), unhex(tag))).toBe(result === 'valid');
      }
  });

  test('Precondition: neither the key is longer than a block, nor the message than 4 KiB', () => {
    const target = new Uint8Array(32);
    expect(() => putKeptHmac(target, 0, createSecretKey(randomBytes(65)), randomBytes(1))).toThrow(RangeError);
    expect(() => putKeptHmac(target, 0, createSecretKey(randomBytes(32)), randomBytes(4097))).toThrow(RangeError);
  });

  test('HKDF passes the Wycheproof vectors', ({ skip }) => {
    const vectors = wycheproof('hkdf_sha256_test.json', skip).flatMap(({ tests }) => tests);
    expect(vectors.length).toBeGreaterThan(50);
    for (const { ikm = '', salt = '', info = '', okm = '', size, result } of vectors) {
      const derive = () => hkdfSha256(unhex(ikm), unhex(salt), unhex(info), size);
      if (result === 'valid') expect(derive()).toEqual(unhex(okm));
      else expect(derive).toThrow();
    }
  });

  test('HMAC passes the Wycheproof vectors', ({ skip }) => {
    const groups = wycheproof('hmac_sha256_test.json', skip);
    expect(groups.flatMap(({ tests }) => tests).length).toBeGreaterThan(100);
    for (const group of groups) {
      for (const { key = '', msg = '', tag = '', result } of group.tests) {
        const mac = hmacSha256(unhex(key), unhex(msg)).subarray(0, (group.tagSize ?? 0) / 8);
        expect(equalBytes(mac, unhex(tag))).toBe(result === 'valid');
      }
    }
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
