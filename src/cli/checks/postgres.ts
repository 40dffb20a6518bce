/** Checks of section `postgres`: each database with rules against its live catalog, and the DDL that mends it. */
import { randomBytes } from 'node:crypto';
import type { ColumnRule } from '../../config/column-rules.ts';
import type { PostgresConfig, PostgresServerConfig, PostgresServiceConfig } from '../../config/config.ts';
import { SealgateError } from '../../errors.ts';
import type { DataKeys } from '../../keys/uses/data-keys.ts';
import { rebindColumns } from '../../postgres/columns/rebind.ts';
import { checkDatabase, unruledColumns } from '../../postgres/columns/resolve.ts';
import { poolingAt } from '../../postgres/service/pooling.ts';
import { openServiceConnection, type ServiceConnection } from '../../postgres/service/connection.ts';
import { ServiceError } from '../../postgres/service/errors.ts';
import { quoteIdentifier } from '../../postgres/service/names.ts';
import { ensureSchema } from '../../postgres/service/schema.ts';
import { poolingMessage, upstreamOf } from '../options/pooling.ts';
import { UpstreamServers } from '../../postgres/startup/upstream-servers.ts';
import { loginsAt, serviceOptions, upstreamServers } from '../options/postgres.ts';
import type { CheckFinding } from './report.ts';

/** Binds ruled columns anew to the identity their values were sealed under; undefined: only look. */
export type Rebind = { readonly keys: DataKeys; readonly principal: string };

export async function checkPostgres(postgres: PostgresConfig, rebind?: Rebind): Promise<readonly CheckFinding[]> {
  const findings: CheckFinding[] = [...(await checkUpstreams(postgres))];
  for (const { name, service } of postgres.databases) {
    findings.push(...(await checkPooling(name, service, postgres)));
    const connection = openServiceConnection(await serviceOptions(service));
    try {
      findings.push(...(await checkOne({ name, service }, postgres, connection, rebind)));
    } finally {
      await connection.close();
    }
  }
  return findings;
}

/** Each server by itself: that one of several is down shows here, not at the next failover. */
async function checkUpstreams({ upstream, routes }: PostgresConfig): Promise<readonly CheckFinding[]> {
  const all = [upstream, ...routes.map(({ upstream: elsewhere }) => elsewhere)];
  const each = all.flatMap((one) =>
    one.servers.map((server) => ({ ...one, servers: [server], target: 'any' as const })),
  );
  return Promise.all(each.map(checkUpstream));
}

async function checkUpstream(upstream: PostgresServerConfig): Promise<CheckFinding> {
  const [{ host, port } = { host: '', port: 0 }] = upstream.servers;
  const about = `postgres upstream ${host}:${port}`;
  try {
    const { socket, encrypted } = await new UpstreamServers(upstreamServers(upstream)).connect();
    socket.destroy();
    return { type: 'ok', about, message: encrypted ? 'answers, with TLS' : 'answers, without TLS' };
  } catch (error) {
    return unreachable(about, error);
  }
}

/** The proxy does not start in front of one; elsewhere there is nothing to say. */
async function checkPooling(
  name: string,
  service: PostgresServiceConfig,
  postgres: PostgresConfig,
): Promise<readonly CheckFinding[]> {
  const pooling = await poolingAt(loginsAt(upstreamOf(postgres, name), service));
  if (pooling.type !== 'transactions') return [];
  const message = `${poolingMessage(name)} (ERR_POSTGRES_TRANSACTION_POOLING)`;
  return [{ type: 'missing', about: `database ${name}`, message }];
}

function unreachable(
  about: string,
  error: unknown,
  fix = 'try the same address, user and TLS mode with psql from this machine',
): CheckFinding {
  if (!(error instanceof SealgateError)) throw error;
  return { type: 'unreachable', about, message: `${error.message} (${String(error.code)})`, fix };
}

/** Most often the role or the database has yet to be made. */
function loginFix({ sqlstate }: ServiceError, database: string, { user }: PostgresServiceConfig): string | undefined {
  // invalid_password, invalid_authorization_specification
  if (sqlstate === '28P01' || sqlstate === '28000')
    return `make the role at the server, or mend its password: CREATE ROLE ${quoteIdentifier(user)} LOGIN PASSWORD '…';`;
  // invalid_catalog_name
  return sqlstate === '3D000'
    ? `make the database at the server: CREATE DATABASE ${quoteIdentifier(database)};`
    : undefined;
}

async function checkOne(
  { name, service }: Pick<PostgresConfig['databases'][number], 'name' | 'service'>,
  postgres: PostgresConfig,
  connection: ServiceConnection,
  rebind: Rebind | undefined,
): Promise<readonly CheckFinding[]> {
  const about = `database ${name}`;
  try {
    await ensureSchema(connection, randomBytes);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    if (error.code === 'ERR_POSTGRES_SERVICE_UNREACHABLE')
      return [unreachable(about, error, loginFix(error, name, service))];
    return [schemaFinding(about, name, service, error)];
  }
  const rules = postgres.columns.filter(({ database }) => database === name);
  const rebound = rebind === undefined ? [] : await rebindAll(name, rules, connection, rebind);
  const { columns, problems } = await checkDatabase(connection, rules, randomBytes);
  const sealed: CheckFinding = {
    type: 'ok',
    about,
    message: `${columns.length} of ${rules.length} column rule(s) hold`,
  };
  return [
    ...rebound,
    ...(columns.length > 0 || rules.length === 0 ? [sealed] : []),
    ...[...problems, ...(await unruledColumns(connection, rules))].map(
      ({ code, severity, column, message, ddl }): CheckFinding => {
        const place = `${name}.${column}`;
        if (severity === 'warning') return { type: 'note', about: place, message: `${message} (${code})` };
        return {
          type: 'missing',
          about: place,
          message: `${message} (${code})`,
          ...(ddl.length === 0 ? {} : { ddl: { database: name, statements: ddl } }),
        };
      },
    ),
  ];
}

async function rebindAll(
  database: string,
  rules: readonly ColumnRule[],
  connection: ServiceConnection,
  rebind: Rebind,
): Promise<readonly CheckFinding[]> {
  try {
    const outcomes = await rebindColumns({ connection, random: randomBytes, ...rebind }, rules);
    return outcomes.map(({ column, outcome }) => ({
      type: 'note',
      about: `${database}.${column}`,
      message: `rebind: ${outcome}`,
    }));
  } catch (error) {
    if (!(error instanceof SealgateError)) throw error;
    const message = `rebind: ${error.message} (${String(error.code)}); nothing was changed`;
    return [{ type: 'missing', about: `database ${database}`, message }];
  }
}

/** What the service role lacks, a superuser or the database's owner gives it. */
function schemaFinding(
  about: string,
  database: string,
  { user }: PostgresServiceConfig,
  error: ServiceError,
): CheckFinding {
  const message = `${error.message} (${String(error.code)})`;
  if (error.code !== 'ERR_POSTGRES_SERVICE_RIGHTS') return { type: 'missing', about, message };
  const statements = [`GRANT CREATE ON DATABASE ${quoteIdentifier(database)} TO ${quoteIdentifier(user)};`];
  return {
    type: 'missing',
    about,
    message,
    fix: 'run this as the owner of the database or a superuser, then check again',
    ddl: { database, statements },
  };
}
