/** Secrets that open a backup, besides those of the config. */
import { resolve } from 'node:path';
import type { UnsealSecret } from '../../keys/options.ts';
import type { CommandIo, CommandOptions } from '../command.ts';

export const BACKUP_SECRET_OPTIONS = {
  'passphrase-file': { type: 'string', placeholder: 'file', help: 'the passphrase the backup was made with' },
  'key-file': { type: 'string', placeholder: 'file', help: 'the key file the backup was made with' },
} as const satisfies CommandOptions;

type SecretValues = { readonly 'passphrase-file'?: string | undefined; readonly 'key-file'?: string | undefined };

export function backupSecrets(values: SecretValues, { cwd }: Pick<CommandIo, 'cwd'>): readonly UnsealSecret[] {
  const { 'passphrase-file': passphrase, 'key-file': keyFile } = values;
  const secrets: UnsealSecret[] = [];
  if (passphrase !== undefined) secrets.push({ type: 'passphrase-file', path: resolve(cwd, passphrase) });
  if (keyFile !== undefined) secrets.push({ type: 'key-file', path: resolve(cwd, keyFile) });
  return secrets;
}
