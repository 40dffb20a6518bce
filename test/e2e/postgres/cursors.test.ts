/**
 * Cursors and prepared statements of SQL's own over sealed columns, against the same on plain columns: each statement of a script gives the
 * same rows, types, tags and errors.
 */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startLoggedPostgres, type LoggedPostgres } from '../../support/postgres/logged-postgres.ts';
import { openSearchedDatabase, type SealedDatabase } from '../../support/postgres/sealed-database.ts';

const COLUMNS = [
  ['mail', 'text', 'deterministic'],
  ['ssn', 'varchar(12)', 'randomized'],
  ['score', 'int4', 'deterministic'],
  ['amount', 'numeric(10,2)', 'randomized'],
] as const;
const RULES = COLUMNS.map(([column, type, mode]) => ({ table: 'people', column, type, mode }));
const ddl = (sealed: boolean): string =>
  `CREATE TABLE people (id int PRIMARY KEY, name text, ${COLUMNS.map(([name, type]) => `${name} ${sealed ? 'sealgate.sealed' : type}`).join(', ')});
   CREATE TABLE plain (id int, note text); CREATE SCHEMA other; CREATE TABLE other.people (id int, name text, mail text);
   INSERT INTO plain VALUES (1, 'one'), (2, 'two'), (3, 'three')`;
const FILL = `INSERT INTO people VALUES (1, 'Ann', 'ann@x.org', '111', 5, 1.5), (2, 'Bob', 'bob@x.org', NULL, 6, 2.25),
  (3, 'Cid', NULL, '333', NULL, NULL), (4, 'Dot', 'dot@x.org', '', 5, 0)`;

let server: LoggedPostgres;
let db: SealedDatabase;
let twinUrl: string;
let sealed: pg.Client;
let twin: pg.Client;

beforeAll(async () => {
  server = await startLoggedPostgres();
  db = await openSearchedDatabase(server, 'sealed', ddl(true), RULES);
  twinUrl = await db.openTwin();
  const owner = await connectTo(twinUrl);
  await owner.query(ddl(false));
  await owner.end();
});
afterAll(async () => {
  await db.close();
  await server.stop();
});
beforeEach(async () => {
  sealed = new pg.Client({ connectionString: db.url });
  twin = new pg.Client({ connectionString: twinUrl });
  for (const on of [sealed, twin]) {
    await on.connect();
    await on.query('TRUNCATE people');
    await on.query(FILL);
  }
});
afterEach(async () => {
  await sealed.end();
  await twin.end();
});

const AS_TEXT = { getTypeParser: () => (value: unknown) => String(value) } as unknown as pg.CustomTypesConfig; // its overloads

type Mode = 'simple' | 'extended';

async function run(on: pg.Client, text: string, mode: Mode, values: readonly string[] = []): Promise<unknown> {
  const asked = {
    text,
    rowMode: 'array',
    types: AS_TEXT,
    queryMode: mode,
    ...(values.length > 0 && { values }),
  } as const;
  try {
    const result = await on.query(asked as unknown as pg.QueryArrayConfig);
    const all = Array.isArray(result) ? (result as pg.QueryArrayResult[]) : [result];
    return all.map(({ command, rowCount, rows, fields }) => ({
      command,
      rowCount,
      rows,
      fields: fields.map(({ name, dataTypeID, dataTypeModifier, format }) => [
        name,
        dataTypeID,
        dataTypeModifier,
        format,
      ]),
    }));
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return error.code;
  }
}

async function same(script: readonly string[], mode: Mode): Promise<void> {
  for (const statement of script) {
    const answer = await run(sealed, statement, mode);
    expect({ statement, answer }).toEqual({ statement, answer: await run(twin, statement, mode) });
  }
  const all = 'SELECT * FROM people ORDER BY id';
  expect(await run(sealed, all, 'simple')).toEqual(await run(twin, all, 'simple'));
}

const CURSORS: Readonly<Record<string, readonly string[]>> = {
  'forward, all the rest, and past the end': [
    'BEGIN',
    'DECLARE c CURSOR FOR SELECT id, mail, ssn, score, amount FROM people ORDER BY id',
    'FETCH c',
    'FETCH 2 FROM c',
    'FETCH ALL IN c',
    'FETCH c',
    'CLOSE c',
    'FETCH c',
    'ROLLBACK',
  ],
  'SCROLL and MOVE': [
    'BEGIN',
    'DECLARE c SCROLL CURSOR FOR SELECT mail, name FROM people ORDER BY id',
    'FETCH LAST FROM c',
    'FETCH BACKWARD 2 FROM c',
    'MOVE ABSOLUTE 1 IN c',
    'FETCH RELATIVE 0 FROM c',
    'FETCH ABSOLUTE 4 FROM c',
    'FETCH PRIOR FROM c',
    'COMMIT',
    'FETCH c',
  ],
  'WITH HOLD, beyond its transaction': [
    'BEGIN',
    'DECLARE held CURSOR WITH HOLD FOR SELECT ssn FROM people ORDER BY id',
    'DECLARE lost CURSOR FOR SELECT ssn FROM people ORDER BY id',
    'FETCH held',
    'COMMIT',
    'FETCH 2 FROM held',
    'FETCH lost',
    'UPDATE people SET name = name',
    'FETCH held',
    'CLOSE ALL',
    'FETCH held',
  ],
  'WITH HOLD outside of a transaction, and DISCARD ALL': [
    'DECLARE held CURSOR WITH HOLD FOR SELECT amount, mail FROM people ORDER BY id',
    'FETCH 1 FROM held',
    'DISCARD ALL',
    'FETCH 1 FROM held',
    'DECLARE held CURSOR WITH HOLD FOR SELECT note FROM plain ORDER BY id',
    'FETCH ALL FROM held',
    'CLOSE held',
  ],
  'gone with its savepoint, and the name used anew': [
    'BEGIN',
    'SAVEPOINT a',
    'DECLARE c CURSOR FOR SELECT mail FROM people ORDER BY id',
    'FETCH c',
    'ROLLBACK TO a',
    'DECLARE c CURSOR FOR SELECT note FROM plain ORDER BY id',
    'FETCH ALL FROM c',
    'CLOSE c',
    'DECLARE c CURSOR FOR SELECT amount FROM people ORDER BY id',
    'SAVEPOINT b',
    'FETCH c',
    'ROLLBACK TO b',
    'FETCH c',
    'COMMIT',
  ],
  'of an error, after which the name is what it was': [
    'BEGIN',
    'DECLARE c CURSOR FOR SELECT note FROM plain ORDER BY id',
    'SAVEPOINT a',
    'DECLARE c CURSOR FOR SELECT mail FROM people',
    'ROLLBACK TO a',
    'FETCH ALL FROM c',
    'COMMIT',
    'DECLARE c CURSOR FOR SELECT mail FROM people',
  ],
  'quoted names, comments and constants': [
    'BEGIN',
    `DECLARE "For" /* of */ CURSOR FOR SELECT id, mail FROM people WHERE mail = 'bob@x.org' OR score = 5 -- these
      ORDER BY id`,
    '/* two */ FETCH 2 FROM "For"',
    'CLOSE "For"',
    'COMMIT',
  ],
  'a table of plain columns is read as before': [
    'BEGIN',
    'DECLARE p CURSOR FOR SELECT * FROM plain ORDER BY id',
    'DECLARE c CURSOR FOR SELECT id, name FROM people ORDER BY id',
    'FETCH 2 FROM p',
    'FETCH 2 FROM c',
    'COMMIT',
  ],
};

describe.each(['simple', 'extended'] as const)('cursors, %s protocol', (mode) => {
  test.each(Object.entries(CURSORS))('%s', async (_what, script) => same(script, mode));
});

test('several statements of one message: declared, read and closed', async () => {
  await same(
    [
      'BEGIN; DECLARE c CURSOR FOR SELECT mail FROM people ORDER BY id; FETCH 2 FROM c; CLOSE c; COMMIT',
      'DECLARE c CURSOR FOR SELECT mail FROM people ORDER BY id; FETCH 1 FROM c; SELECT 1/0',
      'FETCH 1 FROM c',
    ],
    'simple',
  );
});

test('a BINARY cursor gives binary rows', async () => {
  await same(
    ['BEGIN', 'DECLARE c BINARY CURSOR FOR SELECT id, mail, ssn FROM people ORDER BY id', 'FETCH ALL FROM c', 'COMMIT'],
    'simple',
  );
});

test('DECLARE takes parameters over the protocol, sealed ones too', async () => {
  for (const on of [sealed, twin]) await on.query('BEGIN');
  const declare = 'DECLARE c CURSOR FOR SELECT id, ssn FROM people WHERE mail = $1 OR score = $2 ORDER BY id';
  expect(await run(sealed, declare, 'extended', ['bob@x.org', '5'])).toEqual(
    await run(twin, declare, 'extended', ['bob@x.org', '5']),
  );
  await same(['FETCH ALL FROM c', 'COMMIT'], 'extended');
});

test('WHERE CURRENT OF is right, or refused', async () => {
  for (const on of [sealed, twin]) {
    await on.query('BEGIN');
    await on.query('DECLARE c CURSOR FOR SELECT id, mail FROM people WHERE id = 2 FOR UPDATE');
    await on.query('FETCH c');
  }
  const update = "UPDATE people SET ssn = 'new' WHERE CURRENT OF c";
  const answer = await run(sealed, update, 'simple');
  if (answer === '0A000') {
    await sealed.query('ROLLBACK');
    await twin.query('ROLLBACK');
  } else {
    expect(answer).toEqual(await run(twin, update, 'simple'));
    for (const on of [sealed, twin]) await on.query('COMMIT');
  }
  await same([], 'simple');
});

const PREPARED: Readonly<Record<string, readonly string[]>> = {
  'writes and reads': [
    'PREPARE put (int, text, text) AS INSERT INTO people (id, name, mail) VALUES ($1, $2, $3) RETURNING id, mail',
    "EXECUTE put(10, 'Eve', 'eve@x.org')",
    "EXECUTE put(11, 'Eve', NULL)",
    "EXECUTE put(10, 'Eve', 'again@x.org')",
    "EXECUTE put(12, 'Eve', 'casted@x.org'::text)",
    'PREPARE get AS SELECT id, mail, ssn, amount FROM people WHERE mail = $1',
    "EXECUTE get('eve@x.org')",
    "EXECUTE get ( /* who */ 'bob@x.org' )",
    "EXECUTE get('nobody')",
    'EXECUTE get(NULL)',
    'EXECUTE get',
    "EXECUTE get('a', 'b')",
    'DEALLOCATE get',
    "EXECUTE get('eve@x.org')",
  ],
  'numbers and strings in any form': [
    'PREPARE s AS SELECT id FROM people WHERE score = $1 ORDER BY id',
    'EXECUTE s(5)',
    "EXECUTE s('5')",
    'EXECUTE s(-5)',
    'PREPARE w (int, numeric) AS UPDATE people SET amount = $2, score = $1 WHERE id = 1',
    'EXECUTE w(7, 1.005)',
    "EXECUTE w('8', '2')",
    'EXECUTE w(9, 3)',
  ],
  arrays: [
    'PREPARE a (text[]) AS SELECT id FROM people WHERE mail = ANY($1) ORDER BY id',
    `EXECUTE a('{ann@x.org,"dot@x.org",NULL}')`,
    "EXECUTE a('{}')",
    'EXECUTE a(NULL)',
  ],
  'survives ROLLBACK': [
    'BEGIN',
    'PREPARE put AS INSERT INTO people (id, ssn) VALUES ($1, $2)',
    "EXECUTE put(20, 'x')",
    'ROLLBACK',
    "EXECUTE put(21, 'y')",
    'DEALLOCATE ALL',
    "EXECUTE put(22, 'z')",
    'PREPARE put AS SELECT $1::int AS a, $2::text AS b',
    "EXECUTE put(23, 'plain')",
    'DISCARD ALL',
    "EXECUTE put(24, 'gone')",
  ],
  'a second PREPARE of the name fails, and changes nothing': [
    'PREPARE p AS SELECT $1::text AS given',
    'PREPARE p AS SELECT id FROM people WHERE mail = $1',
    "EXECUTE p('given@plain')",
    'DEALLOCATE p',
    'PREPARE p AS SELECT id FROM people WHERE mail = $1',
    'PREPARE p AS SELECT $1::text AS given',
    "EXECUTE p('ann@x.org')",
  ],
  'no parameters, and constants inside': [
    "PREPARE p AS SELECT ssn FROM people WHERE mail = 'ann@x.org' ORDER BY id LIMIT 1",
    'EXECUTE p',
    "PREPARE q AS UPDATE people SET ssn = 'const' WHERE id = $1",
    'EXECUTE q(2)',
  ],
  'tables of plain columns': [
    'PREPARE p (int) AS SELECT * FROM plain WHERE id = $1',
    'EXECUTE p(2)',
    'CREATE TEMP TABLE made AS EXECUTE p(2)',
    'SELECT * FROM made',
  ],
};

describe.each(['simple', 'extended'] as const)('prepared statements, %s protocol', (mode) => {
  test.each(Object.entries(PREPARED))('%s', async (_what, script) => same(script, mode));
});

describe('prepared statements', () => {
  test('several statements of one message', async () => {
    await same(
      [
        "PREPARE p AS SELECT ssn FROM people WHERE mail = $1; EXECUTE p('ann@x.org'); DEALLOCATE p",
        'PREPARE p AS SELECT ssn FROM people WHERE mail = $1; SELECT 1/0',
        "EXECUTE p('bob@x.org')",
        "EXECUTE p('ann@x.org')",
      ],
      'simple',
    );
  });

  test('share their names with Parse', async () => {
    for (const on of [sealed, twin])
      await on.query({ name: 'by mail', text: 'SELECT id FROM people WHERE mail = $1', values: ['ann@x.org'] });
    await same([`EXECUTE "by mail"('bob@x.org')`, 'DEALLOCATE "by mail"', `EXECUTE "by mail"('bob@x.org')`], 'simple');
  });

  test('CREATE TABLE AS EXECUTE is refused; EXPLAIN EXECUTE shows no value', async () => {
    await sealed.query('PREPARE p AS SELECT mail FROM people WHERE mail = $1');
    await expect(sealed.query("CREATE TABLE copied AS EXECUTE p('ann@x.org')")).rejects.toMatchObject({
      code: '0A000',
    });
    await expect(sealed.query("EXPLAIN CREATE TABLE copied AS EXECUTE p('ann@x.org')")).rejects.toMatchObject({
      code: '0A000',
    });
    const { rows } = await sealed.query("EXPLAIN (VERBOSE) EXECUTE p('ann@x.org')");
    expect(JSON.stringify(rows)).toContain('people');
    expect(JSON.stringify(rows)).not.toContain('ann@');
  });

  test('an expression in a sealed position is refused, and not sent', async () => {
    await sealed.query('PREPARE p AS SELECT id FROM people WHERE mail = $1');
    for (const argument of ["lower('LEAK@x.org')", "'LEAK' || 'x'", "(SELECT 'LEAK')", "'LEAK'::char(3)"])
      await expect(sealed.query(`EXECUTE p(${argument})`)).rejects.toMatchObject({ code: '0A000' });
    await sealed.query('DEALLOCATE p');
    await sealed.query('PREPARE p (int) AS SELECT id FROM people WHERE score = $1');
    await expect(sealed.query('EXECUTE p(4.6)')).rejects.toMatchObject({ code: '0A000' });
  });

  test('a cast that cuts is part of the value', async () => {
    const p = 'PREPARE p AS SELECT id FROM people WHERE mail = $1';
    const runs = ["EXECUTE p('ann@x.orgLEAK'::varchar(9))", "EXECUTE p('ann@x.orgLEAK'::varchar(10))"];
    await same([p, ...runs, 'DEALLOCATE p'], 'simple');
  });

  test('one on a table of the same name in another schema is not run on the sealed one', async () => {
    await sealed.query('SET search_path = other');
    await sealed.query('PREPARE p AS INSERT INTO people (id, name, mail) VALUES ($1, $2, $3)');
    await sealed.query("EXECUTE p(1, 'a', 'plain@x.org')");
    await sealed.query('SET search_path = public');
    await expect(sealed.query("EXECUTE p(99, 'a', 'LEAK@x.org')")).rejects.toMatchObject({ code: '0A000' });
    await sealed.query('SET search_path = other');
    await sealed.query("EXECUTE p(2, 'b', 'plain@x.org')");
    await sealed.query('TRUNCATE other.people');
  });

  test('no value was logged by the server', () => {
    const lines = server
      .log()
      .split('\n')
      .filter((line) => line.includes('LEAK'));
    expect(lines).toEqual([]);
    expect(server.log()).not.toMatch(/sealgate.*ann@x\.org/);
  });
});
