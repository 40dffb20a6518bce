/** `sealgate keys init`: an empty key store for a config that exists. */
import { CONFIG_OPTION, defineCommand, EXIT } from '../command.ts';
import { makeStore } from './make-store.ts';
import { keySettings } from './session.ts';

export const keysInitCommand = defineCommand({
  name: 'keys init',
  summary: 'make an empty key store for the config, and the key files it names',
  usage: 'keys init [--config <file>]',
  example: 'sealgate keys init --config /etc/sealgate/sealgate.yaml',
  details:
    'Every entry of `keys.unseal` becomes a slot that unseals the store by itself. Key files that do not exist are made\n(mode 0600). Nothing is overwritten: an existing store, epoch file or audit log is an error.',
  options: CONFIG_OPTION,
  run: async ({ values }, io) => {
    const { options } = await keySettings(values, io);
    const { storeId, keyFiles } = await makeStore(options);
    for (const path of keyFiles) io.stdout.write(`wrote ${path}: keep a copy of it apart from the store\n`);
    const slots = options.unseal.length === 1 ? 'one unseal slot' : `${options.unseal.length} unseal slots`;
    io.stdout.write(`made key store ${options.storePath} (${storeId}) with ${slots}\n`);
    return EXIT.ok;
  },
});
