/** Triggers that take whole rows of sealed tables would keep or show ciphertext; those that take fields, and those of other tables, do what they do. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const DDL = `
CREATE TABLE people (id int PRIMARY KEY, city text, note sealgate.sealed);
CREATE TABLE pets (id int PRIMARY KEY, name text);
CREATE TABLE log (what jsonb);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (to_jsonb(NEW)); RETURN NEW; END $$;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.city := upper(NEW.city); RETURN NEW; END $$;
CREATE TRIGGER audited AFTER INSERT ON pets FOR EACH ROW EXECUTE FUNCTION audit();
CREATE TRIGGER touched BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION touch()`;

let server: TestPostgres;
let db: SearchedDatabase;
let client: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'sealed', DDL, [{ table: 'people', column: 'note', type: 'text' }]);
  client = await connectTo(db.url);
});
afterAll(async () => {
  await client.end();
  await db.close();
  await server.stop();
});
beforeEach(() => client.query('TRUNCATE people, pets, log'));

const ADD = "INSERT INTO people VALUES (1, 'here', 'canary-note') RETURNING city, note";

test('one that takes fields changes what it changes', async () => {
  expect((await client.query(ADD)).rows).toEqual([{ city: 'HERE', note: 'canary-note' }]);
});

test('whole rows of tables without sealed columns are taken', async () => {
  await client.query("INSERT INTO pets VALUES (1, 'rex')");
  expect((await client.query('SELECT what FROM log')).rows).toEqual([{ what: { id: 1, name: 'rex' } }]);
});

test('a write that runs one over sealed columns is refused, and named', async () => {
  await client.query('CREATE TRIGGER audited AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION audit()');
  const refused = { code: '0A000', message: expect.stringContaining('public.audit on public.people takes rows') };
  await expect(client.query(ADD)).rejects.toMatchObject(refused);
  expect((await client.query('SELECT what FROM log')).rows).toEqual([]);
  await client.query('DROP TRIGGER audited ON people');
  expect((await client.query(ADD)).rows).toHaveLength(1);
});
