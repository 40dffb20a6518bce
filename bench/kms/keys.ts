/** A key store in a temporary folder, with the policies of one caller. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pooledRandom } from '../../src/crypto/random.ts';
import type { AccessOptions } from '../../src/keys/access/options.ts';
import type { KeyUse } from '../../src/keys/uses/data-keys.ts';
import { createKeyFile, createKeyStore, openKeyManager, type KeyManager } from '../../src/keys/key-manager.ts';
import type { KeyManagerOptions, KeyPorts } from '../../src/keys/options.ts';

export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';
export const PRINCIPAL = `arn:aws:iam::${ACCOUNT}:user/bench`;
export const KEY_ALIAS = 'alias/bench';
export const OPERATOR: KeyUse = { principal: PRINCIPAL, via: 'cli', resource: 'bench' };

/** A condition on the encryption context, as a careful policy has. */
export const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
      Resource: '*',
      Condition: { StringEquals: { 'kms:EncryptionContext:table': 'orders' } },
    },
  ],
});

const ACCESS: AccessOptions = {
  identities: [{ arn: PRINCIPAL, policies: [{ name: 'bench', document: POLICY }] }],
  organizationPolicies: [],
  unlistedStorageCallers: 'nothing',
  grantsCrossAccounts: false,
};

export const PORTS: KeyPorts = { random: pooledRandom(), now: Date.now };

export type BenchStore = { readonly options: KeyManagerOptions; readonly [Symbol.dispose]: () => void };

export async function createBenchStore(): Promise<BenchStore> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-bench-kms-'));
  const path = (name: string): string => join(folder, name);
  const options: KeyManagerOptions = {
    storePath: path('keys.sqlite'),
    unseal: [{ type: 'key-file', path: path('root.key') }],
    region: REGION,
    account: ACCOUNT,
    audit: { path: path('audit.log'), durability: 'write' },
    access: ACCESS,
  };
  createKeyFile(path('root.key'), PORTS.random);
  await createKeyStore(options, PORTS);
  return { options, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

export async function openBenchKeys(): Promise<{
  readonly keys: KeyManager;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}> {
  const store = await createBenchStore();
  const keys = await openKeyManager(store.options, PORTS);
  const dispose = async (): Promise<void> => {
    await keys.close();
    store[Symbol.dispose]();
  };
  return { keys, [Symbol.asyncDispose]: dispose };
}
