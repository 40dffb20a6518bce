/** What pgjdbc's DatabaseMetaData tells of sealed columns, as DBeaver, Hibernate and Liquibase ask: the same as of a plain twin with those types. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { ddl, RULES } from '../../conformance-sql/database.ts';
import { CLIENT_BUILD_TIMEOUT_MS } from '../../support/client-cache.ts';
import { javaClient, type LanguageClient } from '../../support/language-clients.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { start } from '../../support/run.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

let server: TestPostgres;
let db: SearchedDatabase;
let twinUrl: string;
let client: LanguageClient;

beforeAll(async () => {
  client = await javaClient('postgres-jdbc-metadata');
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'sealed', ddl(true), RULES);
  twinUrl = await db.openTwin();
  const twin = await connectTo(twinUrl);
  await twin.query(ddl(false));
  await twin.end();
}, CLIENT_BUILD_TIMEOUT_MS);
afterAll(async () => {
  await db.close();
  await server.stop();
});

async function told(url: string): Promise<readonly string[]> {
  if (client.type === 'none') throw new Error(client.reason);
  const [program, ...before] = client.words;
  const { code, stdout, stderr } = await start(program, [...before, url]).done;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n');
}

test('tables, columns, keys, indexes, privileges and routines are told as of plain columns', async ({ skip }) => {
  if (client.type === 'none') return skip(client.reason);
  const [sealed, plain] = [await told(db.url), await told(twinUrl)];
  expect(plain.length).toBeGreaterThan(200);
  expect(sealed).toEqual(plain);
});
