/**
 * Makes a key store with an HMAC key of each kind. `node test/support/keys/make-mac-keystore.ts <folder>` wrote the files that are kept,
 * frozen, in test/vectors/mac-keystore.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KeyUse } from '../../../src/keys/uses/data-keys.ts';
import { createKeyFile, createKeyStore, openKeyManager } from '../../../src/keys/key-manager.ts';
import type { KeyManagerOptions, KeyPorts } from '../../../src/keys/options.ts';

const USE: KeyUse = { principal: 'arn:aws:iam::000000000000:user/alice', via: 'kms', resource: 'kms' };
const KINDS = [
  ['HMAC_224', 'HMAC_SHA_224'],
  ['HMAC_256', 'HMAC_SHA_256'],
  ['HMAC_384', 'HMAC_SHA_384'],
  ['HMAC_512', 'HMAC_SHA_512'],
] as const;

/** What the store must give again, for ever. */
export type MacFacts = {
  readonly message: string;
  readonly macs: readonly {
    readonly keyId: string;
    readonly algorithm: (typeof KINDS)[number][1];
    /** Hex. */
    readonly mac: string;
  }[];
};

export function macStoreOptions(folder: string): KeyManagerOptions {
  return {
    storePath: join(folder, 'store.sqlite'),
    unseal: [{ type: 'key-file', path: join(folder, 'root.key') }],
    region: 'eu-central-1',
    account: '000000000000',
    audit: { path: join(folder, 'audit.jsonl'), durability: 'fsync' },
  };
}

export async function makeMacKeyStore(folder: string): Promise<MacFacts> {
  let clock = Date.UTC(2026, 10, 25, 20);
  const ports: KeyPorts = { random: (bytes) => new Uint8Array(randomBytes(bytes)), now: () => (clock += 1000) };
  mkdirSync(folder, { recursive: true });
  createKeyFile(join(folder, 'root.key'), ports.random);
  const options = macStoreOptions(folder);
  await createKeyStore(options, ports);
  const manager = await openKeyManager(options, ports);
  const message = 'what is authenticated';
  const macs = [];
  for (const [spec, algorithm] of KINDS) {
    const { keyId } = await manager.createKey({ spec }, USE);
    const { mac } = await manager.macs.generate({ keyId, message: Buffer.from(message), algorithm }, USE);
    macs.push({ keyId, algorithm, mac: Buffer.from(mac).toString('hex') });
  }
  await manager.close();
  return { message, macs };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? '';
  const facts = await makeMacKeyStore(folder);
  writeFileSync(join(folder, 'facts.json'), `${JSON.stringify(facts, null, 2)}\n`);
}
