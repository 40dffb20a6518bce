/** What the commands have in common that change a material's state. */
import type { KeyUse } from '../../keys/uses/data-keys.ts';
import type { KeyDescription } from '../../keys/admin/key-admin.ts';
import type { MaterialChange } from '../../keys/life/key-materials.ts';
import type { RegionKeys } from '../../keys/regions/region-keys.ts';
import { EXIT, type CommandIo, type CommandOptions } from '../command.ts';
import { CliError } from '../errors.ts';
import { formatJson, formatKey } from './format.ts';
import { JSON_OPTION, keysNamed, ownKeySettings, STORE_OPTIONS, terminalUse, withKeys } from './session.ts';

export const MATERIAL_OPTIONS = {
  ...STORE_OPTIONS,
  reason: { type: 'string', placeholder: 'text', help: 'why; kept in the material’s history and the audit trail' },
  material: {
    type: 'string',
    placeholder: 'id or version',
    help: 'which of the key’s materials (default: the current one)',
  },
  ...JSON_OPTION,
} as const satisfies CommandOptions;

type Asked = {
  readonly positionals: readonly string[];
  readonly values: {
    readonly config: string | undefined;
    readonly reason?: string | undefined;
    readonly material?: string | undefined;
    readonly json?: boolean | undefined;
  };
};

export async function changeMaterial(
  command: string,
  { positionals: [keyId = ''], values }: Asked,
  io: CommandIo,
  change: (keys: RegionKeys, change: MaterialChange, use: KeyUse) => Promise<KeyDescription>,
): Promise<number> {
  const { reason, material } = values;
  if (reason === undefined) throw new CliError('ERR_CLI_USAGE', `${command}: --reason says why; it is kept on record`);
  const settings = await ownKeySettings(values, io);
  const key = await withKeys(settings, (keys) =>
    change(keysNamed(keys, keyId), { keyId, material, reason }, terminalUse(settings, command)),
  );
  io.stdout.write(values.json === true ? formatJson(key) : formatKey(key));
  return EXIT.ok;
}
