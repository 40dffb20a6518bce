/** `sealgate keys create` */
import { KeysError } from '../../keys/errors.ts';
import type { CreateKeyRequest } from '../../keys/admin/key-admin.ts';
import { isKeySpec, isUsageOf } from '../../keys/key-kinds.ts';
import { defineCommand, EXIT } from '../command.ts';
import { formatJson, formatKey } from './format.ts';
import {
  aliasNameOf,
  JSON_OPTION,
  keysIn,
  ownKeySettings,
  REGION_OPTION,
  STORE_OPTIONS,
  terminalUse,
  withKeys,
} from './session.ts';

export const keysCreateCommand = defineCommand({
  name: 'keys create',
  summary: 'make a KMS key',
  usage:
    'keys create [--alias <name>] [--description <text>] [--spec <spec> [--usage <usage>]] [--multi-region] [--region <region>]',
  example: 'sealgate keys create --alias objects --description "documents bucket"',
  details: 'The key is printed once it is on the disk, has been read back and tried.',
  options: {
    ...STORE_OPTIONS,
    ...JSON_OPTION,
    ...REGION_OPTION,
    alias: { type: 'string', placeholder: 'name', help: 'a name for it: `objects` is `alias/objects`' },
    description: { type: 'string', placeholder: 'text', help: 'what it is for' },
    spec: {
      type: 'string',
      placeholder: 'spec',
      help: 'as AWS KMS names them: RSA_3072, HMAC_256, …; symmetric unless told',
    },
    'multi-region': { type: 'boolean', help: 'it can be replicated into other regions (`keys.otherRegions`)' },
    usage: { type: 'string', placeholder: 'usage', help: 'where the spec has more than one: SIGN_VERIFY, …' },
  },
  run: async ({ values }, io) => {
    const settings = await ownKeySettings(values, io);
    const request = {
      ...(values.alias === undefined ? {} : { alias: aliasNameOf(values.alias) }),
      ...(values.description === undefined ? {} : { description: values.description }),
      multiRegion: values['multi-region'] === true,
      ...kindOf(values),
    };
    const use = terminalUse(settings, 'keys create');
    const key = await withKeys(settings, async (keys) => keysIn(keys, values.region).createKey(request, use));
    io.stdout.write(values.json === true ? formatJson(key) : formatKey(key));
    return EXIT.ok;
  },
});

type KindValues = { readonly spec: string | undefined; readonly usage: string | undefined };

/** ERR_KEYS_INVALID_REQUEST. */
function kindOf({ spec = 'SYMMETRIC_DEFAULT', usage }: KindValues): Pick<CreateKeyRequest, 'spec' | 'usage'> {
  if (!isKeySpec(spec)) throw new KeysError('ERR_KEYS_INVALID_REQUEST', `there are no keys ${spec}`);
  if (usage === undefined) return { spec };
  if (!isUsageOf(spec, usage)) throw new KeysError('ERR_KEYS_INVALID_REQUEST', `a key ${spec} is not for ${usage}`);
  return { spec, usage };
}
