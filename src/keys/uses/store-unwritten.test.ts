/** Using a key never writes to the key store: its files stay, byte for byte and as last changed, whatever is done with keys. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../../test/support/keys/keys.ts';
import type { DataKeys } from './data-keys.ts';
import type { KeyManager } from '../key-manager.ts';
import type { KeyMacs } from './key-macs.ts';
import type { KeyPairs } from '../pairs/key-pairs.ts';
import type { KeySignatures } from '../pairs/key-signatures.ts';
import type { KeyOperations } from './key-operations.ts';
import { CHECKPOINT_RECORDS } from '../limits.ts';
import type { AuthorizationQuestion, KeyAuthorizer } from '../options.ts';

const context = Object.freeze({ purpose: 'test' });
const plaintext = Buffer.from('secret');
const keyId = 'alias/a';

/** Every file beside the audit log and its head: bytes, and when they were last changed (nanoseconds). */
function storeFiles({ folder }: KeyFolder): Record<string, readonly [string, bigint]> {
  const names = readdirSync(folder).filter((name) => !name.startsWith('audit.log'));
  return Object.fromEntries(
    names.sort().map((name) => {
      const path = `${folder}/${name}`;
      return [name, [readFileSync(path, 'base64'), statSync(path, { bigint: true }).mtimeNs]] as const;
    }),
  );
}

type Uses = Omit<DataKeys, 'escrow' | 'escrowed' | 'resolveKey' | 'serviceKey'>;

/** Each method that uses a key: one that is added must be added here. */
const dataKeyUses = {
  generateDataKey: async (manager) => manager.generateDataKey({ keyId, context }, use),
  decrypt: async (manager) => {
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    await manager.decrypt({ wrapped, context }, use);
    await manager.decrypt({ wrapped, context, keyId }, use);
  },
  decryptNow: async (manager) => {
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    await manager.decrypt({ wrapped, context }, use);
    expect(manager.decryptNow({ wrapped, context }, use)).toBeDefined();
  },
  decryptEachNow: async (manager) => {
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    await manager.decrypt({ wrapped, context }, use);
    const asked = { request: { wrapped, context }, use };
    expect(manager.decryptEachNow([asked, asked])).not.toContain(undefined);
  },
  readUnsealed: async (manager) => manager.readUnsealed({ keyId, context }, use),
  reEncrypt: async (manager) => {
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    const moved = { wrapped, sourceContext: context, destinationKeyId: 'alias/b', destinationContext: {} };
    await manager.reEncrypt(moved, use);
  },
} satisfies Record<keyof Uses, (manager: KeyManager) => Promise<unknown>>;

const pairRequest = { keyId, spec: 'ECC_NIST_P256', context } as const;
const operationUses: Readonly<Record<keyof KeyOperations, (manager: KeyManager) => Promise<unknown>>> = {
  encrypt: async ({ operations }) => operations.encrypt({ keyId, plaintext, context }, use),
  decrypt: async ({ operations }) => {
    const { ciphertext } = await operations.encrypt({ keyId, plaintext, context }, use);
    await operations.decrypt({ ciphertext, keyId: undefined, context }, use);
  },
  reEncrypt: async ({ operations }) => {
    const { ciphertext } = await operations.encrypt({ keyId, plaintext, context }, use);
    const source = { ciphertext, keyId: undefined, context };
    await operations.reEncrypt({ source, destination: { keyId: 'alias/b', context } }, use);
  },
  generateDataKey: async ({ operations }) => operations.generateDataKey({ keyId, bytes: 32, context }, use),
  generateDataKeyWithoutPlaintext: async ({ operations }) =>
    operations.generateDataKeyWithoutPlaintext({ keyId, bytes: 32, context }, use),
  generateDataKeyPair: async ({ operations }) => operations.generateDataKeyPair(pairRequest, use),
  generateDataKeyPairWithoutPlaintext: async ({ operations }) =>
    operations.generateDataKeyPairWithoutPlaintext(pairRequest, use),
  generateRandom: async ({ operations }) => operations.generateRandom(32, use),
};

const macRequest = { keyId: 'alias/mac', message: plaintext, algorithm: 'HMAC_SHA_256' } as const;
const macUses: Readonly<Record<keyof KeyMacs, (manager: KeyManager) => Promise<unknown>>> = {
  generate: async ({ macs }) => macs.generate(macRequest, use),
  verify: async ({ macs }) => {
    const { mac } = await macs.generate(macRequest, use);
    await macs.verify({ ...macRequest, mac }, use);
  },
};

const signingRequest = {
  keyId: 'alias/signs',
  message: createHash('sha256').update(plaintext).digest(),
  messageType: 'DIGEST',
  algorithm: 'ECDSA_SHA_256',
} as const;
const signatureUses: Readonly<Record<keyof KeySignatures, (manager: KeyManager) => Promise<unknown>>> = {
  sign: async ({ signatures }) => signatures.sign({ ...signingRequest, messageType: 'RAW' }, use),
  verify: async ({ signatures }) => {
    const { signature } = await signatures.sign(signingRequest, use);
    await signatures.verify({ ...signingRequest, signature }, use);
  },
};

const rsa = { algorithm: 'RSAES_OAEP_SHA_256', context: {} } as const;
async function encryptAndDecrypt({ operations }: KeyManager): Promise<void> {
  const { ciphertext } = await operations.encrypt({ keyId: 'alias/rsa', plaintext, ...rsa }, use);
  await operations.decrypt({ keyId: 'alias/rsa', ciphertext, ...rsa }, use);
}

const pairUses: Readonly<Record<keyof KeyPairs, (manager: KeyManager) => Promise<unknown>>> = {
  publicKey: async ({ pairs }) => pairs.publicKey('alias/signs', use),
  deriveSharedSecret: async ({ pairs }) => {
    const { publicKey } = await pairs.publicKey('alias/agrees', use);
    await pairs.deriveSharedSecret({ keyId: 'alias/agrees', publicKey }, use);
  },
  encapsulate: async ({ pairs }) => pairs.encapsulate({ keyId: 'alias/encapsulates' }, use),
  decapsulate: async ({ pairs }) => {
    const { ciphertext } = await pairs.encapsulate({ keyId: 'alias/encapsulates' }, use);
    await pairs.decapsulate({ keyId: 'alias/encapsulates', ciphertext }, use);
  },
};

test('No use of a key, allowed or refused, at once or many at a time, changes a file of the key store', async () => {
  await using keys = await keyFolder();
  let isAllowed = true;
  const decide = (_question: AuthorizationQuestion): ReturnType<KeyAuthorizer['decide']> => ({
    allow: isAllowed,
    why: 'test',
  });
  const manager = await keys.open({}, { authorizer: { decide } });
  const key = await manager.createKey({ alias: 'alias/a' }, use);
  await manager.createKey({ alias: 'alias/b' }, use);
  await manager.createKey({ alias: 'alias/mac', spec: 'HMAC_256' }, use);
  await manager.createKey({ alias: 'alias/signs', spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' }, use);
  await manager.createKey({ alias: 'alias/rsa', spec: 'RSA_2048', usage: 'ENCRYPT_DECRYPT' }, use);
  await manager.createKey({ alias: 'alias/agrees', spec: 'ECC_NIST_P384', usage: 'KEY_AGREEMENT' }, use);
  await manager.createKey({ alias: 'alias/encapsulates', spec: 'ML_KEM_768' }, use);
  const before = storeFiles(keys);
  expect(Object.keys(before)).toContain('keys.sqlite-wal');

  const all = [...Object.values(dataKeyUses), ...Object.values(operationUses), ...Object.values(macUses)].concat(
    Object.values(signatureUses),
    Object.values(pairUses),
    encryptAndDecrypt,
  );
  for (const useKey of all) await useKey(manager);
  // Past a checkpoint of the audit log, and in one breath.
  for (let left = CHECKPOINT_RECORDS; left > 0; left -= 1000)
    await Promise.all(Array.from({ length: 1000 }, () => dataKeyUses.generateDataKey(manager)));
  isAllowed = false;
  for (const useKey of all) await expect(useKey(manager)).rejects.toMatchObject({ code: 'ERR_KEYS_ACCESS_DENIED' });
  isAllowed = true;
  // The last use is known, though it is not in the store.
  expect(await manager.settings.lastUsage(key.keyId, use)).toMatchObject({ lastUse: { operation: 'GenerateDataKey' } });
  expect(storeFiles(keys)).toEqual(before);

  // What does change the store is seen.
  await manager.createAlias({ aliasName: 'alias/c', keyId: 'alias/a' }, use);
  expect(storeFiles(keys)).not.toEqual(before);
});
