/** `sealgate keys rotate` */
import { defineCommand, EXIT } from '../command.ts';
import { formatJson, formatKey } from './format.ts';
import { JSON_OPTION, keysNamed, ownKeySettings, STORE_OPTIONS, terminalUse, withKeys } from './session.ts';

export const keysRotateCommand = defineCommand({
  name: 'keys rotate',
  summary: 'give a KMS key new material',
  usage: 'keys rotate <key>',
  example: 'sealgate keys rotate alias/objects',
  details: 'New data keys are wrapped under the new material; what the old ones wrapped still opens.',
  options: { ...STORE_OPTIONS, ...JSON_OPTION },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [name = ''], values }, io) => {
    const settings = await ownKeySettings(values, io);
    const key = await withKeys(settings, (keys) =>
      keysNamed(keys, name).rotateKey(name, terminalUse(settings, 'keys rotate')),
    );
    io.stdout.write(values.json === true ? formatJson(key) : formatKey(key));
    return EXIT.ok;
  },
});
