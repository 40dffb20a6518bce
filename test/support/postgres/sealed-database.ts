/** A database with sealed columns, whole and real: key manager, service connection, analysis, column service, proxy. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { connectTo } from './connect.ts';
import { pooledRandom } from '../../../src/crypto/random.ts';
import type { AccessOptions } from '../../../src/keys/access/options.ts';
import { createKeyFile, createKeyStore, openKeyManager, type KeyManager } from '../../../src/keys/key-manager.ts';
import { createAnalyzer } from '../../../src/postgres/analysis/analyzer.ts';
import type { StatementAnalyzer } from '../../../src/postgres/analysis/analyzer.ts';
import { escrowOwnerOf } from '../../../src/postgres/columns/dek-table.ts';
import { resolveRules } from '../../../src/postgres/columns/resolve.ts';
import { resolveWithin } from '../../../src/postgres/columns/resolve-within.ts';
import { postgresPrincipal } from '../../../src/config/principals.ts';
import type { ColumnService } from '../../../src/postgres/columns/column-service.ts';
import { createColumnService } from '../../../src/postgres/columns/sealing-service.ts';
import { openServiceConnection } from '../../../src/postgres/service/connection.ts';
import { ensureSchema } from '../../../src/postgres/service/schema.ts';
import { ServerTimeZones } from '../../../src/postgres/service/time-zones.ts';
import type { SealRule } from '../../../src/postgres/service/rules.ts';
import { Canaries, findCanaries, watchServer } from '../canaries.ts';
import type { TestPostgres } from './postgres.ts';
import { startTestProxy, type TestProxy } from './proxy.ts';
import { recordSealed } from './recording-columns.ts';

export type SealedDatabase = {
  readonly proxy: TestProxy;
  readonly analyzer: StatementAnalyzer;
  /** Through the proxy, as superuser. */
  readonly url: string;
  /** Straight to the server. */
  readonly direct: pg.Client;
  readonly keys: KeyManager;
  /** The audit log so far. */
  auditText(): Promise<string>;
  /** An empty database on another server, where the same values may lie in clear; its URL. */
  openTwin(): Promise<string>;
  close(): Promise<void>;
};

export type SearchedDatabase = SealedDatabase & {
  /** What was sealed so far, and must not be found on the server. */
  readonly canaries: Canaries;
};

export type TestRule = Pick<SealRule, 'table' | 'column' | 'type'> & Partial<SealRule>;

type Options = readonly [
  server: TestPostgres,
  database: string,
  ddl: string,
  rules: readonly TestRule[],
  access?: AccessOptions,
];

/** `ddl` runs after schema `sealgate` is there, so that tables can use `sealgate.sealed`. */
export async function openSealedDatabase(...options: Options): Promise<SealedDatabase> {
  return open((service) => service, ...options);
}

/** As `openSealedDatabase`; `close` throws where anything that was sealed stands in clear anywhere on the server. */
export async function openSearchedDatabase(...options: Options): Promise<SearchedDatabase> {
  const [server] = options;
  await watchServer(server);
  const canaries = new Canaries();
  const db = await open((service) => recordSealed(service, canaries), ...options);
  const close = async (): Promise<void> => {
    await db.close();
    const found = await findCanaries(server, canaries);
    if (found.length > 0) throw new Error(`what was sealed stands in clear on the server:\n${found.join('\n')}`);
  };
  return { ...db, canaries, close };
}

async function open(
  wrap: (service: ColumnService) => ColumnService,
  ...[server, database, ddl, rules, access]: Options
): Promise<SealedDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-sealed-'));
  const keys = await testKeys(folder, access);
  await createDatabase(server, database);
  const { host, port, superuser: user, password } = server;
  const connection = openServiceConnection({ host, port, user, password, database });
  const { databaseId } = await ensureSchema(connection, randomBytes);
  const direct = await connectTo(server.url(database));
  await direct.query(ddl);
  const full = rules.map((rule): SealRule => ({
    database,
    schema: 'public',
    keyId: 'alias/test',
    mode: 'randomized',
    domain: undefined,
    guard: true,
    ...rule,
  }));
  const escrowOwner = escrowOwnerOf(database);
  const zones = new ServerTimeZones(connection);
  const principalOf = (role: string): string => postgresPrincipal('000000000000', database, role);
  const columns = wrap(
    createColumnService({ connection, keys, random: randomBytes, databaseId, escrowOwner, zones, principalOf }),
  );
  const resolveColumns = () => resolveRules(connection, full, randomBytes);
  const analyzer = await createAnalyzer({
    database,
    service: connection,
    rules: full,
    resolveColumns,
    resolveWithin: (questions, mayComeBack) => resolveWithin(questions, connection, full, randomBytes, mayComeBack),
  });
  const proxy = await startTestProxy(server, { databases: new Map([[database, { analyzer, columns }]]) });
  const twins: TestPostgres[] = [];
  return {
    proxy,
    analyzer,
    url: proxy.url(database),
    direct,
    keys,
    auditText: () => readFile(join(folder, 'audit.log'), 'utf8'),
    openTwin: async () => {
      const twin = await server.another();
      twins.push(twin);
      await createDatabase(twin, 'twin');
      return twin.url('twin');
    },
    close: async () => {
      for (const twin of twins) await twin.stop();
      await proxy.close();
      analyzer.close();
      await direct.end();
      await connection.close();
      await keys.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One that is there already, of another encoding for example, is taken. */
async function createDatabase(server: TestPostgres, name: string): Promise<void> {
  const root = await connectTo(server.url());
  const { rowCount } = await root.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  if (rowCount === 0) await root.query(`CREATE DATABASE ${name}`);
  await root.end();
}

async function testKeys(folder: string, access: AccessOptions | undefined) {
  const ports = { random: pooledRandom(), now: Date.now };
  const keyFile = join(folder, 'root.key');
  createKeyFile(keyFile, randomBytes);
  const store = { storePath: join(folder, 'keys.db'), unseal: [{ type: 'key-file', path: keyFile }] } as const;
  await createKeyStore(store, ports);
  const audit = { path: join(folder, 'audit.log'), durability: 'write' } as const;
  const options = { ...store, region: 'eu-central-1', account: '000000000000', audit };
  const keys = await openKeyManager({ ...options, ...(access === undefined ? {} : { access }) }, ports);
  await keys.createKey({ alias: 'alias/test' }, { principal: 'arn:sealgate:cli', via: 'cli', resource: 'test' });
  return keys;
}
