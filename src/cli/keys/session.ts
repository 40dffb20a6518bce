/** What the `keys` commands share: the store that the config names, and who is using it. */
import { userInfo } from 'node:os';
import type { KeysConfig } from '../../config/config.ts';
import { regionOfArn } from '../../keys/arn.ts';
import type { KeyUse } from '../../keys/uses/data-keys.ts';
import { KeysError } from '../../keys/errors.ts';
import type { KeyManager } from '../../keys/key-manager.ts';
import type { KeyManagerOptions } from '../../keys/options.ts';
import type { RegionKeys } from '../../keys/regions/region-keys.ts';
import { CONFIG_OPTION, type CommandIo, type CommandOptions } from '../command.ts';
import { loadCommandConfig } from '../load.ts';
import { keyManagerOptions, keyPorts } from '../options/keys.ts';
import { remotePorts } from '../options/remote-keys.ts';

/** Options of every command that opens the store. */
export const STORE_OPTIONS = {
  ...CONFIG_OPTION,
  'accept-rollback': { type: 'boolean', help: 'open a store older than its epoch file, and take it as the newest' },
  'accept-audit-gap': {
    type: 'boolean',
    help: 'go on though the end of the audit log is missing; the gap is recorded',
  },
} as const satisfies CommandOptions;

export const JSON_OPTION = {
  json: { type: 'boolean', help: 'print JSON, for programs' },
} as const satisfies CommandOptions;

export const REGION_OPTION = {
  region: {
    type: 'string',
    placeholder: 'region',
    help: 'one of `keys.otherRegions`; `keys.region` unless told here or by an ARN',
  },
} as const satisfies CommandOptions;

type StoreValues = {
  readonly config: string | undefined;
  readonly 'accept-rollback'?: boolean | undefined;
  readonly 'accept-audit-gap'?: boolean | undefined;
};

export type KeySettings = { readonly config: KeysConfig; readonly options: KeyManagerOptions };

/** The config's `keys` section alone, as the key manager takes it. */
export async function keySettings(values: StoreValues, io: CommandIo): Promise<KeySettings> {
  const { keys } = await loadCommandConfig(values.config, io, { only: 'keys' });
  const accept = {
    acceptRollback: values['accept-rollback'] === true,
    acceptAuditGap: values['accept-audit-gap'] === true,
  };
  return { config: keys, options: keyManagerOptions(keys, accept) };
}

/** The same for what is about KMS keys. Errors: ERR_KEYS_ELSEWHERE where they are not in this store. */
export async function ownKeySettings(values: StoreValues, io: CommandIo): Promise<KeySettings> {
  const settings = await keySettings(values, io);
  const { remote } = settings.config;
  if (remote !== undefined) throw new KeysError('ERR_KEYS_ELSEWHERE', `the keys are managed by ${remote.endpoint}`);
  return settings;
}

/** The person at the terminal, as the audit log names them. */
export function terminalUse({ config }: KeySettings, resource: string): KeyUse {
  return { principal: `arn:aws:iam::${config.account}:user/local/${userName()}`, via: 'cli', resource };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user often has no name.
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** Opens the store as its owner for one piece of work. */
export async function withKeys<Result>(
  settings: KeySettings,
  work: (keys: KeyManager) => Promise<Result>,
): Promise<Result> {
  const { openKeyManager } = await import('../../keys/key-manager.ts');
  const manager = await openKeyManager(settings.options, { ...keyPorts(), ...(await remotePorts(settings.config)) });
  try {
    return await work(manager);
  } finally {
    await manager.close();
  }
}

/** As owner, or beside a running owner where the work allows it. */
export async function withKeysOrBeside<Result>(
  settings: KeySettings,
  work: (keys: KeyManager) => Promise<Result>,
  beside: () => Promise<Result>,
): Promise<Result> {
  try {
    return await withKeys(settings, work);
  } catch (error) {
    if (error instanceof KeysError && error.code === 'ERR_KEYS_STORE_IN_USE') return beside();
    throw error;
  }
}

/** The keys of the region that an ARN names; of the home region for every other name. */
export function keysNamed(keys: KeyManager, name: string): RegionKeys {
  return keys.inRegion(regionOfArn(name) ?? '') ?? keys;
}

/** The keys of the region that is told, or else of the first that a name tells; ERR_KEYS_INVALID_REQUEST for one that is not served. */
export function keysIn(keys: KeyManager, told: string | undefined, names: readonly string[] = []): RegionKeys {
  const region = told ?? names.map(regionOfArn).find((one) => one !== undefined) ?? keys.regions[0] ?? '';
  const found = keys.inRegion(region);
  if (found !== undefined) return found;
  throw new KeysError(
    'ERR_KEYS_INVALID_REQUEST',
    `the region ${region} is none of keys.region and keys.otherRegions (${keys.regions.join(', ')})`,
  );
}

/** `objects` on a command line is `alias/objects`, and an alias’s ARN the alias of its region. */
export function aliasNameOf(text: string): string {
  const name = regionOfArn(text) === undefined ? text : text.slice(text.indexOf(':alias/') + 1);
  return name.startsWith('alias/') ? name : `alias/${name}`;
}
