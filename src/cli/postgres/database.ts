/** The database that a `postgres` command works on: of the config, by name where there are several. */
import { randomBytes } from 'node:crypto';
import type { ColumnRule } from '../../config/column-rules.ts';
import type { Config, PostgresConfig } from '../../config/config.ts';
import type { ServiceConnection } from '../../postgres/service/connection.ts';
import { CONFIG_OPTION, type CommandIo, type CommandOptions } from '../command.ts';
import { CliError } from '../errors.ts';
import { loadCommandConfig } from '../load.ts';

export const DATABASE_OPTIONS = {
  ...CONFIG_OPTION,
  database: {
    type: 'string',
    placeholder: 'name',
    help: 'which of `postgres.databases`; needed where there are several',
  },
} as const satisfies CommandOptions;

export type ChosenDatabase = {
  readonly config: Config;
  readonly postgres: PostgresConfig;
  readonly database: PostgresConfig['databases'][number];
  readonly rules: readonly ColumnRule[];
};

/** Errors: ERR_CONFIG_*, ERR_CLI_USAGE. */
export async function chooseDatabase(
  values: { readonly config: string | undefined; readonly database: string | undefined },
  io: CommandIo,
): Promise<ChosenDatabase> {
  const config = await loadCommandConfig(values.config, io);
  const { postgres } = config;
  const { databases = [], columns = [] } = postgres ?? {};
  const [only, ...others] = databases;
  const database = values.database === undefined ? only : databases.find(({ name }) => name === values.database);
  if (values.database === undefined && others.length > 0)
    throw new CliError('ERR_CLI_USAGE', `--database is needed: one of ${databases.map(({ name }) => name).join(', ')}`);
  if (postgres === undefined || database === undefined)
    throw new CliError('ERR_CLI_USAGE', `${config.file} names no such database in postgres.databases`);
  return { config, postgres, database, rules: columns.filter((rule) => rule.database === database.name) };
}

/** The service connection, with schema `sealgate` made or verified. */
export async function withService<Result>(
  { database }: Pick<ChosenDatabase, 'database'>,
  work: (connection: ServiceConnection, databaseId: string) => Promise<Result>,
): Promise<Result> {
  const [{ serviceOptions }, { openServiceConnection }, { ensureSchema }] = await Promise.all([
    import('../options/postgres.ts'),
    import('../../postgres/service/connection.ts'),
    import('../../postgres/service/schema.ts'),
  ]);
  const connection = openServiceConnection(await serviceOptions(database.service));
  try {
    const { databaseId } = await ensureSchema(connection, randomBytes);
    return await work(connection, databaseId);
  } finally {
    await connection.close();
  }
}
