/** `sealgate keys init`: an empty key store for a config that exists. */
import { CONFIG_OPTION, defineCommand, EXIT } from '../command.ts';
import { keyPorts } from '../options/keys.ts';
import { keySettings } from './session.ts';

export const keysInitCommand = defineCommand({
  name: 'keys init',
  summary: 'make an empty key store for the config, and the key files it names',
  usage: 'keys init [--config <file>]',
  example: 'sealgate keys init --config /etc/sealgate/sealgate.yaml',
  details:
    'Every entry of `keys.unseal` becomes a slot that unseals the store by itself. Key files that do not exist are made\n(mode 0600). Nothing is overwritten: an existing store or epoch file is an error.',
  options: CONFIG_OPTION,
  run: async ({ values }, io) => {
    const { options } = await keySettings(values, io);
    const { createKeyFile, createKeyStore } = await import('../../keys/key-manager.ts');
    const { existsSync } = await import('node:fs');
    for (const secret of options.unseal) {
      if (secret.type !== 'key-file' || existsSync(secret.path)) continue;
      createKeyFile(secret.path, keyPorts().random);
      io.stdout.write(`wrote ${secret.path}: keep a copy of it apart from the store\n`);
    }
    const { storeId } = await createKeyStore(options, keyPorts());
    io.stdout.write(`made key store ${options.storePath} (${storeId}) with ${options.unseal.length} unseal slots\n`);
    return EXIT.ok;
  },
});
