/** One table of people with two sealed columns, beside a plain twin: for suites that say the same to both, message by message. */
import { afterAll, beforeAll } from 'vitest';
import { connectTo } from './connect.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';
import { openSearchedDatabase, type SearchedDatabase } from './sealed-database.ts';

export type PeopleTwin = { readonly db: SearchedDatabase; readonly twinUrl: string };

const PLAIN = 'CREATE TABLE plain (id int, what text)';

/** Ready in tests; closed, and its server searched for what was sealed, after the last. */
export function peopleBesideTwin(): PeopleTwin {
  let server: TestPostgres;
  let started: PeopleTwin | undefined;
  beforeAll(async () => {
    server = await startPostgres();
    const sealed = 'CREATE TABLE people (id int PRIMARY KEY, mail sealgate.sealed UNIQUE, note sealgate.sealed)';
    const db = await openSearchedDatabase(server, 'sealed', `${sealed}; ${PLAIN}`, [
      { table: 'people', column: 'mail', type: 'varchar(30)', mode: 'deterministic' },
      { table: 'people', column: 'note', type: 'text' },
    ]);
    const twinUrl = await db.openTwin();
    const twin = await connectTo(twinUrl);
    await twin.query('CREATE TABLE people (id int PRIMARY KEY, mail varchar(30) UNIQUE, note text)');
    await twin.query(PLAIN);
    await twin.end();
    started = { db, twinUrl };
  });
  afterAll(async () => {
    await started?.db.close();
    await server.stop();
  });
  const begun = (): PeopleTwin => {
    if (started === undefined) throw new Error('the suite has not begun');
    return started;
  };
  return {
    get db() {
      return begun().db;
    },
    get twinUrl() {
      return begun().twinUrl;
    },
  };
}
