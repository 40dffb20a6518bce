/** A new key store for a config, with the key files it names: all of it or nothing. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { KeyManagerOptions } from '../../keys/options.ts';
import { CliError } from '../errors.ts';
import { keyPorts } from '../options/keys.ts';

export type MadeStore = {
  readonly storeId: string;
  /** Key files that did not exist. */
  readonly keyFiles: readonly string[];
};

/** Errors: ERR_CLI_EXISTS (an audit log is there already), ERR_KEYS_STORE_EXISTS and whatever keeps it from being made. */
export async function makeStore(options: KeyManagerOptions): Promise<MadeStore> {
  const { createKeyFile, createKeyStore } = await import('../../keys/key-manager.ts');
  const { someLogFile } = await import('../../keys/audit/rotated-files.ts');
  const log = someLogFile(options.audit.path);
  if (log !== undefined)
    throw new CliError('ERR_CLI_EXISTS', `${log} exists already: it is the audit log of another store`);
  const keyFiles: string[] = [];
  try {
    for (const secret of options.unseal) {
      if (secret.type !== 'key-file' || existsSync(secret.path)) continue;
      createKeyFile(secret.path, keyPorts().random);
      keyFiles.push(secret.path);
    }
    const { storeId } = await createKeyStore(options, keyPorts());
    return { storeId, keyFiles };
  } catch (error) {
    // Each was created exclusively, a moment ago, and opens nothing.
    await Promise.all(keyFiles.map((file) => rm(file, { force: true })));
    throw error;
  }
}
