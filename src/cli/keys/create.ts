/** `sealgate keys create` */
import { defineCommand, EXIT } from '../command.ts';
import { formatJson, formatKey } from './format.ts';
import { aliasNameOf, JSON_OPTION, ownKeySettings, STORE_OPTIONS, terminalUse, withKeys } from './session.ts';

export const keysCreateCommand = defineCommand({
  name: 'keys create',
  summary: 'make a KMS key',
  usage: 'keys create [--alias <name>] [--description <text>]',
  example: 'sealgate keys create --alias objects --description "documents bucket"',
  details: 'The key is printed once it is on the disk, has been read back and tried.',
  options: {
    ...STORE_OPTIONS,
    ...JSON_OPTION,
    alias: { type: 'string', placeholder: 'name', help: 'a name for it: `objects` is `alias/objects`' },
    description: { type: 'string', placeholder: 'text', help: 'what it is for' },
  },
  run: async ({ values }, io) => {
    const settings = await ownKeySettings(values, io);
    const request = {
      ...(values.alias === undefined ? {} : { alias: aliasNameOf(values.alias) }),
      ...(values.description === undefined ? {} : { description: values.description }),
    };
    const key = await withKeys(settings, (keys) => keys.createKey(request, terminalUse(settings, 'keys create')));
    io.stdout.write(values.json === true ? formatJson(key) : formatKey(key));
    return EXIT.ok;
  },
});
