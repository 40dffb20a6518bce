/** Key pairs at rest: a store made now, and the frozen one, do for ever what they did, and lie as docs/KEYSTORE.md says. */
import { createPrivateKey, createPublicKey, diffieHellman, privateDecrypt, constants } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, testPorts } from '../../../test/support/keys/keys.ts';
import {
  makePairKeyStore,
  PAIR_KINDS,
  pairStoreOptions,
  signedForm,
  type PairFacts,
} from '../../../test/support/keys/make-pair-keystore.ts';
import { naiveRead, naiveStore } from '../../../test/support/keys/naive-keystore.ts';
import { restoreBackup, verifyBackup } from '../backup/restore.ts';
import type { EncryptionAlgorithm } from '../key-kinds.ts';
import { openKeyManager } from '../key-manager.ts';

const VECTOR = fileURLToPath(new URL('../../../test/vectors/pair-keystore/', import.meta.url));
const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');

/** What of a private key nobody else has: the seed at its end, or the member `d` of a JWK. */
function secretOf(material: Uint8Array): Buffer {
  const key = createPrivateKey({ key: Buffer.from(material), format: 'der', type: 'pkcs8' });
  if (key.asymmetricKeyType?.startsWith('ml-dsa')) return Buffer.from(material.slice(-32));
  return bytes(key.export({ format: 'jwk' }).d ?? '').subarray(0, 32);
}

type Opened = { readonly folder: string; readonly facts: PairFacts; readonly [Symbol.dispose]: () => void };

async function opened(which: 'made now' | 'frozen'): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-pairs-'));
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  if (which === 'made now') return { folder, facts: await makePairKeyStore(folder), [Symbol.dispose]: dispose };
  cpSync(VECTOR, folder, { recursive: true });
  // Git does not keep modes.
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o600);
  // Written by make-pair-keystore.ts.
  const facts = JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8')) as PairFacts;
  return { folder, facts, [Symbol.dispose]: dispose };
}

describe.each(['made now', 'frozen'] as const)('A store of key pairs, %s,', (which) => {
  test('gives its public keys again, verifies, opens and agrees as it did', async () => {
    using store = await opened(which);
    const manager = await openKeyManager(pairStoreOptions(store.folder), testPorts);
    expect(store.facts.keys.map(({ spec, usage }) => [spec, usage])).toEqual(PAIR_KINDS);
    for (const { keyId, publicKey, signatures = [], ciphertexts = {}, agreement } of store.facts.keys) {
      expect(bytes(publicKey)).toEqual(Buffer.from((await manager.pairs.publicKey(keyId, use)).publicKey));
      for (const { algorithm, signature } of signatures) {
        const asked = { keyId, algorithm, ...signedForm(algorithm, store.facts.message) };
        await manager.signatures.verify({ ...asked, signature: bytes(signature) }, use);
        const again = await manager.signatures.sign(asked, use);
        await manager.signatures.verify({ ...asked, signature: again.signature }, use);
      }
      for (const [algorithm, ciphertext] of Object.entries<string>(ciphertexts)) {
        const asked = { keyId, algorithm: algorithm as EncryptionAlgorithm, context: {} };
        const opened = await manager.operations.decrypt({ ...asked, ciphertext: bytes(ciphertext) }, use);
        expect(Buffer.from(opened.plaintext).toString()).toBe(store.facts.message);
      }
      if (agreement === undefined) continue;
      const agreed = await manager.pairs.deriveSharedSecret({ keyId, publicKey: bytes(agreement.peer) }, use);
      expect(Buffer.from(agreed.secret).toString('base64')).toBe(agreement.secret);
    }
    await manager.close();
  });

  test('is read by the naive reader, whose private keys open and agree as they did', async () => {
    using store = await opened(which);
    const { folder, facts } = store;
    const { materials } = await naiveStore(join(folder, 'store.sqlite'), {
      keyFile: naiveRead(join(folder, 'root.key')),
    });
    const byPublic = new Map(
      [...materials.values()].map((material) => {
        const key = createPrivateKey({ key: Buffer.from(material), format: 'der', type: 'pkcs8' });
        return [createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64'), key] as const;
      }),
    );
    expect(byPublic.size).toBe(PAIR_KINDS.length);
    for (const { publicKey, ciphertexts, agreement } of facts.keys) {
      const key = byPublic.get(publicKey);
      if (key === undefined) throw new Error('a public key without its private one');
      for (const [name, ciphertext] of Object.entries(ciphertexts ?? {})) {
        const oaepHash = name === 'RSAES_OAEP_SHA_1' ? 'sha1' : 'sha256';
        const how = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash };
        expect(privateDecrypt(how, bytes(ciphertext)).toString()).toBe(facts.message);
      }
      if (agreement === undefined) continue;
      const peer = createPublicKey({ key: bytes(agreement.peer), format: 'der', type: 'spki' });
      expect(diffieHellman({ privateKey: key, publicKey: peer }).toString('base64')).toBe(agreement.secret);
    }
  });

  test('holds no private key in the clear', async () => {
    using store = await opened(which);
    const { materials } = await naiveStore(join(store.folder, 'store.sqlite'), {
      keyFile: naiveRead(join(store.folder, 'root.key')),
    });
    const files = readdirSync(store.folder).map((name) => readFileSync(join(store.folder, name)));
    for (const material of materials.values())
      for (const file of files) expect(file.includes(secretOf(material))).toBe(false);
  });
});

test.each([
  ['spec', 'RSA_3072'],
  ['spec', 'SYMMETRIC_DEFAULT'],
  ['usage', 'ENCRYPT_DECRYPT'],
  ['usage', 'KEY_AGREEMENT'],
])('A pair whose %s was changed to %s in the file is refused', async (column, value) => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  await manager.createKey({ spec: 'RSA_2048', usage: 'SIGN_VERIFY' }, use);
  await manager.close();
  const database = new DatabaseSync(keys.options.storePath);
  database.prepare(`UPDATE keys SET ${column} = ?`).run(value);
  database.close();
  await expect(keys.open()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_KEYS_STORE_/u) });
});

test('A public key that was exchanged in the file is refused', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  for (const spec of ['ECC_NIST_P256', 'ECC_NIST_P256'] as const)
    await manager.createKey({ spec, usage: 'SIGN_VERIFY' }, use);
  await manager.close();
  const database = new DatabaseSync(keys.options.storePath);
  database.exec('UPDATE materials SET canary = (SELECT canary FROM materials LIMIT 1)');
  database.close();
  await expect(keys.open()).rejects.toMatchObject({ code: 'ERR_KEYS_STORE_TAMPERED' });
});

test('The usage has to be said where there are two, and has to be one of the spec’s', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  for (const request of [
    { spec: 'RSA_2048' },
    { spec: 'ECC_NIST_P256', usage: 'ENCRYPT_DECRYPT' },
    { spec: 'RSA_2048', usage: 'KEY_AGREEMENT' },
    { usage: 'SIGN_VERIFY' },
  ] as const)
    await expect(manager.createKey(request, use)).rejects.toMatchObject({ code: 'ERR_KEYS_INVALID_REQUEST' });
  expect(await manager.createKey({ spec: 'ML_DSA_44' }, use)).toMatchObject({ usage: 'SIGN_VERIFY' });
});

test('A backup holds pairs: it is verified, restored, and what they signed verifies', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const asked = { messageType: 'RAW', message: Buffer.from('x') } as const;
  const signed = [];
  for (const [spec, algorithm] of [
    ['RSA_2048', 'RSASSA_PSS_SHA_512'],
    ['ECC_NIST_P521', 'ECDSA_SHA_512'],
    ['ML_DSA_87', 'ML_DSA_SHAKE_256'],
  ] as const) {
    const { keyId } = await manager.createKey({ spec, usage: 'SIGN_VERIFY' }, use);
    const { signature } = await manager.signatures.sign({ ...asked, keyId, algorithm }, use);
    signed.push({ keyId, algorithm, signature });
  }
  const path = keys.path('store.backup');
  expect(await manager.backup({ path }, use)).toMatchObject({ keys: 3, materials: 3 });
  await manager.close();
  const secret = { type: 'key-file', path: keys.path('root.key') } as const;
  expect(await verifyBackup(path, [secret])).toMatchObject({ keys: 3, materials: 3 });
  const store = { ...keys.options, storePath: keys.path('restored.sqlite') };
  await restoreBackup({ backupPath: path, secrets: [], store }, testPorts);
  const restored = await openKeyManager({ ...store, acceptRollback: true }, testPorts);
  for (const each of signed) await restored.signatures.verify({ ...asked, ...each }, use);
  await restored.close();
});

test('A rule that names a pair is told so before anything is sealed', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  for (const usage of ['SIGN_VERIFY', 'ENCRYPT_DECRYPT'] as const) {
    const { keyId } = await manager.createKey({ spec: 'RSA_2048', usage }, use);
    const refused = { code: 'ERR_KEYS_KEY_USAGE' };
    await expect(manager.resolveKey(keyId)).rejects.toMatchObject(refused);
    await expect(manager.generateDataKey({ keyId, context: {} }, use)).rejects.toMatchObject(refused);
  }
});

test('A key is made for who may alone, and what is refused is recorded', async () => {
  await using keys = await keyFolder();
  const authorizer = { decide: () => ({ allow: false, why: 'test' }) };
  const manager = await keys.open({}, { authorizer });
  await expect(manager.createKey({ spec: 'RSA_4096', usage: 'SIGN_VERIFY' }, use)).rejects.toMatchObject({
    code: 'ERR_KEYS_ACCESS_DENIED',
  });
  const records = readFileSync(keys.options.audit.path, 'utf8').trim().split('\n');
  expect(records.filter((line) => line.includes('"CreateKey"') && line.includes('ACCESS_DENIED'))).toHaveLength(1);
});

test('While a pair is made other keys are changed', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const { keyId } = await manager.createKey({}, use);
  let isMade = false;
  const making = Promise.all(
    Array.from({ length: 4 }, () => manager.createKey({ spec: 'RSA_4096', usage: 'SIGN_VERIFY' }, use)),
  ).then(() => (isMade = true));
  await manager.disableKey(keyId, use);
  expect(isMade).toBe(false);
  await making;
});
