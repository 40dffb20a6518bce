import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gcmSeal } from '../../test/support/naive-crypto.ts';
import { openAesGcm, sealAesGcm } from './aes-gcm.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe('AES-256-GCM', () => {
  test('seals to the same bytes as an independent implementation, and opens them', () => {
    const run = fc.property(
      bytes(32),
      bytes(12),
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array(),
      (key, nonce, plaintext, aad) => {
        const sealed = sealAesGcm(key, nonce, plaintext, aad);
        expect(sealed).toEqual(gcmSeal(key, nonce, plaintext, aad));
        expect(Uint8Array.from(openAesGcm(key, nonce, sealed, aad))).toEqual(plaintext);
      },
    );
    fc.assert(run, { numRuns: 100 });
  });

  test('refuses every flipped byte, every cut, and other additional data', () => {
    const [key, nonce, aad] = [new Uint8Array(32), new Uint8Array(12), Uint8Array.of(1)];
    const sealed = sealAesGcm(key, nonce, Uint8Array.of(1, 2, 3), aad);
    const attempts = [...sealed.keys()].flatMap((i) => [sealed.with(i, (sealed[i] ?? 0) ^ 1), sealed.slice(0, i)]);
    for (const attempt of attempts) {
      expect(() => openAesGcm(key, nonce, attempt, aad)).toThrow(
        expect.objectContaining({ code: 'ERR_CRYPTO_OPEN_FAILED' }),
      );
    }
    expect(() => openAesGcm(key, nonce, sealed)).toThrow(expect.objectContaining({ code: 'ERR_CRYPTO_OPEN_FAILED' }));
  });
});
