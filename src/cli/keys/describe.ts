/** `sealgate keys describe` */
import { parseKeyReference, regionOfArn } from '../../keys/arn.ts';
import { KeysError } from '../../keys/errors.ts';
import type { KeyDescription } from '../../keys/admin/key-admin.ts';
import { defineCommand, EXIT } from '../command.ts';
import { formatJson, formatKey } from './format.ts';
import {
  JSON_OPTION,
  keysNamed,
  ownKeySettings,
  STORE_OPTIONS,
  terminalUse,
  withKeysOrBeside,
  type KeySettings,
} from './session.ts';

export const keysDescribeCommand = defineCommand({
  name: 'keys describe',
  summary: 'show one KMS key with its materials',
  usage: 'keys describe <key> [--json]',
  example: 'sealgate keys describe alias/objects',
  details:
    'A key is named by its id, its ARN, `alias/<name>` or the alias’s ARN; one of another region than `keys.region` by an ARN. Works beside a running `sealgate up`.',
  options: { ...STORE_OPTIONS, ...JSON_OPTION },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [name = ''], values }, io) => {
    const settings = await ownKeySettings(values, io);
    const key = await withKeysOrBeside(
      settings,
      (keys) => keysNamed(keys, name).describeKey(name, terminalUse(settings, 'keys describe')),
      () => describeBeside(name, settings),
    );
    io.stdout.write(values.json === true ? formatJson(key) : formatKey(key));
    return EXIT.ok;
  },
});

async function describeBeside(name: string, { options }: KeySettings): Promise<KeyDescription> {
  const { readKeys } = await import('../../keys/offline.ts');
  const { otherRegions = [], account } = options;
  const named = regionOfArn(name) ?? options.region;
  const region = otherRegions.includes(named) ? named : options.region;
  const reference = parseKeyReference(name, { region, account });
  const found = (await readKeys(options, Date.now, 'every')).find(
    (key) =>
      regionOfArn(key.arn) === region &&
      (reference.type === 'key' ? key.keyId === reference.keyId : key.aliases.includes(reference.aliasName)),
  );
  if (found === undefined) throw new KeysError('ERR_KEYS_NOT_FOUND', `${name} does not exist`);
  return found;
}
