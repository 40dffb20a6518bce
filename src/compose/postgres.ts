/** The Postgres proxy, from the config. */
import { randomBytes } from 'node:crypto';
import { certificateLogins, clientTls, serviceOptions, upstreamServers } from '../cli/options/postgres.ts';
import type { TlsNow } from '../cli/options/peer-tls.ts';
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
import { checkDatabase, unruledColumns } from '../postgres/columns/resolve.ts';
import { resolveWithin } from '../postgres/columns/resolve-within.ts';
import { createColumnService } from '../postgres/columns/sealing-service.ts';
import type { ColumnProblem } from '../postgres/service/problem.ts';
import type { ProtectedDatabase, ProxyMetrics, UpstreamOptions } from '../postgres/options.ts';
import { openServiceConnection, type ServiceConnection } from '../postgres/service/connection.ts';
import { ensureSchema } from '../postgres/service/schema.ts';
import { ServerTimeZones } from '../postgres/service/time-zones.ts';
import { startPostgresProxy } from '../postgres/server.ts';
import { UpstreamServers } from '../postgres/startup/upstream-servers.ts';
import { renewing } from './certificate-renewal.ts';
import { driftReporter } from './column-drift.ts';
import { ofListener } from './listener-certificates.ts';
import { listening } from './listening.ts';
import { refusePooling } from '../cli/options/pooling.ts';
import type { StartedPart } from './s3.ts';
import { authenticationOptions } from './verifiers.ts';
import { CliError } from '../cli/errors.ts';
import { formatColumnName } from '../config/column-name.ts';
import { requireRuleKeys } from './rule-keys.ts';

export type ProxyDeps = {
  readonly dataKeys: DataKeys;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What the proxy connects with. */
  readonly tlsNow: TlsNow;
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
  await requireRuleKeys(
    deps.dataKeys,
    postgres.columns.map((column) => ({ keyId: column.keyId, rule: `column ${formatColumnName(column)}` })),
  );
  const databases: OpenDatabase[] = [];
  let verifierService: ServiceConnection | undefined;
  const closeAll = async (): Promise<void> => {
    await Promise.all([...databases.map(closeDatabase), verifierService?.close()]);
  };
  try {
    for (const database of postgres.databases) databases.push(await openDatabase(database, postgres, account, deps));
    const { host, port, socket, tls } = postgres.listen;
    const { upstream, routes } = upstreamsOf(postgres, deps.tlsNow);
    verifierService =
      postgres.verifiers && openServiceConnection(await serviceOptions(postgres.verifiers.service, deps.tlsNow));
    const proxy = await listening('postgres', { host: host ?? socket ?? '', port }, () =>
      startPostgresProxy({
        listen: { host, port, socket, shared: deps.sharesPorts },
        ...(tls === undefined ? {} : { clientTls: clientTls(tls) }),
        upstream,
        routes,
        authentication: authenticationOptions(postgres, verifierService ?? databases[0]?.service, deps.log),
        certificates: certificateLogins(postgres),
        replication: postgres.replication,
        databases: new Map(databases.map((database) => [database.name, database.protected])),
        logger: deps.log,
        metrics: proxyMetrics(deps.metrics),
      }),
    );
    const stopRenewing =
      tls &&
      renewing(
        ofListener('postgres', tls, deps.log, (now) => proxy.renew(clientTls({ ...now, required: tls.required }))),
      );
    return {
      listener: { name: 'postgres', host: proxy.host, port: proxy.port, tls: tls !== undefined },
      part: {
        name: 'postgres',
        stop: (remainingMs) => {
          stopRenewing?.();
          return proxy.close(remainingMs).then(closeAll);
        },
      },
      checks: readinessChecks(upstream, databases),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function openDatabase(
  { name, service: serviceConfig, allowRoutines, catalog }: PostgresConfig['databases'][number],
  postgres: PostgresConfig,
  account: string,
  { dataKeys, log, tlsNow }: ProxyDeps,
): Promise<OpenDatabase> {
  await refusePooling(name, serviceConfig, postgres, log);
  const service = openServiceConnection(await serviceOptions(serviceConfig, tlsNow));
  const rules = postgres.columns.filter(({ database }) => database === name);
  try {
    const { databaseId } = await ensureSchema(service, randomBytes);
    const report = driftReporter(name, log, await refuseBrokenRules(service, rules, name, log));
    const analyzer = await createAnalyzer({
      database: name,
      service,
      rules,
      resolveColumns: async () => {
        const { columns, problems } = await checkDatabase(service, rules, randomBytes);
        report([...problems, ...(await unruledColumns(service, rules))]);
        return columns;
      },
      resolveWithin: (questions, mayComeBack) => resolveWithin(questions, service, rules, randomBytes, mayComeBack),
      allowRoutines,
      catalogTypes: catalog,
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
): Promise<readonly ColumnProblem[]> {
  const { problems: ofRules } = await checkDatabase(service, rules, randomBytes);
  const problems = [...ofRules, ...(await unruledColumns(service, rules))];
  const isBroken = ({ severity, awaited }: ColumnProblem): boolean => severity === 'error' && awaited !== true;
  const broken = problems.filter(isBroken);
  for (const { code, column, message } of problems.filter((problem) => !isBroken(problem)))
    log.warn({ code, database, column }, message);
  if (broken.length === 0) return problems;
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

/** Of each upstream, and who asks its servers what they are. */
function upstreamsOf(
  { upstream, routes, databases, verifiers }: PostgresConfig,
  tlsNow: TlsNow,
): {
  readonly upstream: UpstreamOptions;
  readonly routes: ReadonlyMap<string, UpstreamOptions>;
} {
  const routed = new Set(routes.map(({ database }) => database));
  const usual = databases.find(({ name }) => !routed.has(name))?.service ?? verifiers?.service;
  const own = (database: string) => databases.find(({ name }) => name === database)?.service;
  return {
    upstream: upstreamServers(upstream, usual ?? databases[0]?.service, tlsNow),
    routes: new Map(
      routes.map(({ database, upstream: elsewhere }) => [database, upstreamServers(elsewhere, own(database), tlsNow)]),
    ),
  };
}

function readinessChecks(upstream: UpstreamOptions, databases: readonly OpenDatabase[]): readonly ReadinessCheck[] {
  const servers = new UpstreamServers(upstream);
  return [
    { name: 'postgres upstream', check: async () => (await servers.connect()).socket.destroy() },
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
