/** What `postgres seal` and `unseal` take from the command line: columns, and the role that owns their tables. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatColumnName } from '../../config/column-name.ts';
import type { ColumnRule } from '../../config/column-rules.ts';
import type { PostgresConfig, PostgresServiceConfig } from '../../config/config.ts';
import { nearest } from '../../config/nearest.ts';
import { Secret } from '../../config/secret.ts';
import type { CommandIo, CommandOptions } from '../command.ts';
import { cannotRead, CliError } from '../errors.ts';
import { STORE_OPTIONS } from '../keys/session.ts';
import { DATABASE_OPTIONS } from './database.ts';

export const MOVE_OPTIONS = {
  ...STORE_OPTIONS,
  ...DATABASE_OPTIONS,
  user: { type: 'string', short: 'U', placeholder: 'role', help: 'the owner of the tables, or a superuser; required' },
  'password-file': { type: 'string', placeholder: 'file', help: 'its password (default: $PGPASSWORD)' },
  'lock-timeout': {
    type: 'string',
    placeholder: 'seconds',
    help: 'how long to wait for a table that others use (default: 10)',
  },
  'dry-run': { type: 'boolean', help: 'say what would be done, and what stands in the way; change nothing' },
  abandon: { type: 'boolean', help: 'take an unfinished run back: what it converted is dropped' },
} as const satisfies CommandOptions;

const DEFAULT_LOCK_SECONDS = 10;

/** Milliseconds. */
export function lockTimeout(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LOCK_SECONDS * 1000;
  if (!/^[1-9]\d{0,5}$/u.test(text)) throw new CliError('ERR_CLI_USAGE', '--lock-timeout takes a number of seconds');
  return Number(text) * 1000;
}

/** The rules named: as in the config, with or without the database; a table's name stands for all rules of the table. */
export function namedRules(names: readonly string[], rules: readonly ColumnRule[]): readonly ColumnRule[] {
  const known = rules.map((rule) => {
    const full = formatColumnName(rule);
    const column = full.slice(full.indexOf('.') + 1);
    return { rule, spellings: [full, column, tableOf(full), tableOf(column)] };
  });
  const found = new Set<ColumnRule>();
  for (const name of names) {
    const matching = known.filter(({ spellings }) => spellings.includes(name));
    if (matching.length === 0) {
      const near = nearest(
        name,
        known.map(({ spellings: [full = ''] }) => full),
      );
      const hint = near === undefined ? '' : `; did you mean ${near}?`;
      throw new CliError('ERR_CLI_USAGE', `no rule of the config names ${name}${hint}`);
    }
    for (const { rule } of matching) found.add(rule);
  }
  return [...found];
}

function tableOf(column: string): string {
  return column.replace(/\.(?:"(?:[^"]|"")*"|[^".]*)$/u, '');
}

/** The upstream of the config, as the tables' owner. */
export async function ownerConfig(
  { upstream }: Pick<PostgresConfig, 'upstream'>,
  database: string,
  values: { readonly user: string | undefined; readonly 'password-file': string | undefined },
  io: CommandIo,
): Promise<PostgresServiceConfig> {
  if (values.user === undefined)
    throw new CliError('ERR_CLI_USAGE', '--user is needed: the owner of the tables, or a superuser');
  const password = await passwordOf(values['password-file'], io);
  return { ...upstream, user: values.user, password, database };
}

async function passwordOf(file: string | undefined, { cwd, env }: CommandIo): Promise<Secret | undefined> {
  if (file === undefined) {
    const given = env['PGPASSWORD'];
    return given === undefined ? undefined : new Secret(given);
  }
  try {
    return new Secret((await readFile(resolve(cwd, file), 'utf8')).replace(/\r?\n$/u, ''));
  } catch (cause) {
    throw cannotRead(file, cause);
  }
}
