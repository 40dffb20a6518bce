/** Checks of section `postgres`: each database with rules against its live catalog, and the DDL that mends it. */
import { randomBytes } from 'node:crypto';
import type { PostgresConfig, PostgresServiceConfig } from '../../config/config.ts';
import { SealgateError } from '../../errors.ts';
import { checkDatabase } from '../../postgres/columns/resolve.ts';
import { openServiceConnection, type ServiceConnection } from '../../postgres/service/connection.ts';
import { ServiceError } from '../../postgres/service/errors.ts';
import { quoteIdentifier, SEALGATE_SCHEMA } from '../../postgres/service/names.ts';
import { ensureSchema } from '../../postgres/service/schema.ts';
import { connectUpstream } from '../../postgres/startup/upstream-connect.ts';
import { serviceOptions, upstreamServer } from '../options/postgres.ts';
import type { CheckFinding } from './report.ts';

export async function checkPostgres(postgres: PostgresConfig): Promise<readonly CheckFinding[]> {
  const findings: CheckFinding[] = [await checkUpstream(postgres)];
  for (const { name, service } of postgres.databases) {
    const connection = openServiceConnection(await serviceOptions(service));
    try {
      findings.push(...(await checkOne(name, service, postgres, connection)));
    } finally {
      await connection.close();
    }
  }
  return findings;
}

async function checkUpstream({ upstream }: PostgresConfig): Promise<CheckFinding> {
  const about = `postgres upstream ${upstream.host}:${upstream.port}`;
  try {
    const { socket, encrypted } = await connectUpstream(upstreamServer(upstream));
    socket.destroy();
    return { type: 'ok', about, message: encrypted ? 'answers, with TLS' : 'answers, without TLS' };
  } catch (error) {
    return unreachable(about, error);
  }
}

function unreachable(about: string, error: unknown): CheckFinding {
  if (!(error instanceof SealgateError)) throw error;
  return {
    type: 'unreachable',
    about,
    message: `${error.message} (${String(error.code)})`,
    fix: 'try the same address, user and TLS mode with psql from this machine',
  };
}

async function checkOne(
  name: string,
  service: PostgresServiceConfig,
  postgres: PostgresConfig,
  connection: ServiceConnection,
): Promise<readonly CheckFinding[]> {
  const about = `database ${name}`;
  try {
    await ensureSchema(connection, randomBytes);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    if (error.code === 'ERR_POSTGRES_SERVICE_UNREACHABLE') return [unreachable(about, error)];
    return [schemaFinding(about, name, service, error)];
  }
  const rules = postgres.columns.filter(({ database }) => database === name);
  const { columns, problems } = await checkDatabase(connection, rules, randomBytes);
  const sealed: CheckFinding = {
    type: 'ok',
    about,
    message: `${columns.length} of ${rules.length} column rule(s) hold`,
  };
  return [
    ...(columns.length > 0 || rules.length === 0 ? [sealed] : []),
    ...problems.map(({ code, severity, column, message, ddl }): CheckFinding => {
      const place = `${name}.${column}`;
      if (severity === 'warning') return { type: 'note', about: place, message: `${message} (${code})` };
      return {
        type: 'missing',
        about: place,
        message: `${message} (${code})`,
        ...(ddl.length === 0 ? {} : { ddl: { database: name, statements: ddl } }),
      };
    }),
  ];
}

/** insufficient_privilege: a superuser or the database's owner makes the schema for the service role. */
function schemaFinding(
  about: string,
  database: string,
  { user }: PostgresServiceConfig,
  error: ServiceError,
): CheckFinding {
  const message = `${error.message} (${String(error.code)})`;
  if (error.sqlstate !== '42501') return { type: 'missing', about, message };
  const statements = [
    `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(SEALGATE_SCHEMA)} AUTHORIZATION ${quoteIdentifier(user)};`,
  ];
  return {
    type: 'missing',
    about,
    message: `the service role may not make its schema: ${message}`,
    fix: 'run this as a superuser, then check again',
    ddl: { database, statements },
  };
}
