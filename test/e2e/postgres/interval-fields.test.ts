/** Constants of intervals of certain fields, stored in a sealed column: those that say an interval whole are that, the rest is refused. */
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { RawClient } from '../../support/postgres/proxy.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';
import { ask } from '../../support/postgres/wire-asker.ts';

let server: TestPostgres;
let db: SearchedDatabase;
let twin: pg.Client;
let sealed: RawClient;
let plain: RawClient;
beforeAll(async () => {
  server = await startPostgres(['timezone=UTC']);
  const rules = [{ table: 't', column: 'span', type: 'interval' }];
  db = await openSearchedDatabase(server, 'sealed', 'CREATE TABLE t (id int, span sealgate.sealed)', rules);
  const twinUrl = await db.openTwin();
  twin = await connectTo(twinUrl);
  await twin.query('CREATE TABLE t (id int, span interval)');
  sealed = await RawClient.login(db.url);
  plain = await RawClient.login(twinUrl);
});
afterAll(async () => {
  sealed.end();
  plain.end();
  await twin.end();
  await db.close();
  await server.stop();
});
beforeEach(async () => {
  await both("TRUNCATE t; INSERT INTO t VALUES (1, '7130 years'), (2, NULL)");
});

async function both(sql: string) {
  return Promise.all([ask(sealed, sql, [], 'simple'), ask(plain, sql, [], 'simple')]);
}

async function expectAlike(sql: string): Promise<void> {
  const [ours, theirs] = await both(sql);
  expect({ sql, ...ours }).toEqual({ sql, ...theirs });
}

/** All ways to write it: in front of the constant, behind it, and as a cast. */
const written = (text: string, fields: string): readonly string[] => [
  `UPDATE t SET span = INTERVAL '${text}' ${fields} WHERE id = 1 RETURNING span`,
  `UPDATE t SET span = CASE WHEN id > 0 THEN ' ${text} '::interval /* of */ ${fields.toUpperCase()} END RETURNING span`,
  `INSERT INTO t (id, span) VALUES (3, CAST('${text}' AS interval ${fields})), (4, NULL) RETURNING span`,
  `SELECT coalesce(span, interval '${text}' ${fields}) AS v FROM t ORDER BY id`,
];

const WHOLE: readonly (readonly [fields: string, ...texts: string[]])[] = [
  ['year', '7131', '-7132', '+7133'],
  ['month', '7131', '-7132'],
  ['day', '7131', '-7132'],
  ['hour', '7131', '-7132', '99999999999'],
  ['minute', '7131', '-7132'],
  ['second', '7131', '-7132'],
  ['year to month', '7131-2', '-7131-11', '+7131-0', '7131', '-7131', '99999999999-1'],
  ['day to hour', '7131 2', '7131   30', ' \t7131\t\n\v\f\r30 ', '7131', '-7131', '0 0', '99999999999 1'],
  ['day to minute', '7131 2:03', '7131 02:3', '7131', '-7131', '7131 2:75'],
  ['day to second', '7131 2:03', '7131 2:03:04', '7131 2:03:04.1234567', '7131 25:00:60', '7131', '7131 2:03:75'],
  ['hour to minute', '7131:03', '-7131:3', '+7131:03', '7131', '7131:75'],
  ['hour to second', '7131:03', '-7131:03:04.5', '7131:03:4', '7131', '-7131'],
  ['minute to second', '59:04', '-59:04.25', '+59:4', '7131', '-7131', '75:04', '59:75'],
];

describe.each(['postgres', 'postgres_verbose', 'sql_standard', 'iso_8601'])('with IntervalStyle %s', (style) => {
  beforeAll(() => both(`SET IntervalStyle = ${style}`));

  test.each(WHOLE)('a constant of %s', async (fields, ...texts) => {
    for (const text of texts) for (const sql of written(text, fields)) await expectAlike(sql);
  });
});

test.each([
  ['hour', '1 day 2:03'],
  ['hour', '1.5'],
  ['hour', ''],
  ['year to month', '1 year 2 months 3 days'],
  ['year to month', '1-12'],
  ['year to month', '1 2'],
  ['day to hour', '1 2:03'],
  ['day to hour', '-1 2'],
  ['day to hour', '1 -2'],
  ['day to hour', '1 day 2'],
  ['day to minute', '1 2:03:04'],
  ['day to minute', '1 2'],
  ['day to second', '-1 2:03:04'],
  ['hour to minute', '2:03:04'],
  ['minute to second', '1:02:03'],
  ['minute to second', '100:03'],
  ['second(3)', '1'],
  ['day to second(3)', '1 2:03:04'],
  ...['\u00a0', '\u3000', '\ufeff', '\u0085', '\u2028'].flatMap((blank) => [
    ['day to minute', `1${blank}2:03`],
    ['hour', `${blank}5`],
    ['hour', `5${blank}`],
  ]),
])('a constant of %s that is %j is refused', async (fields, text) => {
  const [ours] = await both(`UPDATE t SET span = INTERVAL '${text}' ${fields}`);
  expect(ours).toMatchObject({ type: 'refused', sqlstate: '0A000' });
});
