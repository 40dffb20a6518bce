/** Keys of ML-KEM at rest: a store made now, and the frozen one, give the same secrets for ever, and lie as docs/KEYSTORE.md says. */
import { createPrivateKey, createPublicKey, decapsulate } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { TEST_USE as use, testPorts } from '../../../test/support/keys/keys.ts';
import { makeKemKeyStore, type KemFacts } from '../../../test/support/keys/make-kem-keystore.ts';
import { pairStoreOptions } from '../../../test/support/keys/make-pair-keystore.ts';
import { naiveRead, naiveStore } from '../../../test/support/keys/naive-keystore.ts';
import { openKeyManager } from '../key-manager.ts';

const VECTOR = fileURLToPath(new URL('../../../test/vectors/kem-keystore/', import.meta.url));
const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');

type Opened = { readonly folder: string; readonly facts: KemFacts; readonly [Symbol.dispose]: () => void };

async function opened(which: 'made now' | 'frozen'): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-kem-'));
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  if (which === 'made now') return { folder, facts: await makeKemKeyStore(folder), [Symbol.dispose]: dispose };
  cpSync(VECTOR, folder, { recursive: true });
  // Git does not keep modes.
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o600);
  // Written by make-kem-keystore.ts.
  const facts = JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8')) as KemFacts;
  return { folder, facts, [Symbol.dispose]: dispose };
}

describe.each(['made now', 'frozen'] as const)('A store of ML-KEM keys, %s,', (which) => {
  test('gives its secrets again, and makes new ones', async () => {
    using store = await opened(which);
    const manager = await openKeyManager(pairStoreOptions(store.folder), testPorts);
    expect(store.facts.keys).toHaveLength(3);
    for (const { keyId, publicKey, ciphertext, secret } of store.facts.keys) {
      expect(bytes(publicKey)).toEqual(Buffer.from((await manager.pairs.publicKey(keyId, use)).publicKey));
      const given = await manager.pairs.decapsulate({ keyId, ciphertext: bytes(ciphertext) }, use);
      expect(Buffer.from(given.secret).toString('base64')).toBe(secret);
      const made = await manager.pairs.encapsulate({ keyId }, use);
      const again = await manager.pairs.decapsulate({ keyId, ciphertext: made.ciphertext }, use);
      expect(again.secret).toEqual(made.secret);
    }
    await manager.close();
  });

  test('is read by the naive reader, whose private keys open the same, and keeps none in the clear', async () => {
    using store = await opened(which);
    const { folder, facts } = store;
    const { materials } = await naiveStore(join(folder, 'store.sqlite'), {
      keyFile: naiveRead(join(folder, 'root.key')),
    });
    expect(materials.size).toBe(3);
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
    for (const material of materials.values()) {
      const privateKey = createPrivateKey({ key: Buffer.from(material), format: 'der', type: 'pkcs8' });
      const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).toString('base64');
      const { ciphertext = '', secret } = facts.keys.find((key) => key.publicKey === publicKey) ?? {};
      expect(decapsulate(privateKey, bytes(ciphertext)).toString('base64')).toBe(secret);
      // The seed alone: 22 bytes of PKCS #8, and 64.
      expect(material).toHaveLength(86);
      for (const file of files) expect(file.includes(Buffer.from(material.slice(-64)))).toBe(false);
    }
  });
});
