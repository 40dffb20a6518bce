/** `sealgate keys verify-backup` */
import { resolve } from 'node:path';
import { CONFIG_OPTION, defineCommand, EXIT } from '../command.ts';
import { BACKUP_SECRET_OPTIONS, backupSecrets } from './backup-secrets.ts';
import { formatJson } from './format.ts';
import { JSON_OPTION, keySettings } from './session.ts';

export const keysVerifyBackupCommand = defineCommand({
  name: 'keys verify-backup',
  summary: 'open a backup whole and try every key material in it',
  usage: 'keys verify-backup <file> [--passphrase-file <file>] [--key-file <file>]',
  example: 'sealgate keys verify-backup keys-2026-11-24.backup --passphrase-file backup.pass',
  details:
    'With a passphrase or key file no config and no store is needed; else the config’s unseal secrets are tried.',
  options: { ...CONFIG_OPTION, ...JSON_OPTION, ...BACKUP_SECRET_OPTIONS },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [file = ''], values }, io) => {
    const given = backupSecrets(values, io);
    const secrets = given.length > 0 ? given : (await keySettings(values, io)).options.unseal;
    const { verifyBackup } = await import('../../keys/backup/restore.ts');
    const facts = await verifyBackup(resolve(io.cwd, file), secrets);
    const { keys, materials, createdAt } = facts;
    io.stdout.write(
      values.json === true
        ? formatJson(facts)
        : `${file} is whole: ${keys} keys, ${materials} materials, made ${createdAt}\n`,
    );
    return EXIT.ok;
  },
});
