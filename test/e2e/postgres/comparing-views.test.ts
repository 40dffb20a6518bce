/** Views that compare sealed columns, against the same views of plain tables: what comes out of them, and of queries over them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTwinDatabase, type TwinDatabase } from '../../support/postgres/twin-database.ts';

const DDL = (sealed: boolean): string => {
  const type = (plain: string): string => (sealed ? 'sealgate.sealed' : plain);
  return `
CREATE TABLE people (id int PRIMARY KEY, name text, ssn ${type('text')}, n ${type('int4')}, born ${type('date')}, note ${type('text')}, raw ${type('bytea')});
CREATE TABLE pets (id int PRIMARY KEY, owner int, ssn ${type('text')}, n ${type('int8')});`;
};
const FILL = [
  `INSERT INTO people VALUES (1, 'Ann', 'canary-111', 5, '2020-01-02', 'canary-note', '\\x0102'),
     (2, 'Bob', 'canary-222', 6, '2020-01-02', NULL, '\\x'), (3, 'Cid', NULL, NULL, NULL, NULL, NULL),
     (4, 'Dee', 'canary-111', 5, '2021-02-03', 'canary-note', '\\x')`,
  "INSERT INTO pets VALUES (1, 1, 'canary-111', 5), (2, 2, 'canary-333', 7), (3, 3, NULL, NULL)",
];

let all: TwinDatabase;

beforeAll(async () => {
  const deterministic = { mode: 'deterministic' } as const;
  all = await openTwinDatabase(DDL, [
    { table: 'people', column: 'ssn', type: 'text', domain: 'ssn', ...deterministic },
    { table: 'pets', column: 'ssn', type: 'text', domain: 'ssn', ...deterministic },
    { table: 'people', column: 'n', type: 'int4', domain: 'n', ...deterministic },
    { table: 'pets', column: 'n', type: 'int8', domain: 'n', ...deterministic },
    { table: 'people', column: 'born', type: 'date', ...deterministic },
    { table: 'people', column: 'raw', type: 'bytea', ...deterministic },
    { table: 'people', column: 'note', type: 'text', mode: 'randomized' },
  ]);
  for (const on of [all.client, all.twin]) for (const sql of FILL) await on.query(sql);
});
afterAll(() => all.close());

async function both(sql: string): Promise<readonly (readonly string[])[]> {
  const asked = [all.client, all.twin].map(async (on) => {
    const { fields, rows } = await on.query<unknown[]>({ text: sql, rowMode: 'array' });
    return [
      ...fields.map(({ name, dataTypeID }) => `${name} ${dataTypeID}`),
      ...rows.map((row) => JSON.stringify(row)).sort(),
    ];
  });
  return Promise.all(asked);
}

describe('a view made through the proxy gives what a plain one gives', () => {
  test.each([
    'SELECT p.id, p.ssn, q.id AS pet FROM people p JOIN pets q ON p.ssn = q.ssn',
    'SELECT p.id, q.id AS pet FROM people p LEFT JOIN pets q ON q.ssn = p.ssn AND q.n = p.n',
    'SELECT p.id, p.ssn, q.owner FROM people p JOIN pets q USING (ssn)',
    'SELECT id, ssn FROM people WHERE ssn IN (SELECT ssn FROM pets)',
    'SELECT id, ssn FROM people WHERE ssn NOT IN (SELECT ssn FROM pets WHERE ssn IS NOT NULL)',
    'SELECT id, note FROM people p WHERE EXISTS (SELECT FROM pets q WHERE q.ssn = p.ssn)',
    'SELECT id, ssn FROM people WHERE (ssn, n) IN (SELECT ssn, n FROM pets)',
    'SELECT id, ssn FROM people WHERE ssn = (SELECT q.ssn FROM pets q WHERE q.id = 1)',
    'SELECT id FROM people WHERE ssn = ANY (SELECT ssn FROM pets)',
    'SELECT p.id, q.id AS pet FROM people p, pets q WHERE p.ssn IN (q.ssn, p.ssn)',
    'SELECT p.id, p.ssn <> q.ssn AS other, p.n IS DISTINCT FROM q.n AS distinct FROM people p, pets q',
    'SELECT a.id, b.id AS other FROM people a JOIN people b ON a.raw = b.raw AND NOT a.born = b.born',
    'SELECT p.id, count(*) FILTER (WHERE p.ssn = q.ssn) AS same FROM people p, pets q GROUP BY p.id',
    'SELECT p.id, nullif(p.ssn, q.ssn) AS other, nullif(p.ssn, p.ssn) AS none FROM people p, pets q',
    'SELECT ssn, count(*) AS all, count(DISTINCT n) AS ns FROM people GROUP BY ssn HAVING ssn = ssn',
    `WITH RECURSIVE r (id, ssn) AS (SELECT id, ssn FROM people WHERE id = 1
       UNION ALL SELECT p.id, p.ssn FROM r JOIN people p ON p.ssn = r.ssn AND p.id > r.id) SELECT id, ssn FROM r`,
  ])('%s', async (definition) => {
    for (const on of [all.client, all.twin]) await on.query(`CREATE VIEW seen AS ${definition}`);
    const [sealed = [], plain] = await both('SELECT * FROM seen');
    expect(sealed.length).toBeGreaterThan(1);
    expect(sealed).toEqual(plain);
    for (const on of [all.client, all.twin]) await on.query('DROP VIEW seen');
  });
});

test('it can be searched, joined and seen through another view, also where the transaction has just made it', async () => {
  for (const on of [all.client, all.twin]) {
    await on.query('BEGIN');
    await on.query('CREATE VIEW kept AS SELECT p.id, p.ssn, p.note FROM people p JOIN pets q ON p.ssn = q.ssn');
    await on.query('CREATE VIEW over_it AS SELECT k.id, k.note, p.name FROM kept k JOIN people p ON p.ssn = k.ssn');
  }
  const asked = [
    "SELECT note FROM kept WHERE ssn = 'canary-111'",
    'SELECT kept.id, pets.owner FROM kept JOIN pets USING (ssn)',
    'SELECT * FROM over_it',
  ];
  for (const sql of asked) {
    const [sealed, plain] = await both(sql);
    expect(sealed).toEqual(plain);
  }
  for (const on of [all.client, all.twin]) await on.query('COMMIT');
  for (const sql of asked) {
    const [sealed, plain] = await both(sql);
    expect(sealed).toEqual(plain);
  }
});

describe('a view made around the proxy is refused where it does more than compare for equality', () => {
  test.each([
    'SELECT id, ssn::bytea AS s FROM people',
    "SELECT id FROM people WHERE ssn::bytea = '\\x00'::bytea",
    'SELECT p.id FROM people p, pets q WHERE p.note = q.ssn',
    'SELECT id FROM people WHERE ssn = raw',
    'SELECT id FROM people WHERE ssn < raw',
    'SELECT nullif(note, note) AS s FROM people',
    'SELECT nullif(ssn, raw) AS s FROM people',
  ])('%s', async (definition) => {
    await all.db.direct.query(`CREATE VIEW around AS ${definition}`);
    all.db.analyzer.catalogChanged();
    // Whatever names something hot looks at the catalog first.
    await all.client.query('SELECT id FROM people, around LIMIT 0').catch(() => undefined);
    await expect(all.client.query('SELECT * FROM around')).rejects.toMatchObject({ code: '0A000' });
    await all.db.direct.query('DROP VIEW around');
  });
});
