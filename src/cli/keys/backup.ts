/** `sealgate keys backup` */
import { resolve } from 'node:path';
import type { BackupRequest, BackupSummary } from '../../keys/admin/key-admin.ts';
import { defineCommand, EXIT, type CommandIo } from '../command.ts';
import { keyPorts } from '../options/keys.ts';
import { formatJson } from './format.ts';
import { JSON_OPTION, keySettings, STORE_OPTIONS, terminalUse, withKeysOrBeside, type KeySettings } from './session.ts';

export const keysBackupCommand = defineCommand({
  name: 'keys backup',
  summary: 'write every key into one sealed file',
  usage: 'keys backup <file> [--passphrase-file <file>] [--key-file <file>]',
  example: 'sealgate keys backup keys-2026-11-24.backup --passphrase-file backup.pass',
  details:
    'The file opens with any secret that unseals the store, and besides with the passphrase or key file given here: with those it is\nenough by itself after everything else is lost. Works beside a running `sealgate up` (then it is not in the audit log).',
  options: {
    ...STORE_OPTIONS,
    ...JSON_OPTION,
    'passphrase-file': {
      type: 'string',
      placeholder: 'file',
      help: 'a passphrase that opens this backup too (12 bytes or more)',
    },
    'key-file': { type: 'string', placeholder: 'file', help: 'a Sealgate key file that opens this backup too' },
  },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [file = ''], values }, io) => {
    const settings = await keySettings(values, io);
    const { 'passphrase-file': passphraseFile, 'key-file': keyFile } = values;
    const request = {
      path: resolve(io.cwd, file),
      ...(passphraseFile === undefined ? {} : { passphraseFile: resolve(io.cwd, passphraseFile) }),
      ...(keyFile === undefined ? {} : { keyFile: resolve(io.cwd, keyFile) }),
    };
    const made = await backUp(settings, request, io);
    const { path, keys, materials, bytes } = made;
    io.stdout.write(
      values.json === true ? formatJson(made) : `wrote ${path}: ${keys} keys, ${materials} materials, ${bytes} bytes\n`,
    );
    return EXIT.ok;
  },
});

async function backUp(settings: KeySettings, request: BackupRequest, io: CommandIo): Promise<BackupSummary> {
  return withKeysOrBeside(
    settings,
    (keys) => keys.backup(request, terminalUse(settings, 'keys backup')),
    async () => {
      const { backupBesideOwner } = await import('../../keys/offline.ts');
      const made = await backupBesideOwner(settings.options, request, keyPorts());
      io.stderr.write('note: another process owns the store, so its audit log does not show this backup\n');
      return made;
    },
  );
}
