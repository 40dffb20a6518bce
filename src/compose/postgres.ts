/** The Postgres proxy, from the config. */
import { randomBytes } from 'node:crypto';
import { clientTls, serviceOptions, upstreamServer } from '../cli/options/postgres.ts';
import type { ColumnRule } from '../config/column-rules.ts';
import type { PostgresConfig } from '../config/config.ts';
import { postgresPrincipal } from '../config/principals.ts';
import { pooledRandom } from '../crypto/random.ts';
import type { DataKeys } from '../keys/uses/data-keys.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { ReadinessCheck } from '../observe/readiness.ts';
import { createAnalyzer } from '../postgres/analysis/analyzer.ts';
import { escrowOwnerOf } from '../postgres/columns/dek-table.ts';
import { checkDatabase, resolveRules } from '../postgres/columns/resolve.ts';
import { createColumnService } from '../postgres/columns/sealing-service.ts';
import type { ColumnProblem } from '../postgres/service/problem.ts';
import type { ProtectedDatabase, ProxyMetrics } from '../postgres/options.ts';
import { openServiceConnection, type ServiceConnection } from '../postgres/service/connection.ts';
import { ensureSchema } from '../postgres/service/schema.ts';
import { ServerTimeZones } from '../postgres/service/time-zones.ts';
import { startPostgresProxy } from '../postgres/server.ts';
import { connectUpstream } from '../postgres/startup/upstream-connect.ts';
import { listening } from './listening.ts';
import type { StartedPart } from './s3.ts';
import { authenticationOptions } from './verifiers.ts';
import { CliError } from '../cli/errors.ts';

export type ProxyDeps = {
  readonly dataKeys: DataKeys;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Other processes of ours listen on the same port. */
  readonly sharesPorts?: boolean;
};

type OpenDatabase = {
  readonly name: string;
  readonly service: ServiceConnection;
  readonly protected: ProtectedDatabase;
};

/** Errors: ERR_CLI_LISTEN, ERR_CLI_COLUMNS, ERR_POSTGRES_SERVICE_*, those of the keys that rules name. */
export async function startProxy(postgres: PostgresConfig, account: string, deps: ProxyDeps): Promise<StartedPart> {
  for (const { keyId } of postgres.columns) await deps.dataKeys.resolveKey(keyId);
  const databases: OpenDatabase[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all(databases.map(closeDatabase));
  };
  try {
    for (const database of postgres.databases) databases.push(await openDatabase(database, postgres, account, deps));
    const { host } = postgres.listen;
    const tls = clientTls(postgres.listen);
    const proxy = await listening('postgres', postgres.listen, () =>
      startPostgresProxy({
        listen: { host, port: postgres.listen.port, shared: deps.sharesPorts },
        ...(tls === undefined ? {} : { clientTls: tls }),
        upstream: upstreamServer(postgres.upstream),
        authentication: authenticationOptions(postgres, databases[0]?.service, deps.log),
        databases: new Map(databases.map((database) => [database.name, database.protected])),
        logger: deps.log,
        metrics: proxyMetrics(deps.metrics),
      }),
    );
    return {
      listener: { name: 'postgres', host, port: proxy.port, tls: tls !== undefined },
      part: { name: 'postgres', stop: (remainingMs) => proxy.close(remainingMs).then(closeAll) },
      checks: readinessChecks(postgres, databases),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function openDatabase(
  { name, service: serviceConfig, allowRoutines }: PostgresConfig['databases'][number],
  postgres: PostgresConfig,
  account: string,
  { dataKeys, log }: ProxyDeps,
): Promise<OpenDatabase> {
  const service = openServiceConnection(await serviceOptions(serviceConfig));
  const rules = postgres.columns.filter(({ database }) => database === name);
  try {
    const { databaseId } = await ensureSchema(service, randomBytes);
    await refuseBrokenRules(service, rules, name, log);
    const analyzer = await createAnalyzer({
      database: name,
      service,
      rules,
      resolveColumns: () => resolveRules(service, rules, randomBytes),
      allowRoutines,
    });
    const columns = createColumnService({
      connection: service,
      keys: dataKeys,
      random: pooledRandom(),
      databaseId,
      escrowOwner: escrowOwnerOf(name),
      zones: new ServerTimeZones(service),
      principalOf: (role) => postgresPrincipal(account, name, role),
    });
    return { name, service, protected: { analyzer, columns } };
  } catch (error) {
    await service.close();
    throw error;
  }
}

/**
 * A rule that does not hold is an error at start, never at request time; but for one whose table or column is yet to come, with the
 * application's migrations through the proxy.
 */
async function refuseBrokenRules(
  service: ServiceConnection,
  rules: readonly ColumnRule[],
  database: string,
  log: Log,
): Promise<void> {
  const { problems } = await checkDatabase(service, rules, randomBytes);
  const isBroken = ({ severity, awaited }: ColumnProblem): boolean => severity === 'error' && awaited !== true;
  const broken = problems.filter(isBroken);
  for (const { code, column, message } of problems.filter((problem) => !isBroken(problem)))
    log.warn({ code, database, column }, message);
  if (broken.length === 0) return;
  const lines = broken.map(({ code, column, message }) => `  ${database}.${column}: ${message} (${code})`);
  throw new CliError(
    'ERR_CLI_COLUMNS',
    [`${broken.length} column rule(s) do not fit the database:`, ...lines].join('\n'),
  );
}

async function closeDatabase({ service, protected: { analyzer } }: OpenDatabase): Promise<void> {
  analyzer.close();
  await service.close();
}

function readinessChecks({ upstream }: PostgresConfig, databases: readonly OpenDatabase[]): readonly ReadinessCheck[] {
  const server = upstreamServer(upstream);
  return [
    { name: 'postgres upstream', check: async () => (await connectUpstream(server)).socket.destroy() },
    ...databases.map(({ name, service }) => ({
      name: `postgres database ${name}`,
      check: () => service.query('SELECT 1'),
    })),
  ];
}

function proxyMetrics(metrics: Metrics): ProxyMetrics {
  return {
    connectionOpened: () => {
      metrics.connections('postgres', 1);
    },
    connectionClosed: () => {
      metrics.connections('postgres', -1);
    },
    statement: (outcome) => {
      metrics.statement(outcome);
    },
    valuesSealed: (count) => {
      metrics.values('sealed', count);
    },
    valuesOpened: (count) => {
      metrics.values('opened', count);
    },
    failed: (code) => {
      metrics.refused('postgres', code);
    },
  };
}
