/**
 * Random statements over sealed columns and over plain ones: the same rows, names, types, tags and errors, or a refusal. Which
 * statements a seed gives never changes, so what is found once is found again.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { openSealedDatabase, type SealedDatabase } from '../support/sealed-database.ts';
import { CANARIES, StatementGenerator } from '../support/statement-generator.ts';

const COLUMNS = [
  ['customers', 'email', 'text', 'mail'],
  ['customers', 'ssn', 'varchar(20)', 'ssn'],
  ['customers', 'note', 'text', undefined],
  ['customers', 'score', 'int4', 'scores'],
  ['customers', 'amount', 'numeric(10,2)', 'amounts'],
  ['customers', 'born', 'date', 'dates'],
  ['customers', 'active', 'bool', undefined],
  ['people', 'email', 'text', 'mail'],
  ['people', 'score', 'int4', 'scores'],
  ['people', 'born', 'date', undefined],
] as const;
const RULES = COLUMNS.map(([table, column, type, domain]) =>
  domain === undefined ? { table, column, type } : { table, column, type, mode: 'deterministic' as const, domain },
);

const ddl = (sealed: boolean): string =>
  ['customers', 'people']
    .map((table) => {
      const own = COLUMNS.filter(([of]) => of === table).map(
        ([, name, type]) => `${name} ${sealed ? 'sealgate.sealed' : type}`,
      );
      return `CREATE TABLE ${table} (id int PRIMARY KEY, name text, ${own.join(', ')});`;
    })
    .join('\n') + 'CREATE VIEW v AS SELECT id, email, score, note FROM customers WHERE id > 1;';

const FILL = [
  `INSERT INTO customers VALUES
     (1, 'Ann', 'ann@x.org', '111', 'canary-n1', 5, 1.50, '2001-02-03', true),
     (2, 'Bob', 'bob@x.org', '222', 'canary-n2', -5, 5, '1999-12-31', false),
     (3, 'Cid', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
     (4, 'Dee', 'ann@x.org', '', 'canary-n4', 5, 0, '2001-02-03', NULL)`,
  `INSERT INTO people VALUES
     (1, 'Ann', 'ann@x.org', 5, '2001-02-03'), (2, 'Zoe', 'zoe@x.org', 7, NULL), (5, NULL, NULL, -5, '1999-12-31')`,
];

/** All that the server said. */
const logged: Buffer[] = [];
let server: TestPostgres;
let db: SealedDatabase;
let sealed: pg.Client;
let twin: pg.Client;

beforeAll(async () => {
  const settings = ['log_statement=all', 'log_line_prefix=%d|'];
  server = await startPostgres(settings, undefined, (log) => logged.push(Buffer.from(log)));
  db = await openSealedDatabase(server, 'sealed', ddl(true), RULES);
  sealed = new pg.Client({ connectionString: db.url });
  await sealed.connect();
  await db.direct.query('CREATE DATABASE twin');
  twin = new pg.Client({ connectionString: server.url('twin') });
  await twin.connect();
  await twin.query(ddl(false));
});
afterAll(async () => {
  await sealed.end();
  await twin.end();
  await db.close();
  await server.stop();
});

/** Values as the server's text. */
const AS_TEXT = { getTypeParser: () => (text: unknown) => text } as unknown as pg.CustomTypesConfig; // its overloads

/** Every statement, parameter and complaint of one database, as the server logged it: lines that go on begin with a tab. */
const loggedIn = (database: string): readonly string[] =>
  Buffer.concat(logged)
    .toString('utf8')
    .split(/\n(?!\t)/u)
    .filter((entry) => entry.startsWith(`${database}|`));

type Outcome =
  | {
      readonly type: 'rows';
      readonly command: string;
      readonly count: number | null;
      readonly fields: readonly string[];
      readonly rows: readonly string[];
    }
  | { readonly type: 'error'; readonly sqlstate: string }
  | { readonly type: 'refused'; readonly why: string };

async function ask(on: pg.Client, sql: string, values: readonly unknown[]): Promise<Outcome> {
  try {
    const asked = { text: sql, rowMode: 'array' as const, types: AS_TEXT };
    const { rows, fields, command, rowCount } = await on.query<unknown[]>(
      values.length === 0 ? asked : { ...asked, values: [...values] },
    );
    return {
      type: 'rows',
      command,
      count: rowCount,
      fields: fields.map(({ name, dataTypeID, dataTypeModifier }) => `${name} ${dataTypeID} ${dataTypeModifier}`),
      rows: rows.map((row) => JSON.stringify(row)).sort(),
    };
  } catch (error) {
    const { code = '', routine = '', message } = error as pg.DatabaseError;
    // Any other error is the server's too.
    if (routine.startsWith('ERR_POSTGRES_') && code === '0A000')
      return { type: 'refused', why: `${routine}: ${message}` };
    return { type: 'error', sqlstate: code };
  }
}

async function everything(on: pg.Client): Promise<readonly Outcome[]> {
  const all = [];
  for (const table of ['customers', 'people']) all.push(await ask(on, `SELECT * FROM ${table}`, []));
  return all;
}

const STATEMENTS = 150;

test.each([
  [1, 'narrow'],
  [2, 'narrow'],
  [3, 'narrow'],
  [4, 'narrow'],
  [5, 'wide'],
  [6, 'wide'],
  [7, 'wide'],
] as const)('seed %i, %s', { timeout: 300_000 }, async (seed, shapes) => {
  const generator = new StatementGenerator(seed, shapes);
  let refused = 0;
  for (const on of [sealed, twin]) {
    await on.query('TRUNCATE customers, people');
    for (const sql of FILL) await on.query(sql);
  }
  for (let n = 0; n < STATEMENTS; n++) {
    const { sql, values, changes } = generator.next();
    const got = await ask(sealed, sql, values);
    if (got.type === 'refused') {
      refused += 1;
      // Nothing may have happened.
      if (changes)
        expect({ sql, values, all: await everything(sealed) }).toEqual({ sql, values, all: await everything(twin) });
      continue;
    }
    expect({ sql, values, outcome: got }).toEqual({ sql, values, outcome: await ask(twin, sql, values) });
    if (changes)
      expect({ sql, values, all: await everything(sealed) }).toEqual({ sql, values, all: await everything(twin) });
  }
  // Most must go through, else little is compared.
  expect(refused).toBeLessThan(STATEMENTS / 2);
  const stored = JSON.stringify((await db.direct.query('SELECT customers::text AS c FROM customers')).rows);
  for (const canary of CANARIES) expect(stored).not.toContain(Buffer.from(canary).toString('hex'));
});

test('Nothing of it is in what the server logged of statements and parameters', () => {
  const found = (database: string): readonly string[] =>
    loggedIn(database).filter((line) => CANARIES.some((canary) => line.includes(canary)));
  expect(loggedIn('sealed').length).toBeGreaterThan(STATEMENTS);
  expect(found('sealed')).toEqual([]);
  expect(found('twin').length).toBeGreaterThan(STATEMENTS);
});
