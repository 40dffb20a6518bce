/** Python's PostgreSQL drivers over sealed columns: `test/clients/postgres-python`. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLIENT_BUILD_TIMEOUT_MS } from '../../support/client-cache.ts';
import { pythonClient, type LanguageClient } from '../../support/language-clients.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { start } from '../../support/run.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const RULES = [
  { table: 'people', column: 'mail', type: 'text', mode: 'deterministic' as const },
  { table: 'people', column: 'note', type: 'text' },
  { table: 'people', column: 'score', type: 'int4', mode: 'deterministic' as const },
];
const DDL =
  'CREATE TABLE people (id int PRIMARY KEY, mail sealgate.sealed, note sealgate.sealed, score sealgate.sealed)';

let server: TestPostgres;
let db: SearchedDatabase;
let python: LanguageClient;

beforeAll(async () => {
  python = await pythonClient('postgres-python', ['psycopg[binary]==3.3.9', 'asyncpg==0.32.0']);
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'python', DDL, RULES);
}, CLIENT_BUILD_TIMEOUT_MS);
afterAll(async () => {
  await db.close();
  await server.stop();
});

test('psycopg and asyncpg: COPY, server-side cursors, prepared statements', async () => {
  if (python.type === 'none') throw new Error(python.reason);
  // asyncpg asks the server itself to quote the arguments of `copy_from_query`.
  db.canaries.alsoPlain('mail3@x.org');
  const [program, ...before] = python.words;
  const { code, stdout, stderr } = await start(program, [...before, db.url], { env: process.env }).done;
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'ok\n', stderr: '' });
  const stored = await db.direct.query('SELECT people::text AS row FROM people WHERE id < 20');
  expect(JSON.stringify(stored.rows)).not.toContain(Buffer.from('@x.org').toString('hex'));
});
