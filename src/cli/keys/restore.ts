/** `sealgate keys restore` */
import { resolve } from 'node:path';
import { defineCommand, EXIT } from '../command.ts';
import { keyPorts } from '../options/keys.ts';
import { BACKUP_SECRET_OPTIONS, backupSecrets } from './backup-secrets.ts';
import { keySettings, STORE_OPTIONS, withKeys } from './session.ts';

export const keysRestoreCommand = defineCommand({
  name: 'keys restore',
  summary: 'make the key store from a backup, where there is none',
  usage: 'keys restore <file> [--passphrase-file <file>] [--key-file <file>] [--accept-rollback] [--accept-audit-gap]',
  example:
    'sealgate keys restore keys-2026-11-24.backup --passphrase-file backup.pass --accept-rollback --accept-audit-gap',
  details:
    'Refuses to overwrite a store. Where no secret of the config opens the restored store, each gets a slot; a key file that the\nconfig names and that does not exist is made. A store older than its\nepoch file, or without one, is refused when it is opened: --accept-rollback takes it as the newest (what was sealed under keys\nmade after the backup is lost). --accept-audit-gap goes on where the old audit log is lost too.',
  options: { ...STORE_OPTIONS, ...BACKUP_SECRET_OPTIONS },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [file = ''], values }, io) => {
    const settings = await keySettings(values, io);
    const { restoreBackup } = await import('../../keys/backup/restore.ts');
    const request = { backupPath: resolve(io.cwd, file), secrets: backupSecrets(values, io), store: settings.options };
    const { keys, materials, madeKeyFiles } = await restoreBackup(request, keyPorts());
    for (const path of madeKeyFiles) io.stdout.write(`wrote ${path}: keep a copy of it apart from the store\n`);
    io.stdout.write(`restored ${settings.options.storePath}: ${keys} keys, ${materials} materials\n`);
    const accepts = values['accept-rollback'] === true || values['accept-audit-gap'] === true;
    // Opened once now, so that what was accepted here need not be accepted by the next start.
    if (accepts) await withKeys(settings, (manager) => manager.ready());
    else
      io.stdout.write(
        'if it is refused as older than its epoch file, or for an audit log that is not here: `sealgate keys list --accept-rollback\n--accept-audit-gap` accepts that once\n',
      );
    return EXIT.ok;
  },
});
