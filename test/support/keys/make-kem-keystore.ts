/**
 * Makes a key store with a key of each kind that encapsulates. `node test/support/keys/make-kem-keystore.ts <folder>` wrote the files that are
 * kept, frozen, in test/vectors/kem-keystore.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KeyUse } from '../../../src/keys/uses/data-keys.ts';
import { newPairStore } from './make-pair-keystore.ts';

const USE: KeyUse = { principal: 'arn:aws:iam::000000000000:user/alice', via: 'kms', resource: 'kms' };

/** What the store must give again, for ever. Bytes in base64. */
export type KemFacts = {
  readonly keys: readonly {
    readonly keyId: string;
    readonly publicKey: string;
    readonly ciphertext: string;
    readonly secret: string;
  }[];
};

export async function makeKemKeyStore(folder: string): Promise<KemFacts> {
  const manager = await newPairStore(folder, Date.UTC(2026, 10, 26, 3));
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const keys = [];
  for (const spec of ['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'] as const) {
    const { keyId } = await manager.createKey({ spec }, USE);
    const { publicKey } = await manager.pairs.publicKey(keyId, USE);
    const { ciphertext, secret } = await manager.pairs.encapsulate({ keyId }, USE);
    keys.push({ keyId, publicKey: base64(publicKey), ciphertext: base64(ciphertext), secret: base64(secret) });
  }
  await manager.close();
  return { keys };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? '';
  const facts = await makeKemKeyStore(folder);
  writeFileSync(join(folder, 'facts.json'), `${JSON.stringify(facts, null, 2)}\n`);
}
