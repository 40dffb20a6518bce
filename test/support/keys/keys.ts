/** A key store in a temporary folder, for tests. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataKeys, KeyUse } from '../../../src/keys/uses/data-keys.ts';
import { createKeyFile, createKeyStore, openKeyManager, type KeyManager } from '../../../src/keys/key-manager.ts';
import type { KeyManagerOptions, KeyPorts } from '../../../src/keys/options.ts';

export const TEST_USE: KeyUse = { principal: 'arn:aws:iam::000000000000:user/test', via: 'cli', resource: 'test' };

export const testPorts: KeyPorts = { random: (bytes) => new Uint8Array(randomBytes(bytes)), now: Date.now };

export type KeyFolder = {
  readonly folder: string;
  readonly options: KeyManagerOptions;
  readonly open: (changes?: Partial<KeyManagerOptions>, ports?: Partial<KeyPorts>) => Promise<KeyManager>;
  readonly path: (name: string) => string;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** A fresh store with one key-file slot; everything in it goes when it is disposed. */
export async function keyFolder(changes: Partial<KeyManagerOptions> = {}): Promise<KeyFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-keys-'));
  const path = (name: string): string => join(folder, name);
  const options: KeyManagerOptions = {
    storePath: path('keys.sqlite'),
    unseal: [{ type: 'key-file', path: path('root.key') }],
    region: 'eu-central-1',
    account: '000000000000',
    audit: { path: path('audit.log'), durability: 'write' },
    ...changes,
  };
  createKeyFile(path('root.key'), testPorts.random);
  await createKeyStore(options, testPorts);
  const opened: KeyManager[] = [];
  const open = async (more: Partial<KeyManagerOptions> = {}, ports: Partial<KeyPorts> = {}): Promise<KeyManager> => {
    const manager = await openKeyManager({ ...options, ...more }, { ...testPorts, ...ports });
    opened.push(manager);
    return manager;
  };
  const dispose = async (): Promise<void> => {
    for (const manager of opened) await manager.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { folder, options, open, path, [Symbol.asyncDispose]: dispose };
}

/** The same keys, but for what is done otherwise. */
export function dataKeysWith(keys: DataKeys, changes: Partial<DataKeys>): DataKeys {
  return new Proxy(keys, {
    get: (target, name) => {
      const found: unknown = Reflect.get(Reflect.has(changes, name) ? changes : target, name);
      // Methods use private fields of the object that they are of.
      return typeof found === 'function' ? (found.bind(target) as unknown) : found;
    },
  });
}
