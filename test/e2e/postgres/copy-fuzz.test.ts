/**
 * Random data under random options of COPY, into sealed columns and into plain ones: the same rows, or the same error at the same line; then
 * out again, byte for byte. What a seed gives never changes.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import { copyIn, copyOut, type CopyAnswer } from '../../support/postgres/copy.ts';
import { deterministicRandom } from '../../support/deterministic-random.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { RawClient } from '../../support/postgres/proxy.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const RULES = [
  { table: 't', column: 'b', type: 'text', mode: 'deterministic' as const },
  { table: 't', column: 'd', type: 'text' },
];
const ddl = (type: string): string => `CREATE TABLE t (a text, b ${type}, c text, d ${type})`;

let server: TestPostgres;
let db: SearchedDatabase;
let clients: { readonly sealed: RawClient; readonly twin: RawClient };
let direct: { readonly sealed: pg.Client; readonly twin: pg.Client };

beforeAll(async () => {
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'sealed', ddl('sealgate.sealed'), RULES);
  const twinUrl = await db.openTwin();
  direct = {
    sealed: new pg.Client({ connectionString: db.url }),
    twin: new pg.Client({ connectionString: twinUrl }),
  };
  await direct.sealed.connect();
  await direct.twin.connect();
  await direct.twin.query(ddl('text'));
  clients = { sealed: await RawClient.login(db.url), twin: await RawClient.login(twinUrl) };
});
afterAll(async () => {
  expect(db.canaries.needles.length).toBeGreaterThan(50);
  clients.sealed.end();
  clients.twin.end();
  await direct.sealed.end();
  await direct.twin.end();
  await db.close();
  await server.stop();
});

class Dice {
  readonly #bytes: () => number;
  readonly #seed: string;
  #marks = 0;

  constructor(seed: string) {
    this.#seed = seed;
    const random = deterministicRandom(seed);
    this.#bytes = () => {
      const [high = 0, low = 0] = random(2);
      return high * 256 + low;
    };
  }

  below(limit: number): number {
    return this.#bytes() % limit;
  }

  /** One of several. */
  of<T>(...choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  /** Of one field alone, to be looked for where that was sealed; of letters that no format gives a meaning. */
  mark(): string {
    const number = (this.#marks++).toString(8).padStart(4, '0');
    return `kruw${this.#seed}${number.replaceAll(/\d/gu, (digit) => 'ghijklmo'[Number(digit)] ?? '')}`;
  }
}

const quoted = (text: string): string =>
  `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\t', '\\t')}'`;

type Format = {
  readonly csv: boolean;
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  readonly nullMarker: string;
};

function formatOf(dice: Dice): Format {
  const csv = dice.chance(2);
  const quote = dice.of('"', '"', "'", 'f', '\\', '5');
  return {
    csv,
    delimiter: csv ? dice.of(',', ',', ';', '\\', 'x', 'a') : dice.of('\t', '\t', '|', ',', 'Z'),
    quote,
    escape: dice.of(quote, quote, '\\', '!', '0'),
    nullMarker: csv ? dice.of('', '', 'NULL', '\\N', 'b') : dice.of('\\N', '\\N', 'NULL', '', '\\x'),
  };
}

function optionsOf({ csv, delimiter, quote, escape, nullMarker }: Format, extra: readonly string[]): string {
  const options = [`FORMAT ${csv ? 'csv' : 'text'}`, `DELIMITER ${quoted(delimiter)}`, `NULL ${quoted(nullMarker)}`];
  if (csv) options.push(`QUOTE ${quoted(quote)}`, `ESCAPE ${quoted(escape)}`);
  return `(${[...options, ...extra].join(', ')})`;
}

function dataOf(dice: Dice, format: Format): string {
  const { csv, delimiter, quote, escape, nullMarker } = format;
  const lineEnd = dice.of('\n', '\n', '\r\n', '\r');
  const atoms = [
    'p',
    'q',
    'é',
    ' ',
    '',
    nullMarker,
    '\\\\',
    csv ? `${quote}s,${escape}${quote}t${quote}` : '\\t\\x41\\101',
  ];
  const wild = [
    ...atoms,
    delimiter,
    quote,
    escape,
    '\\',
    '\\.',
    '\n',
    '\r',
    lineEnd,
    `${quote}\n${quote}`,
    '\\N',
    '\\n',
    '\\x',
    '\\7',
  ];
  const isWild = dice.chance(2);
  const field = (): string => {
    let text = dice.chance(3) ? dice.mark() : '';
    for (let parts = dice.below(4); parts > 0; parts--) {
      const from = isWild && dice.chance(6) ? wild : atoms;
      text += from[dice.below(from.length)] ?? '';
    }
    return text;
  };
  const rows = Array.from({ length: dice.below(5) }, () => [field(), field(), field(), field()].join(delimiter));
  return rows.join(lineEnd) + (dice.chance(4) ? '' : lineEnd);
}

const errorOf = ({ error }: CopyAnswer): unknown =>
  error && { code: error.code, message: error.message, context: error.context?.replace(/: ".*$/s, '') };

const rowsOf = async (on: pg.Client): Promise<unknown> =>
  (await on.query({ text: 'SELECT a, b, c, d FROM t', rowMode: 'array' })).rows;

const ROUNDS = 60;

test.each(['one', 'three'])('seed %s', { timeout: 180_000 }, async (seed) => {
  const dice = new Dice(seed);
  let stored = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const format = formatOf(dice);
    const data = dataOf(dice, format);
    const extra = format.csv
      ? dice.of([], [], ['FORCE_NULL (b)'], ['FORCE_NOT_NULL (b, c)'], ['FORCE_NULL (a, d)'])
      : [];
    const header = dice.chance(5) ? ['HEADER'] : [];
    const sql = `COPY t FROM STDIN ${optionsOf(format, [...extra, ...header])}`;
    const ways = { pieceBytes: dice.of(1, 2, 3, 1000), protocol: dice.of('simple', 'extended') } as const;
    for (const on of [direct.sealed, direct.twin]) await on.query('TRUNCATE t');
    const sealed = await copyIn(clients.sealed, sql, data, ways);
    const twin = await copyIn(clients.twin, sql, data, ways);
    const isRefused =
      twin.data.length === 0 && sealed.error !== undefined && twin.error !== undefined && twin.error.code !== '22P04';
    const where = { round, sql, data };
    if (!isRefused) expect({ ...where, error: errorOf(sealed) }).toEqual({ ...where, error: errorOf(twin) });
    expect({ ...where, rows: await rowsOf(direct.sealed) }).toEqual({ ...where, rows: await rowsOf(direct.twin) });
    if (twin.error !== undefined) continue;
    stored++;
    const out = formatOf(dice);
    const force = out.csv ? dice.of([], ['FORCE_QUOTE (b)'], ['FORCE_QUOTE *']) : [];
    const back = dice.chance(4) ? 'COPY t TO STDOUT BINARY' : `COPY t TO STDOUT ${optionsOf(out, force)}`;
    const given = await copyOut(clients.sealed, back);
    const expected = await copyOut(clients.twin, back);
    expect({ ...where, back, code: given.error === undefined, data: given.data.toString('latin1') }).toEqual({
      ...where,
      back,
      code: expected.error === undefined,
      data: expected.data.toString('latin1'),
    });
  }
  expect(stored).toBeGreaterThan(ROUNDS / 3);
});
