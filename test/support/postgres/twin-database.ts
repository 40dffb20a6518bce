/** A database with sealed columns, and a plain twin of it on another server: what is asked of both must give the same. */
import type pg from 'pg';
import { connectTo } from './connect.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from './sealed-database.ts';

export type TwinDatabase = {
  readonly server: TestPostgres;
  readonly db: SearchedDatabase;
  /** Through the proxy, as superuser. */
  readonly client: pg.Client;
  /** Of the twin. */
  readonly twin: pg.Client;
  readonly twinUrl: string;
  /** Ends both clients, and all else; throws where anything that was sealed stands in clear on the first server. */
  close(): Promise<void>;
};

/** `ddl` is what makes the tables: sealed, and as they are on the twin. */
export async function openTwinDatabase(
  ddl: (sealed: boolean) => string,
  rules: readonly TestRule[],
): Promise<TwinDatabase> {
  const server = await startPostgres();
  const db = await openSearchedDatabase(server, 'sealed', ddl(true), rules);
  const client = await connectTo(db.url);
  const twinUrl = await db.openTwin();
  const twin = await connectTo(twinUrl);
  await twin.query(ddl(false));
  const close = async (): Promise<void> => {
    await client.end();
    await twin.end();
    await db.close();
    await server.stop();
  };
  return { server, db, client, twin, twinUrl, close };
}
