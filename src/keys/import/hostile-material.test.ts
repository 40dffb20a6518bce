/** Wrapped material that is none: whatever is sent with a good token, it is refused by an error of ours and nothing is imported. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { importRequest } from '../../../test/support/keys/import-key.ts';
import { keyFolder, TEST_USE as use } from '../../../test/support/keys/keys.ts';
import { WRAPPING_ALGORITHMS } from '../../../test/support/keys/wrap-material.ts';
import type { CreateKeyRequest } from '../admin/key-admin.ts';
import { KeysError } from '../errors.ts';

const KINDS: readonly CreateKeyRequest[] = [
  {},
  { spec: 'HMAC_384', usage: 'GENERATE_VERIFY_MAC' },
  { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' },
  { spec: 'ML_DSA_44', usage: 'SIGN_VERIFY' },
];
const REFUSED = /^ERR_KEYS_(?:CIPHERTEXT_INVALID|INCORRECT_MATERIAL|INVALID_REQUEST)$/u;

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'imported';
  } catch (error) {
    if (error instanceof KeysError) return error.code;
    throw error;
  }
}

test.each(WRAPPING_ALGORITHMS)('Any bytes as wrapped by %s', async (algorithm) => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  for (const kind of KINDS) {
    const { keyId } = await manager.createKey({ ...kind, origin: 'EXTERNAL' }, use);
    const good = await importRequest(manager, keyId, Buffer.alloc(32, 1), use, {}, algorithm);
    const near = fc
      .tuple(fc.nat(good.wrapped.length), fc.uint8Array({ maxLength: 60 }), fc.nat(60))
      .map(([at, put, gone]) => {
        const { wrapped } = good;
        return Uint8Array.from([...wrapped.subarray(0, at), ...put, ...wrapped.subarray(at + gone)]);
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 600 }), near), async (wrapped) => {
        fc.pre(!Buffer.from(wrapped).equals(good.wrapped));
        expect(await codeOf(manager.imports.importMaterial({ ...good, wrapped }, use))).toMatch(REFUSED);
      }),
      { numRuns: 60 },
    );
    expect((await manager.describeKey(keyId, use)).state).toBe('pending-import');
  }
});

test.each(WRAPPING_ALGORITHMS)('Any bytes, wrapped well by %s, where a private key should be', async (algorithm) => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  // What RSAES-OAEP under 2048 bits takes.
  const most = algorithm.startsWith('RSAES') ? 150 : 400;
  for (const kind of KINDS.slice(2)) {
    const { keyId } = await manager.createKey({ ...kind, origin: 'EXTERNAL' }, use);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: most }), async (material) => {
        const request = await importRequest(manager, keyId, material, use, {}, algorithm);
        expect(await codeOf(manager.imports.importMaterial(request, use))).toMatch(REFUSED);
      }),
      { numRuns: 5 },
    );
  }
});
