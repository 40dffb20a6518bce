/** `sealgate keys alias create | update | delete | list` */
import { defineCommand, EXIT } from '../command.ts';
import { formatJson, formatTable } from './format.ts';
import { aliasNameOf, JSON_OPTION, ownKeySettings, STORE_OPTIONS, terminalUse, withKeys } from './session.ts';

export const keysAliasCreateCommand = defineCommand({
  name: 'keys alias create',
  summary: 'give a KMS key another name',
  usage: 'keys alias create <alias> <key>',
  example: 'sealgate keys alias create alias/objects 1234abcd-12ab-34cd-56ef-1234567890ab',
  options: STORE_OPTIONS,
  positionals: { min: 2, max: 2 },
  run: async ({ positionals: [alias = '', keyId = ''], values }, io) => {
    const settings = await ownKeySettings(values, io);
    const request = { aliasName: aliasNameOf(alias), keyId };
    const made = await withKeys(settings, (keys) =>
      keys.createAlias(request, terminalUse(settings, 'keys alias create')),
    );
    io.stdout.write(`${made.aliasName} names ${made.targetKeyId ?? '-'}\n`);
    return EXIT.ok;
  },
});

export const keysAliasUpdateCommand = defineCommand({
  name: 'keys alias update',
  summary: 'point an alias at another KMS key',
  usage: 'keys alias update <alias> <key>',
  example: 'sealgate keys alias update alias/objects 1234abcd-12ab-34cd-56ef-1234567890ab',
  details: 'New data is sealed under the other key; what the first key sealed still opens with it.',
  options: STORE_OPTIONS,
  positionals: { min: 2, max: 2 },
  run: async ({ positionals: [alias = '', keyId = ''], values }, io) => {
    const settings = await ownKeySettings(values, io);
    const request = { aliasName: aliasNameOf(alias), keyId };
    const moved = await withKeys(settings, (keys) =>
      keys.updateAlias(request, terminalUse(settings, 'keys alias update')),
    );
    io.stdout.write(`${moved.aliasName} names ${moved.targetKeyId ?? '-'}\n`);
    return EXIT.ok;
  },
});

export const keysAliasDeleteCommand = defineCommand({
  name: 'keys alias delete',
  summary: 'remove an alias; its KMS key stays',
  usage: 'keys alias delete <alias>',
  example: 'sealgate keys alias delete alias/objects',
  options: STORE_OPTIONS,
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [alias = ''], values }, io) => {
    const settings = await ownKeySettings(values, io);
    const aliasName = aliasNameOf(alias);
    await withKeys(settings, (keys) => keys.deleteAlias(aliasName, terminalUse(settings, 'keys alias delete')));
    io.stdout.write(`removed ${aliasName}\n`);
    return EXIT.ok;
  },
});

export const keysAliasListCommand = defineCommand({
  name: 'keys alias list',
  summary: 'list aliases and the KMS keys they name',
  usage: 'keys alias list [--json]',
  example: 'sealgate keys alias list',
  options: { ...STORE_OPTIONS, ...JSON_OPTION },
  run: async ({ values }, io) => {
    const settings = await ownKeySettings(values, io);
    const aliases = await withKeys(settings, (keys) => keys.listAliases(terminalUse(settings, 'keys alias list')));
    const rows = aliases.map(({ aliasName, targetKeyId, createdAt }) => [
      aliasName,
      targetKeyId ?? '(made on first use)',
      createdAt ?? '-',
    ]);
    io.stdout.write(
      values.json === true ? formatJson(aliases) : formatTable([['ALIAS', 'KEY ID', 'CREATED'], ...rows]),
    );
    return EXIT.ok;
  },
});
