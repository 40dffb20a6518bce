/** Partitions and children of tables with rules: their values are their ancestors', through whichever table they come and go. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { checkDatabase } from '../../../src/postgres/columns/resolve.ts';
import { openServiceConnection } from '../../../src/postgres/service/connection.ts';
import type { SealRule } from '../../../src/postgres/service/rules.ts';
import { copyIn, copyOut } from '../../support/postgres/copy.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { RawClient } from '../../support/postgres/proxy.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [
  { table: 'events', column: 'note', type: 'text' },
  { table: 'events', column: 'ssn', type: 'text', mode: 'deterministic', domain: 'person' },
  { table: 'lists', column: 'note', type: 'text' },
  { table: 'one', column: 'note', type: 'text' },
  { table: 'other', column: 'note', type: 'text' },
  { table: 'capitals', column: 'secret', type: 'text' },
];
const SETUP = `
CREATE TABLE events (id int, day int, note sealgate.sealed, ssn sealgate.sealed, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE early PARTITION OF events FOR VALUES FROM (0) TO (10);
CREATE TABLE late (gone int, ssn sealgate.sealed, note sealgate.sealed, day int NOT NULL, id int NOT NULL);
ALTER TABLE late DROP COLUMN gone;
ALTER TABLE events ATTACH PARTITION late FOR VALUES FROM (10) TO (20);
CREATE TABLE lists (id int, note sealgate.sealed) PARTITION BY LIST (id);
CREATE TABLE lists_few PARTITION OF lists FOR VALUES IN (1, 2);
CREATE TABLE one (id int, note sealgate.sealed);
CREATE TABLE other (id int, note sealgate.sealed);
CREATE TABLE cities (id int, name text);
CREATE TABLE capitals (secret sealgate.sealed) INHERITS (cities);
CREATE TABLE audit (what text);
CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (NEW.note); RETURN NEW; END $$;`;

let server: TestPostgres;
let db: SearchedDatabase;
let client: pg.Client;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => server.stop());

let databases = 0;
beforeEach(async () => {
  db = await openSearchedDatabase(server, `parts_${++databases}`, SETUP, RULES);
  client = await connectTo(db.url);
});
afterEach(async () => {
  await client.end();
  await db.close();
});

const refusedWith = (message: RegExp) => ({ code: '0A000', message: expect.stringMatching(message) });
const rows = async (sql: string): Promise<unknown[]> => (await client.query({ text: sql, rowMode: 'array' })).rows;

describe('COPY', () => {
  test.each(['text', 'csv', 'binary'])(
    'into the parent comes out of partitions, and the other way round, as %s',
    async (format) => {
      await client.query("INSERT INTO events VALUES (1, 1, 'a', 's1'), (2, 12, 'b', 's2')");
      const raw = await RawClient.login(db.url);
      const early = await copyOut(raw, `COPY early (id, day, note, ssn) TO STDOUT (FORMAT ${format})`);
      const late = await copyOut(raw, `COPY late (id, day, note, ssn) TO STDOUT (FORMAT ${format})`);
      await client.query('DELETE FROM events');
      await copyIn(raw, `COPY events FROM STDIN (FORMAT ${format})`, early.data);
      await copyIn(raw, `COPY late (id, day, note, ssn) FROM STDIN (FORMAT ${format})`, late.data);
      expect(await rows('SELECT tableoid::regclass::text, * FROM events ORDER BY id')).toEqual([
        ['early', 1, 1, 'a', 's1'],
        ['late', 2, 12, 'b', 's2'],
      ]);
      expect(await rows("SELECT note FROM late WHERE ssn = 's2'")).toEqual([['b']]);
      raw.end();
    },
  );

  test('of a partition that the row does not belong to is the server’s error', async () => {
    const raw = await RawClient.login(db.url);
    const answer = await copyIn(raw, 'COPY early FROM STDIN', Buffer.from('1\t15\tcanary\tcanary\n'));
    expect(JSON.stringify(answer)).toContain('23514');
    expect(JSON.stringify(answer)).not.toContain('canary');
    raw.end();
  });
});

describe('Tables that come and go', () => {
  test('a partition that is detached is refused, and is read again once it is attached', async () => {
    await client.query("INSERT INTO events VALUES (2, 12, 'b', 's2')");
    await client.query('ALTER TABLE events DETACH PARTITION late');
    await expect(client.query('SELECT * FROM late')).rejects.toMatchObject(refusedWith(/no rule names it/));
    await expect(client.query("INSERT INTO late (id, day, note) VALUES (3, 13, 'c')")).rejects.toMatchObject({
      code: '0A000',
    });
    expect(await rows('SELECT * FROM events')).toEqual([]);
    await client.query('ALTER TABLE events ATTACH PARTITION late FOR VALUES FROM (10) TO (20)');
    expect(await rows('SELECT * FROM late')).toEqual([['s2', 'b', 12, 2]]);
    expect(await rows("SELECT note FROM events WHERE ssn = 's2'")).toEqual([['b']]);
  });

  test('a new partition, and one of a partition, is written and read by its own name and under another', async () => {
    await client.query('CREATE TABLE more PARTITION OF events FOR VALUES FROM (20) TO (30) PARTITION BY LIST (id)');
    await client.query('CREATE TABLE more_1 PARTITION OF more FOR VALUES IN (1)');
    await client.query("INSERT INTO more_1 VALUES (1, 21, 'x', 's')");
    await client.query("INSERT INTO more VALUES (1, 22, 'y', 's')");
    await client.query('ALTER TABLE more_1 RENAME TO more_one');
    expect(await rows('SELECT note FROM more_one ORDER BY day')).toEqual([['x'], ['y']]);
    await client.query('ALTER TABLE early RENAME TO first');
    await client.query('ALTER TABLE late RENAME TO early');
    expect(await rows('SELECT id FROM first UNION ALL SELECT id FROM early')).toEqual([]);
    await client.query("INSERT INTO early (id, day, note) VALUES (5, 15, 'z')");
    expect(await rows('SELECT note FROM events WHERE id = 5')).toEqual([['z']]);
  });

  test('rows move between partitions, and lists take what their default had', async () => {
    await client.query('CREATE TABLE lists_rest PARTITION OF lists DEFAULT');
    await client.query("INSERT INTO lists VALUES (1, 'a'), (9, 'b')");
    await client.query('UPDATE lists SET id = 10 - id');
    expect(await rows('SELECT tableoid::regclass::text, note FROM lists ORDER BY id')).toEqual([
      ['lists_few', 'b'],
      ['lists_rest', 'a'],
    ]);
    expect(await rows('SELECT note FROM lists_few')).toEqual([['b']]);
  });

  test('a child of two tables whose rules seal one column is refused, made or found', async () => {
    await expect(client.query('CREATE TABLE twice () INHERITS (one, other)')).rejects.toMatchObject(
      refusedWith(/rules of two tables, public.one and public.other/),
    );
    await client.query('CREATE TABLE child () INHERITS (one)');
    await client.query("INSERT INTO child VALUES (1, 'x')");
    await expect(client.query('ALTER TABLE child INHERIT other')).rejects.toMatchObject(
      refusedWith(/rules of their own/),
    );
    await db.direct.query('ALTER TABLE child INHERIT other');
    db.analyzer.catalogChanged();
    for (const table of ['one', 'other', 'child'])
      await expect(client.query(`SELECT * FROM ${table}`)).rejects.toMatchObject(refusedWith(/rules of two tables/));
    await db.direct.query('ALTER TABLE child NO INHERIT other');
    db.analyzer.catalogChanged();
    expect(await rows('SELECT * FROM one')).toEqual([[1, 'x']]);
  });

  test('a column that a child alone has may have a rule, and its parent stays open', async () => {
    await client.query("INSERT INTO capitals VALUES (1, 'Rome', 'secret')");
    await client.query("INSERT INTO cities VALUES (2, 'Pisa')");
    expect(await rows('UPDATE cities SET id = id + 1 RETURNING *')).toEqual([
      [3, 'Pisa'],
      [2, 'Rome'],
    ]);
    expect(await rows('SELECT * FROM capitals')).toEqual([[2, 'Rome', 'secret']]);
  });
});

describe('What a partition has of its own', () => {
  test('a trigger that would see ciphertext refuses writes through every table that fires it', async () => {
    await client.query('CREATE TRIGGER spy BEFORE INSERT ON early FOR EACH ROW EXECUTE FUNCTION spy()');
    for (const table of ['events', 'early'])
      await expect(client.query(`INSERT INTO ${table} (id, day, note) VALUES (1, 1, 'x')`)).rejects.toMatchObject(
        refusedWith(/trigger function public.spy on public.early/),
      );
    await client.query("INSERT INTO late (id, day, note) VALUES (1, 11, 'x')");
    await client.query('DROP TRIGGER spy ON early');
    await client.query('CREATE TRIGGER spy BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION spy()');
    await expect(client.query("INSERT INTO late (id, day, note) VALUES (2, 12, 'x')")).rejects.toMatchObject({
      code: '0A000',
    });
    expect((await db.direct.query('SELECT * FROM audit')).rows).toEqual([]);
  });

  test.each([
    ["ALTER TABLE early ALTER COLUMN note SET DEFAULT 'x'", 'events.note', /default/],
    ["ALTER TABLE early ADD CHECK (note <> 'x')", 'events.note', /CHECK/],
    ['CREATE UNIQUE INDEX ON late (note)', 'events.note', /unique index/],
    ['ALTER TABLE late ADD FOREIGN KEY (ssn) REFERENCES people (ssn)', 'events.ssn', /foreign key/],
    ['CREATE TABLE keyed PARTITION OF lists FOR VALUES IN (7) PARTITION BY LIST (note)', 'lists.note', /partition key/],
  ])('breaks the rule where the column could not: %s', async (sql, column, message) => {
    await db.direct.query(`CREATE TABLE people (ssn sealgate.sealed PRIMARY KEY); ${sql}`);
    const { host, port, superuser: user, password } = server;
    const database = `parts_${databases}`;
    const service = openServiceConnection({ host, port, user, password, database });
    const full = RULES.map((rule): SealRule => ({
      database,
      schema: 'public',
      keyId: 'alias/test',
      mode: 'randomized',
      domain: undefined,
      guard: true,
      ...rule,
    }));
    const { problems } = await checkDatabase(service, full, randomBytes).finally(() => service.close());
    expect(problems).toMatchObject([
      { column: `public.${column}`, severity: 'error', message: expect.stringMatching(message) },
    ]);
    db.analyzer.catalogChanged();
    const [table] = column.split('.');
    await expect(client.query(`SELECT count(*) FROM ${table}`)).rejects.toMatchObject({ code: '0A000' });
  });
});
