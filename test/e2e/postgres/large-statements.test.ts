/** Statements too large to be read while others wait: they mean what small ones mean, and nobody is kept waiting. */
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { decodeDataRow } from '../../../src/postgres/messages/data-row.ts';
import { SHAPES } from '../../conformance-sql/all-shapes.ts';
import { casesOf } from '../../conformance-sql/case.ts';
import { openTwins, type Twins } from '../../conformance-sql/twins.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, statusOf, types } from '../../support/postgres/proxy.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

/** Makes a large statement of any. */
const PADDING = ` /* ${'padding '.repeat(10_000)}*/`;

describe('a large statement', () => {
  let twins: Twins;
  beforeAll(async () => {
    twins = await openTwins();
  });
  afterAll(async () => {
    await twins.close();
  });

  const sample = (expected: string) =>
    SHAPES.flatMap((shape) =>
      casesOf(shape)
        .filter((one) => one.expected === expected)
        .slice(0, 1),
    );

  test('of any shape gives what plain columns give', async () => {
    for (const one of sample('exact')) {
      for (const { way, sealed, plain, after } of await twins.compare({ ...one, sql: one.sql + PADDING })) {
        const place = { sql: one.sql, way };
        expect({ ...place, ...sealed, after: after.sealed }).toEqual({ ...place, ...plain, after: after.plain });
      }
    }
  });

  test('is refused where a small one is, in the same words', async () => {
    for (const one of sample('refused')) {
      const small = await twins.compare(one);
      const large = await twins.compare({ ...one, sql: one.sql + PADDING });
      expect(large.map(({ sealed }) => sealed)).toEqual(small.map(({ sealed }) => sealed));
    }
  });
});

describe('beside others', () => {
  let server: TestPostgres;
  let db: SearchedDatabase;
  beforeAll(async () => {
    server = await startPostgres();
    db = await openSearchedDatabase(
      server,
      'large',
      'CREATE TABLE people (id int PRIMARY KEY, mail sealgate.sealed, age sealgate.sealed, plain text)',
      [
        { table: 'people', column: 'mail', type: 'text', mode: 'deterministic', default: 'none@x.org' },
        { table: 'people', column: 'age', type: 'int', checks: [{ name: 'people_age_check', expression: 'age > 0' }] },
      ],
    );
  });
  afterAll(async () => {
    await db.close();
    await server.stop();
  });

  const ROWS = 6_000;
  const rows = Array.from({ length: ROWS }, (_, id) => `(${id}, 5, 'plain ${id} ' || ${'1 + '.repeat(10)}1)`).join(
    ', ',
  );

  test('it keeps nobody waiting: they are answered while it is read', async () => {
    const [large, other] = [await RawClient.login(db.url), await RawClient.login(db.url)];
    let isDone = false;
    large.send(serialize.query(`INSERT INTO people (id, age, plain) VALUES ${rows}`));
    const done = large.untilReady().then((messages) => {
      isDone = true;
      return messages;
    });
    let answered = 0;
    while (!isDone) {
      other.send(serialize.query('SELECT 1'));
      await other.untilReady();
      answered += 1;
    }
    expect(errorOf(await done)).toEqual({});
    expect(types(await done)).toBe('CZ');
    // Between the turns in which it is handled there is time for a few.
    expect(answered).toBeGreaterThan(80);
    other.send(serialize.query("SELECT count(*) FROM people WHERE mail = 'none@x.org' AND age IS NOT NULL"));
    const [, row] = await other.untilReady();
    expect(row?.body.toString('latin1')).toContain(String(ROWS));
    large.end();
    other.end();
  });

  test('very many statements in one message are sealed in turns, up to the one that cannot be', async () => {
    const client = await RawClient.login(db.url);
    const say = async (text: string): Promise<Record<string, string | undefined>> => {
      client.send(serialize.query(text));
      return errorOf(await client.untilReady());
    };
    const executes = (faulty: number): string =>
      Array.from(
        { length: 5_000 },
        (_, index) => `EXECUTE p(${100_000 + index}, 'turn ${index}@x.org', ${index === faulty ? -1 : index + 1})`,
      ).join('; ');
    expect(await say('PREPARE p AS INSERT INTO people (id, mail, age) VALUES ($1, $2, $3)')).toEqual({});
    expect(await say(executes(4_500))).toMatchObject({ C: '23514' });
    expect(await say(executes(-1))).toEqual({});
    client.send(serialize.query("SELECT id, mail, age FROM people WHERE mail = 'turn 4000@x.org'"));
    const row = (await client.untilReady()).find(({ type }) => type === 'D');
    expect(row && decodeDataRow(row.body).map((value) => Buffer.from(value ?? []).toString())).toEqual([
      '104000',
      'turn 4000@x.org',
      '4001',
    ]);
    client.end();
  });

  test('declared checks hold for its values', async () => {
    const client = await connectTo(db.url);
    const insert = `INSERT INTO people (id, age) VALUES (-1, 1), (-2, -7)${PADDING}`;
    await expect(client.query(insert)).rejects.toMatchObject({ code: '23514', constraint: 'people_age_check' });
    await expect(client.query(`INSERT INTO people (id, age) VALUES (-1, $1)${PADDING}`, [0])).rejects.toMatchObject({
      code: '23514',
    });
    await client.end();
  });

  test.each([
    ['of more words than can be held', `SELECT id FROM people WHERE id IN (${'1,'.repeat(600_000)}1)`, '54000'],
    ['nested deeper than the grammar reads', `SELECT ${'('.repeat(60_000)}1${')'.repeat(60_000)} FROM people`, '42601'],
  ])('one %s is refused, and the session goes on', async (_name, sql, sqlstate) => {
    const client = await RawClient.login(db.url);
    client.send(serialize.query('BEGIN'));
    await client.untilReady();
    client.send(serialize.query(sql));
    const refused = await client.untilReady();
    expect(errorOf(refused)).toMatchObject({ C: sqlstate });
    expect(statusOf(refused)).toBe('E');
    client.send(serialize.query('ROLLBACK'), serialize.query('SELECT count(mail) FROM people'));
    expect(types(await client.untilReady(2))).toBe('CZTDCZ');
    client.end();
  });
});
