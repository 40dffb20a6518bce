/** `sealgate keys disable` */
import { defineCommand, EXIT } from '../command.ts';
import { formatJson, formatKey } from './format.ts';
import { JSON_OPTION, keysNamed, ownKeySettings, STORE_OPTIONS, terminalUse, withKeys } from './session.ts';

export const keysDisableCommand = defineCommand({
  name: 'keys disable',
  summary: 'stop every use of a KMS key, reversibly',
  usage: 'keys disable <key>',
  example: 'sealgate keys disable alias/objects',
  details:
    'Nothing it wrapped opens until it is enabled again; cached data keys are dropped too. While `sealgate up` runs it owns the\nstore: stop it first.',
  options: { ...STORE_OPTIONS, ...JSON_OPTION },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [name = ''], values }, io) => {
    const settings = await ownKeySettings(values, io);
    const key = await withKeys(settings, (keys) =>
      keysNamed(keys, name).disableKey(name, terminalUse(settings, 'keys disable')),
    );
    io.stdout.write(values.json === true ? formatJson(key) : formatKey(key));
    return EXIT.ok;
  },
});
