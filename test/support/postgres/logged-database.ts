/** A database with sealed columns on a server that logs every statement, a client of it, and how suites of statements ask. */
import type pg from 'pg';
import { onTestFinished } from 'vitest';
import { connectTo } from './connect.ts';
import { startLoggedPostgres, type LoggedPostgres } from './logged-postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from './sealed-database.ts';

export type LoggedDatabase = {
  readonly server: LoggedPostgres;
  readonly db: SearchedDatabase;
  /** Through the proxy, as superuser. */
  readonly client: pg.Client;
  /** Such a client for one test, with which it ends. */
  another(): Promise<pg.Client>;
  /** Ends the client and all else; throws where anything that was sealed stands in clear on the server. */
  close(): Promise<void>;
};

/** `ddl` is run past the proxy. */
export async function openLoggedDatabase(ddl: string, rules: readonly TestRule[]): Promise<LoggedDatabase> {
  const server = await startLoggedPostgres();
  const db = await openSearchedDatabase(server, 'sealed', ddl, rules);
  const client = await connectTo(db.url);
  const another = async (): Promise<pg.Client> => {
    const made = await connectTo(db.url);
    onTestFinished(() => made.end());
    return made;
  };
  const close = async (): Promise<void> => {
    await client.end();
    await db.close();
    await server.stop();
  };
  return { server, db, client, another, close };
}

export async function rowsOf(client: pg.Client, sql: string): Promise<readonly unknown[]> {
  return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows;
}

export type Refusal = { code?: string; message: string; hint?: string; position?: string };

/** The refusal of a statement; where it is not refused, one without a code. */
export async function refusalOf(client: pg.Client, sql: string): Promise<Refusal> {
  return client.query(sql).then(
    () => new Error(`not refused: ${sql}`),
    (reason: unknown) => reason as Error, // what pg rejects with
  );
}
