/** `sealgate keys enable` */
import { defineCommand, EXIT } from '../command.ts';
import { formatJson, formatKey } from './format.ts';
import { JSON_OPTION, keysNamed, ownKeySettings, STORE_OPTIONS, terminalUse, withKeys } from './session.ts';

export const keysEnableCommand = defineCommand({
  name: 'keys enable',
  summary: 'let a disabled KMS key be used again',
  usage: 'keys enable <key>',
  example: 'sealgate keys enable alias/objects',
  details: 'Data keys it wrapped open again at once.',
  options: { ...STORE_OPTIONS, ...JSON_OPTION },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [name = ''], values }, io) => {
    const settings = await ownKeySettings(values, io);
    const key = await withKeys(settings, (keys) =>
      keysNamed(keys, name).enableKey(name, terminalUse(settings, 'keys enable')),
    );
    io.stdout.write(values.json === true ? formatJson(key) : formatKey(key));
    return EXIT.ok;
  },
});
