/**
 * Does what lies between the proxy and the server give each transaction another backend (transaction or statement pooling)? Then nothing the
 * proxy knows of a session holds: its settings, its prepared statements and its temporary tables are another session's a moment later.
 *
 * Two connections are held, and asked in turn which backend serves them. A session has one, its own, as long as it lives: that two share one, or
 * that one is served by two, is never seen without such pooling. With it, an idle pool gives the backend that was used last (the second connection
 * gets that of the first) or the one that waited longest (the first gets two).
 */
import { Client, type ClientConfig } from 'pg';
import { UPSTREAM_CONNECT_TIMEOUT_MS } from '../limits.ts';

const ROUNDS = 3;

export type Pooling =
  | { readonly type: 'none' }
  | { readonly type: 'transactions' }
  /** No server lets the proxy in with the login given. */
  | { readonly type: 'unknown'; readonly cause: unknown };

/** Of the first server that lets the proxy in. */
export async function poolingAt(logins: readonly (() => Promise<ClientConfig>)[]): Promise<Pooling> {
  let cause: unknown;
  for (const login of logins) {
    try {
      return { type: (await poolsTransactions(await login())) ? 'transactions' : 'none' };
    } catch (error) {
      cause = error;
    }
  }
  return { type: 'unknown', cause };
}

async function poolsTransactions(login: ClientConfig): Promise<boolean> {
  const { connectionTimeoutMillis = UPSTREAM_CONNECT_TIMEOUT_MS } = login;
  const limited = { ...login, connectionTimeoutMillis, query_timeout: connectionTimeoutMillis };
  const clients = [new Client(limited), new Client(limited)] as const;
  for (const client of clients) client.on('error', () => undefined);
  try {
    for (const client of clients) await client.connect();
    return await isShared(
      () => backendOf(clients[0]),
      () => backendOf(clients[1]),
    );
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
}

async function isShared(one: () => Promise<number>, other: () => Promise<number>): Promise<boolean> {
  const first = await one();
  for (let round = 0; round < ROUNDS; round += 1) {
    if ((await one()) !== first || (await one()) !== first) return true;
    if ((await other()) === first) return true;
  }
  return false;
}

/** A query of its own each time: a transaction would hold the backend. */
async function backendOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}
