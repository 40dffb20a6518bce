import { describe, expect, test } from 'vitest';
import { argon2id as wasmArgon2id } from 'hash-wasm';
import { ARGON2ID_DEFAULTS, argon2id } from './argon2id.ts';
import { takeKey } from './key-types.ts';

const passphrase = new TextEncoder().encode('correct horse');
const salt = new Uint8Array(16).fill(7);
const LEAST = { memoryKiB: 19 * 1024, passes: 2, parallelism: 1 };

describe('argon2id', () => {
  test('agrees with an independent implementation', async () => {
    const { memoryKiB, passes, parallelism } = LEAST;
    const expected = await wasmArgon2id({
      password: passphrase,
      salt,
      memorySize: memoryKiB,
      iterations: passes,
      parallelism,
      hashLength: 32,
      outputType: 'binary',
    });
    expect(Uint8Array.from(await argon2id(passphrase, salt, LEAST))).toEqual(Uint8Array.from(expected));
  });

  test.each([
    { memoryKiB: 2 ** 31, passes: 3, parallelism: 1 },
    { memoryKiB: 8, passes: 3, parallelism: 1 },
    { memoryKiB: 65536, passes: 0, parallelism: 1 },
    { memoryKiB: 65536, passes: 1e9, parallelism: 1 },
    { memoryKiB: 65536, passes: 3, parallelism: 255 },
    { memoryKiB: 65536.5, passes: 3, parallelism: 1 },
    { memoryKiB: Number.NaN, passes: 3, parallelism: 1 },
  ])('refuses parameters outside the bounds before running them: %o', async (parameters) => {
    await expect(argon2id(passphrase, salt, parameters)).rejects.toMatchObject({
      code: 'ERR_CRYPTO_ARGON2_PARAMETERS',
    });
  });

  test('refuses a salt of another length', async () => {
    const attempt = argon2id(passphrase, new Uint8Array(8), ARGON2ID_DEFAULTS);
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_CRYPTO_ARGON2_PARAMETERS' });
  });
});

describe('key types', () => {
  test('taking a key over zeroes the source, also when it is refused', () => {
    const good = new Uint8Array(32).fill(1);
    expect(takeKey('Dek', good).symmetricKeySize).toBe(32);
    const short = new Uint8Array(31).fill(1);
    expect(() => takeKey('Kek', short)).toThrow(RangeError);
    expect([...good, ...short].every((byte) => byte === 0)).toBe(true);
  });
});
