/** `sealgate keys alias create | update | delete | list` */
import { regionOfArn } from '../../keys/arn.ts';
import type { AliasDescription } from '../../keys/admin/key-admin.ts';
import type { KeyManager } from '../../keys/key-manager.ts';
import type { KeyUse } from '../../keys/uses/data-keys.ts';
import { defineCommand, EXIT } from '../command.ts';
import { formatJson, formatTable } from './format.ts';
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

const OF_A_REGION = 'An alias and its key are in one region: that of --region or of an ARN, or else `keys.region`.';

export const keysAliasCreateCommand = defineCommand({
  name: 'keys alias create',
  summary: 'give a KMS key another name',
  usage: 'keys alias create <alias> <key> [--region <region>]',
  example: 'sealgate keys alias create alias/objects 1234abcd-12ab-34cd-56ef-1234567890ab',
  details: OF_A_REGION,
  options: { ...STORE_OPTIONS, ...REGION_OPTION },
  positionals: { min: 2, max: 2 },
  run: async ({ positionals: [alias = '', keyId = ''], values }, io) => {
    const settings = await ownKeySettings(values, io);
    const request = { aliasName: aliasNameOf(alias), keyId };
    const use = terminalUse(settings, 'keys alias create');
    const made = await withKeys(settings, async (keys) =>
      keysIn(keys, values.region, [alias, keyId]).createAlias(request, use),
    );
    io.stdout.write(`${made.aliasName} names ${made.targetKeyId ?? '-'}\n`);
    return EXIT.ok;
  },
});

export const keysAliasUpdateCommand = defineCommand({
  name: 'keys alias update',
  summary: 'point an alias at another KMS key',
  usage: 'keys alias update <alias> <key> [--region <region>]',
  example: 'sealgate keys alias update alias/objects 1234abcd-12ab-34cd-56ef-1234567890ab',
  details: `New data is sealed under the other key; what the first key sealed still opens with it. ${OF_A_REGION}`,
  options: { ...STORE_OPTIONS, ...REGION_OPTION },
  positionals: { min: 2, max: 2 },
  run: async ({ positionals: [alias = '', keyId = ''], values }, io) => {
    const settings = await ownKeySettings(values, io);
    const request = { aliasName: aliasNameOf(alias), keyId };
    const use = terminalUse(settings, 'keys alias update');
    const moved = await withKeys(settings, async (keys) =>
      keysIn(keys, values.region, [alias, keyId]).updateAlias(request, use),
    );
    io.stdout.write(`${moved.aliasName} names ${moved.targetKeyId ?? '-'}\n`);
    return EXIT.ok;
  },
});

export const keysAliasDeleteCommand = defineCommand({
  name: 'keys alias delete',
  summary: 'remove an alias; its KMS key stays',
  usage: 'keys alias delete <alias> [--region <region>]',
  example: 'sealgate keys alias delete alias/objects',
  options: { ...STORE_OPTIONS, ...REGION_OPTION },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [alias = ''], values }, io) => {
    const settings = await ownKeySettings(values, io);
    const aliasName = aliasNameOf(alias);
    const use = terminalUse(settings, 'keys alias delete');
    await withKeys(settings, async (keys) => keysIn(keys, values.region, [alias]).deleteAlias(aliasName, use));
    io.stdout.write(`removed ${aliasName}\n`);
    return EXIT.ok;
  },
});

export const keysAliasListCommand = defineCommand({
  name: 'keys alias list',
  summary: 'list aliases and the KMS keys they name',
  usage: 'keys alias list [--region <region>] [--json]',
  example: 'sealgate keys alias list',
  details: 'Of every region, or of the one that is told.',
  options: { ...STORE_OPTIONS, ...JSON_OPTION, ...REGION_OPTION },
  run: async ({ values }, io) => {
    const settings = await ownKeySettings(values, io);
    const use = terminalUse(settings, 'keys alias list');
    const aliases = await withKeys(settings, (keys) => listed(keys, values.region, use));
    io.stdout.write(values.json === true ? formatJson(aliases) : formatAliases(aliases));
    return EXIT.ok;
  },
});

async function listed(keys: KeyManager, told: string | undefined, use: KeyUse): Promise<readonly AliasDescription[]> {
  const found: AliasDescription[] = [];
  for (const region of told === undefined ? keys.regions : [told])
    found.push(...(await keysIn(keys, region).listAliases(use)));
  return found;
}

function formatAliases(aliases: readonly AliasDescription[]): string {
  const regions = new Set(aliases.map(({ aliasArn }) => regionOfArn(aliasArn)));
  const named = (text: string): readonly string[] => (regions.size > 1 ? [text] : []);
  const rows = aliases.map(({ aliasName, aliasArn, targetKeyId, createdAt }) => [
    aliasName,
    ...named(regionOfArn(aliasArn) ?? ''),
    targetKeyId ?? '(made on first use)',
    createdAt ?? '-',
  ]);
  return formatTable([['ALIAS', ...named('REGION'), 'KEY ID', 'CREATED'], ...rows]);
}
