/**
 * The proxy's own connection to a protected database: wrapped DEKs, catalog snapshots, and the server's opinion of a statement
 * (Describe). Never carries a client's values.
 *
 * Invariant: search_path is pg_catalog alone, so nothing in a user's schema can stand in for what a query means.
 */
import { Client, Pool, type ClientBase, type ClientConfig, type PoolClient, type PoolConfig } from 'pg';
import { describeOn, type StatementDescription } from './describe.ts';
import { ServiceError } from './errors.ts';
import type { Repeated } from './repeated.ts';
import { WritableServer, type PooledClient } from './writable-server.ts';

export type ServiceServer = Pick<PoolConfig, 'host' | 'port' | 'ssl'>;

export type ServiceConnectionOptions = ServiceServer &
  Pick<PoolConfig, 'user' | 'password' | 'database' | 'connectionTimeoutMillis'> & {
    /** More servers of the same data: the one that can be written to is used. */
    readonly others?: readonly ServiceServer[];
    /** What connections are made with: the same object until it is another. One that was made with another is not used again. */
    readonly tls?: () => object;
    /** Connections at most, and as many again for what is tried out (`dryRun`); 4 unless told. */
    readonly maxConnections?: number;
    /** Any single statement; 15 s unless told. */
    readonly statementTimeoutMs?: number;
  };

/** One row: column name to value, as npm `pg` reads types (bytea: Buffer, int8: string). */
export type ServiceRow = Readonly<Record<string, unknown>>;

/** What answers questions about the database. Names in them are the server's own where they are not qualified. */
export interface Questions {
  query<Row extends ServiceRow = ServiceRow>(
    sql: string | Repeated,
    params?: readonly unknown[],
  ): Promise<readonly Row[]>;
}

/** What runs on one connection, one statement after another. */
export interface ServiceSession extends Questions {
  /** Parses and describes a statement without running it. `oids`: parameter types to declare, 0 = let the server infer. */
  describe(sql: string, oids?: readonly number[]): Promise<StatementDescription>;
}

export interface ServiceConnection extends ServiceSession {
  readonly database: string;
  /** Runs `work` in a transaction: committed when it resolves, rolled back when it rejects. */
  transaction<Result>(work: (session: ServiceSession) => Promise<Result>): Promise<Result>;
  /** As `transaction`, but rolled back in any case: for trying out DDL. */
  dryRun<Result>(work: (session: ServiceSession) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/**
 * For a transaction that is asked for on behalf of a client with an open transaction of its own: what that has locked is never free while the
 * client waits for us, and the server does not see that the two wait for each other.
 */
export const BRIEF_LOCKS_SQL = "SELECT set_config('lock_timeout', '3s', true)";

const DEFAULT_MAX_CONNECTIONS = 4;
const DEFAULT_STATEMENT_TIMEOUT_MS = 15_000;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/** Opens lazily; a lost connection is replaced at the next use. */
export function openServiceConnection(options: ServiceConnectionOptions): ServiceConnection {
  return new PooledServiceConnection(options);
}

class PooledServiceConnection implements ServiceConnection {
  readonly database: string;
  readonly #server: WritableServer;
  /** For what is tried out: it waits where a client has locked a table that is named in it, and nothing else must wait behind it. */
  readonly #trials: WritableServer;

  readonly #made: MadeWith;

  constructor({ others = [], host, port, ssl, tls, ...login }: ServiceConnectionOptions) {
    this.database = login.database ?? '';
    this.#made = new MadeWith(tls);
    const servers = [{ host, port, ssl }, ...others];
    const pools = (): WritableServer =>
      new WritableServer(servers.map((server) => () => openPool({ ...login, ...server }, this.#made)));
    this.#server = pools();
    this.#trials = pools();
  }

  query<Row extends ServiceRow>(sql: string | Repeated, params: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.#withRetry((session) => session.query<Row>(sql, params));
  }

  describe(sql: string, oids: readonly number[] = []): Promise<StatementDescription> {
    return this.#withRetry((session) => session.describe(sql, oids));
  }

  transaction<Result>(work: (session: ServiceSession) => Promise<Result>): Promise<Result> {
    return this.#with((session) => inTransaction(session, work, 'COMMIT'));
  }

  dryRun<Result>(work: (session: ServiceSession) => Promise<Result>): Promise<Result> {
    return this.#withRetry((session) => inTransaction(session, work, 'ROLLBACK'), this.#trials);
  }

  async close(): Promise<void> {
    await Promise.all([this.#server.close(), this.#trials.close()]);
  }

  /** A pooled connection may have died unnoticed: single statements here, and what is rolled back, are safe to run twice, so they are, once. */
  async #withRetry<Result>(work: (session: ServiceSession) => Promise<Result>, server = this.#server): Promise<Result> {
    try {
      return await this.#with(work, server);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'ERR_POSTGRES_SERVICE_UNREACHABLE') throw error;
      return this.#with(work, server);
    }
  }

  /** A connection that was kept has to be as good as a new one: the server's certificate may be one that is trusted no more. */
  async #connect(server: WritableServer): Promise<PooledClient> {
    for (;;) {
      const pooled = await server.connect();
      if (this.#made.isCurrent(pooled.client)) return pooled;
      pooled.client.release(true);
    }
  }

  async #with<Result>(work: (session: ServiceSession) => Promise<Result>, server = this.#server): Promise<Result> {
    const { client, pool } = await this.#connect(server).catch((error: unknown) => {
      throw serviceError(error, this.database);
    });
    const session = new ClientSession(client, this.database);
    try {
      const result = await work(session);
      client.release(session.broken);
      return result;
    } catch (error) {
      client.release(session.broken);
      if (session.broken || isReadOnly(error)) server.forget(pool);
      throw error;
    }
  }
}

/** Of each connection what it was made with. */
class MadeWith {
  readonly #now: () => object | undefined;
  readonly #of = new WeakMap<ClientBase, object | undefined>();

  constructor(now: (() => object) | undefined) {
    this.#now = now ?? (() => undefined);
  }

  isCurrent(client: ClientBase): boolean {
    return this.#of.get(client) === this.#now();
  }

  /** The class of connections that are noted at their beginning: before their handshake, so none counts for newer than it is. */
  get Client(): new (config?: ClientConfig) => Client {
    const [of, now] = [this.#of, this.#now];
    return class extends Client {
      constructor(config?: ClientConfig) {
        super(config);
        of.set(this, now());
      }
    };
  }
}

/** read_only_sql_transaction: the server was the primary, and is no more. */
function isReadOnly(error: unknown): boolean {
  return error instanceof ServiceError && error.sqlstate === '25006';
}

function openPool(
  { maxConnections, statementTimeoutMs, ...connect }: Omit<ServiceConnectionOptions, 'others' | 'tls'>,
  made: MadeWith,
): Pool {
  const settings = sessionSettings(statementTimeoutMs ?? DEFAULT_STATEMENT_TIMEOUT_MS);
  const prepare = (client: ClientBase): Promise<unknown> => {
    // `pg` also emits what the failing query rejects with; without a listener it would end the process.
    client.on('error', () => undefined);
    return client.query(settings);
  };
  const pool = new Pool({
    connectionTimeoutMillis: DEFAULT_CONNECT_TIMEOUT_MS,
    ...connect,
    Client: made.Client,
    max: maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    allowExitOnIdle: true,
    application_name: 'sealgate',
    // pg-pool awaits the promise, which its types leave out (pg-pool/index.js newClient).
    // eslint-disable-next-line @typescript-eslint/no-misused-promises
    onConnect: prepare,
  });
  // An idle connection that the server closes is no event of ours: the pool drops it, the next use opens another.
  pool.on('error', () => undefined);
  return pool;
}

async function inTransaction<Result>(
  session: ServiceSession,
  work: (session: ServiceSession) => Promise<Result>,
  ending: 'COMMIT' | 'ROLLBACK',
): Promise<Result> {
  await session.query('BEGIN');
  try {
    const result = await work(session);
    await session.query(ending);
    return result;
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

class ClientSession implements ServiceSession {
  /** Set once the connection is in an unknown state: the pool must not hand it out again. */
  broken = false;
  readonly #client: PoolClient;
  readonly #database: string;

  constructor(client: PoolClient, database: string) {
    this.#client = client;
    this.#database = database;
  }

  async query<Row extends ServiceRow>(
    sql: string | Repeated,
    params: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    try {
      const result = await this.#client.query<Row>(typeof sql === 'string' ? sql : { ...sql }, [...params]);
      return result.rows;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async describe(sql: string, oids: readonly number[] = []): Promise<StatementDescription> {
    try {
      return await describeOn(this.#client, sql, oids);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): ServiceError {
    const failure = serviceError(error, this.#database);
    if (failure.code === 'ERR_POSTGRES_SERVICE_UNREACHABLE') this.broken = true;
    return failure;
  }
}

/** Settings that fix how our own queries read and print; as statements, since poolers refuse startup `options`. */
function sessionSettings(statementTimeoutMs: number): string {
  return [
    `SET statement_timeout = ${Math.trunc(statementTimeoutMs)}`,
    'SET search_path = pg_catalog',
    "SET client_encoding = 'UTF8'",
    'SET standard_conforming_strings = on',
    "SET DateStyle = 'ISO, MDY'",
    "SET TimeZone = 'UTC'",
    "SET bytea_output = 'hex'",
    "SET IntervalStyle = 'postgres'",
    'SET extra_float_digits = 1',
    'SET default_transaction_read_only = off',
  ].join('; ');
}

/** Classes that mean the connection is gone or was never made: 08, 57P0x, 28 (login), 53300. */
const CONNECTION_STATES = /^(08...|57P0.|28...|53300|3D000)$/;

function serviceError(error: unknown, database: string): ServiceError {
  const sqlstate = sqlstateOf(error);
  const text = error instanceof Error ? error.message : String(error);
  if (sqlstate !== undefined && !CONNECTION_STATES.test(sqlstate)) {
    const message = `service connection to database ${database}: ${text} (SQLSTATE ${sqlstate})`;
    return new ServiceError('ERR_POSTGRES_SERVICE_QUERY', sqlstate, message, { cause: error });
  }
  const message = `service connection to database ${database}: ${text}`;
  return new ServiceError('ERR_POSTGRES_SERVICE_UNREACHABLE', sqlstate ?? '08006', message, { cause: error });
}

/** The SQLSTATE of a server's error; system errors (ECONNREFUSED) have codes of another shape. */
function sqlstateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return undefined;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}
