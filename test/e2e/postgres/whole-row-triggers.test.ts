/** Triggers that keep whole rows of tables with sealed columns (docs/SECURITY.md): they work as on plain tables, and what they keep of a sealed column is ciphertext. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const DDL = `
CREATE TABLE people (id int PRIMARY KEY, city text, note sealgate.sealed, mail sealgate.sealed);
CREATE TABLE log (what jsonb);
CREATE FUNCTION of_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (jsonb_build_object('was', to_jsonb(OLD), 'is', row_to_json(NEW))); RETURN NULL; END $$;
CREATE FUNCTION of_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log SELECT to_jsonb(n) FROM n; RETURN NULL; END $$;
CREATE FUNCTION of_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log SELECT jsonb_build_object('was', to_jsonb(o), 'is', to_jsonb(n)) FROM o JOIN n USING (id); RETURN NULL; END $$;
CREATE FUNCTION of_removed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log SELECT jsonb_agg(o) FROM o; RETURN NULL; END $$`;

/** By row and by transition table. */
const TRIGGERS = {
  rows: ['AFTER INSERT OR UPDATE OR DELETE ON people FOR EACH ROW EXECUTE FUNCTION of_row()'],
  'transition tables': [
    'AFTER INSERT ON people REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION of_added()',
    'AFTER UPDATE ON people REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION of_changed()',
    'AFTER DELETE ON people REFERENCING OLD TABLE AS o FOR EACH STATEMENT EXECUTE FUNCTION of_removed()',
  ],
};

let server: TestPostgres;
let db: SearchedDatabase;
let client: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'sealed', DDL, [
    { table: 'people', column: 'note', type: 'text' },
    { table: 'people', column: 'mail', type: 'text', mode: 'deterministic' },
  ]);
  client = await connectTo(db.url);
});
afterAll(async () => {
  await client.end();
  await db.close();
  await server.stop();
});
beforeEach(() => client.query('TRUNCATE people, log'));

test.each(Object.entries(TRIGGERS))('%s are kept as ciphertext, and clients see values', async (_name, triggers) => {
  for (const [index, trigger] of triggers.entries()) await client.query(`CREATE TRIGGER kept_${index} ${trigger}`);
  const values = { id: 1, city: 'here', note: 'canary-note', mail: 'canary@mail.org' };
  const added = await client.query("INSERT INTO people VALUES (1, 'here', $1, $2) RETURNING *", [
    values.note,
    values.mail,
  ]);
  expect(added.rows).toEqual([values]);
  const changed = await client.query("UPDATE people SET note = 'canary-two' WHERE mail = $1 RETURNING *", [
    values.mail,
  ]);
  expect(changed.rows).toEqual([{ ...values, note: 'canary-two' }]);
  const removed = await client.query('DELETE FROM people RETURNING note');
  expect(removed.rows).toEqual([{ note: 'canary-two' }]);
  const { rows } = await client.query('SELECT what::text AS what FROM log');
  expect(rows).toHaveLength(3);
  for (const { what } of rows) {
    expect(what).toContain('"city": "here"');
    expect(what).toMatch(/"note": "\\\\x[0-9a-f]{40,}"/);
    expect(what).not.toContain('canary');
  }
  for (const index of triggers.keys()) await client.query(`DROP TRIGGER kept_${index} ON people`);
});
