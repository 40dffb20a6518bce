/**
 * The value codecs against a real server: whatever it takes, prints or refuses, in text and binary, so do we.
 */
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import type { LogicalType } from '../../../src/postgres/plan.ts';
import { openServiceConnection, type ServiceConnection } from '../../../src/postgres/service/connection.ts';
import { ServerTimeZones } from '../../../src/postgres/service/time-zones.ts';
import type { ValueContext } from '../../../src/postgres/types/codec.ts';
import { ValueError } from '../../../src/postgres/types/errors.ts';
import { comparisonClass } from '../../../src/postgres/types/registry.ts';
import { formatLogicalType, parseLogicalType } from '../../../src/postgres/types/type-text.ts';
import { printValue, readList, readValue } from '../../../src/postgres/types/values.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { testedVersion } from '../../support/postgres/versions.ts';
import { OTHER_VALUES } from './other-values.ts';
import { TIME_VALUES } from './time-values.ts';
import { VALUES } from './values.ts';

let server: TestPostgres;
let client: pg.Client;
let service: ServiceConnection;
let zones: ServerTimeZones;

const raw = { getTypeParser: () => (value: unknown) => value };
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Europe/Amsterdam',
  'Australia/Lord_Howe',
  '<+0330>-03:30',
];

beforeAll(async () => {
  server = await startPostgres(['timezone=Europe/Berlin']);
  client = await connectTo(server.url());
  service = openServiceConnection({
    host: server.host,
    port: server.port,
    user: 'postgres',
    password: server.password,
    database: 'postgres',
  });
  zones = new ServerTimeZones(service);
  for (const zone of ZONES) await zones.load(zone);
});

afterAll(async () => {
  await client.end();
  await service.close();
  await server.stop();
});

type Answer = { readonly text: string; readonly binary: string } | { readonly sqlstate: string };

function contextOf(type: LogicalType, timeZone = 'UTC', purpose: 'store' | 'compare' = 'store'): ValueContext {
  const settings = { timeZone, dateStyle: 'ISO, MDY', clientEncoding: 'UTF8', serverVersion: testedVersion() };
  return { type, purpose, zones, settings };
}

/** Send functions that are not simply the type's name. */
const UNDERSCORED: ReadonlySet<string> = new Set([
  ...[
    'numeric',
    'date',
    'timestamptz',
    'timestamp',
    'time',
    'timetz',
    'interval',
    'uuid',
    'jsonb',
    'json',
    'inet',
    'cidr',
  ],
  ...['macaddr', 'macaddr8', 'bit', 'varbit', 'array'],
]);
const sendOf = (name: string): string => `${name}${UNDERSCORED.has(name) ? '_send' : 'send'}`;

/** What the server makes of a value stored in a column of the type (npm pg reads binary results as text, hence the send function). */
async function serverAnswer(value: string | Buffer, send: string): Promise<Answer> {
  const text = `INSERT INTO probe (v) VALUES ($1) RETURNING v AS text, encode(${send}(v), 'hex') AS binary`;
  try {
    const { rows } = await client.query<{ text: string; binary: string }>({
      text,
      values: [value],
      types: raw,
    });
    return { text: rows[0]?.text ?? '', binary: rows[0]?.binary ?? '' };
  } catch (error) {
    return { sqlstate: String((error as { code?: string }).code) };
  }
}

function ownAnswer(value: string | Buffer, context: ValueContext): Answer & { unsupported?: true } {
  try {
    const canonical = readValue(Buffer.from(value as string), typeof value === 'string' ? 'text' : 'binary', context);
    return {
      text: Buffer.from(printValue(canonical, 'text', context)).toString(),
      binary: Buffer.from(printValue(canonical, 'binary', context)).toString('hex'),
    };
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    return error.code === 'ERR_POSTGRES_VALUE_UNSUPPORTED'
      ? { sqlstate: error.sqlstate, unsupported: true }
      : { sqlstate: error.sqlstate };
  }
}

async function columnFor(type: LogicalType): Promise<string> {
  await client.query('DROP TABLE IF EXISTS probe');
  await client.query(`CREATE TEMP TABLE probe (v ${formatLogicalType(type)})`);
  return sendOf(type.name);
}

/** On an older server without those that only later ones take. */
async function takenBy(values: readonly string[], column: string): Promise<readonly string[]> {
  if (testedVersion() === 18) return values;
  const taken: string[] = [];
  for (const value of values) if ('text' in (await serverAnswer(value, column))) taken.push(value);
  return taken;
}

describe.each(Object.entries({ ...VALUES, ...TIME_VALUES, ...OTHER_VALUES }))('%s', (name, values) => {
  const type = parseLogicalType(name);

  test('text input, text output and binary output are the server’s, and so are the errors', async () => {
    const column = await columnFor(type);
    await client.query("SET TimeZone = 'UTC'");
    for (const value of [...values.taken, ...values.refused]) {
      expect({ value, ...ownAnswer(value, contextOf(type)) }).toEqual({
        value,
        ...(await serverAnswer(value, column)),
      });
    }
  });

  test('forms whose meaning only the server knows are refused, never guessed', () => {
    for (const value of values.unsupported ?? []) {
      expect({ value, ...ownAnswer(value, contextOf(type)) }).toEqual({ value, sqlstate: '0A000', unsupported: true });
    }
  });

  test('binary input is read as the same value', async () => {
    const column = await columnFor(type);
    for (const value of await takenBy(values.taken, column)) {
      const answer = await serverAnswer(value, column);
      if (!('binary' in answer)) throw new Error(`refused: ${value}`);
      const again = readValue(Buffer.from(answer.binary, 'hex'), 'binary', contextOf(type));
      const once = readValue(Buffer.from(value), 'text', contextOf(type));
      expect({ value, canonical: Buffer.from(again) }).toEqual({ value, canonical: Buffer.from(once) });
    }
  });

  test('canonical bytes are equal exactly when the server says the values are', async () => {
    if (comparisonClass(type) === undefined) return;
    const taken = await takenBy(values.taken, await columnFor(type));
    await columnFor(type);
    for (const value of taken) await client.query('INSERT INTO probe (v) VALUES ($1)', [value]);
    await client.query('ALTER TABLE probe ADD COLUMN i int GENERATED ALWAYS AS IDENTITY');
    const { rows } = await client.query<{ a: number; b: number }>(
      'SELECT a.i AS a, b.i AS b FROM probe a, probe b WHERE a.v = b.v',
    );
    const equal = new Set(rows.map(({ a, b }) => `${a} ${b}`));
    const canonical = taken.map((value) =>
      Buffer.from(readValue(Buffer.from(value), 'text', contextOf(type))).toString('hex'),
    );
    canonical.forEach((a, i) =>
      canonical.forEach((b, j) =>
        expect([taken[i], taken[j], a === b]).toEqual([taken[i], taken[j], equal.has(`${i + 1} ${j + 1}`)]),
      ),
    );
  });
});

describe('malformed binary input gets the server’s SQLSTATE', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['int4', '0000'],
    ['int8', '00000001'],
    ['int2', '000000'],
    ['bool', '0000'],
    ['uuid', '00'.repeat(15)],
    ['date', '7fffffffff'],
    ['date', '7ffffff0'],
    ['timestamptz', '7ffffffffffffff0'],
    ['text', 'ff'],
    ['text', '6100'],
    ['varchar(2)', '616263'],
    ['varchar(2)', '61622020'],
    ['numeric', '00010000500000000001'],
    ['numeric', '00010000000000002710'],
    ['numeric', '0001000000004fff0001'],
    ['numeric', '000200000000000100010001'],
    ['numeric(4,2)', '0001000000000000270f'],
    ['numeric', '0000000000000005'],
    ['numeric', '00000000c0000000'],
    ['numeric', '00000000d0000020'],
    ['jsonb', '017b7d'],
    ['jsonb', '017b'],
  ];
  test.each(cases)('%s %s', async (name, hex) => {
    const type = parseLogicalType(name);
    const column = await columnFor(type);
    const value = Buffer.from(hex, 'hex');
    expect(ownAnswer(value, contextOf(type))).toEqual(await serverAnswer(value, column));
  });
});

describe('time zones are the server’s own', () => {
  const type = parseLogicalType('timestamptz');
  const instants = [
    '1799-06-01 12:00:00+00',
    '1834-12-31 23:59:59+00',
    '1893-03-31 23:06:31+00',
    '1893-03-31 23:06:32+00',
    '1937-07-01 00:00:00+00',
    '1945-05-24 00:00:00+00',
    '1969-12-31 23:59:59.999999+00',
    '2024-03-31 00:59:59+00',
    '2024-03-31 01:00:00+00',
    '2024-10-27 00:59:59+00',
    '2024-10-27 01:00:00+00',
    '2038-07-01 00:00:00+00',
    '2437-07-01 00:00:00+00',
    '2438-03-29 12:00:00+00',
    '9999-12-31 23:59:59+00',
    '294276-07-01 00:00:00+00',
    '0044-03-15 12:00:00+00 BC',
    '4713-01-01 00:00:00+00 BC',
  ];
  const locals = [
    '2024-03-31 02:30:00',
    '2024-10-27 02:30:00',
    '2024-10-27 02:00:00',
    '2024-03-31 02:00:00',
    '2024-03-31 03:00:00',
    '1893-04-01 00:03:00',
    '2024-10-06 02:15:00',
    '2024-04-07 01:45:00',
    '2024-03-10 02:30:00',
    '2024-11-03 01:30:00',
    '1986-01-01 00:10:00',
    '2900-07-01 12:00:00',
    '1937-06-30 23:59:59',
    '0001-01-01',
    '100000-07-01 12:00',
    '0044-03-15 12:00 BC',
  ];
  test.each(ZONES)('printing and reading in %s', async (timeZone) => {
    const column = await columnFor(type);
    await client.query(`SELECT set_config('TimeZone', $1, false)`, [timeZone]);
    for (const value of [...instants, ...locals]) {
      expect({ value, ...ownAnswer(value, contextOf(type, timeZone)) }).toEqual({
        value,
        ...(await serverAnswer(value, column)),
      });
    }
  });
  test('a zone that was never asked for is refused in text and taken in binary', () => {
    expect(ownAnswer('2024-01-01 00:00', contextOf(type, 'Mars/Olympus'))).toEqual({
      sqlstate: '0A000',
      unsupported: true,
    });
    expect(() => readValue(new Uint8Array(8), 'binary', contextOf(type, 'Mars/Olympus'))).not.toThrow();
  });
});

describe('random values', () => {
  const date = fc.tuple(
    fc.integer({ min: 1, max: 6000 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 31 }),
  );
  const arbitraries: Readonly<Record<string, fc.Arbitrary<string>>> = {
    'numeric(12,3)': fc
      .tuple(fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }), fc.integer({ min: -6, max: 3 }))
      .map(([m, e]) => `${m}e${e}`),
    numeric: fc.tuple(fc.bigInt(), fc.integer({ min: -40, max: 40 })).map(([m, e]) => `${m}e${e}`),
    int4: fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n })).map(String),
    jsonb: fc.oneof(
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify(value, undefined, 1)),
    ),
    date: date.map(([y, m, d]) => `${String(y).padStart(4, '0')}-${m}-${d}`),
    timestamptz: fc
      .tuple(date, fc.nat(86_400_000), fc.integer({ min: -12, max: 14 }))
      .map(
        ([[y, m, d], ms, zone]) =>
          `${String(y).padStart(4, '0')}-${m}-${d}T${new Date(ms % 86_400_000).toISOString().slice(11, 23)}${zone < 0 ? '-' : '+'}${String(Math.abs(zone)).padStart(2, '0')}`,
      ),
    'varchar(5)': fc.string({ unit: 'binary', maxLength: 8 }),
    'char(5)': fc.string({ unit: 'binary', maxLength: 8 }),
    float8: fc.oneof(
      fc.double({ noNaN: true }).map(String),
      fc
        .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: -340, max: 300 }))
        .map(([m, e]) => `${m}e${e}`),
    ),
    float4: fc.oneof(
      fc.float({ noNaN: true }).map(String),
      fc
        .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.integer({ min: -55, max: 30 }))
        .map(([m, e]) => `${m}e${e}`),
    ),
    interval: fc
      .tuple(fc.integer({ min: -200, max: 200 }), fc.integer({ min: -40, max: 40 }), fc.integer(), fc.nat(999_999))
      .map(
        ([months, days, seconds, micros]) =>
          `${months} months ${days} days ${seconds}.${String(micros).padStart(6, '0')} seconds`,
      ),
    inet: fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.tuple(fc.ipV6(), fc.nat(130)).map(([ip, bits]) => `${ip}/${bits}`),
      fc.tuple(fc.ipV4(), fc.nat(34)).map(([ip, bits]) => `${ip}/${bits}`),
    ),
    cidr: fc.tuple(fc.ipV4(), fc.nat(34)).map(([ip, bits]) => `${ip}/${bits}`),
    'varbit(20)': fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 24 }),
    'text[]': fc
      .array(fc.string({ unit: 'binary' }), { maxLength: 4 })
      .map((items) => `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`),
    json: fc.json(),
  };
  test.each(Object.entries(arbitraries))('%s', async (name, arbitrary) => {
    const type = parseLogicalType(name);
    const column = await columnFor(type);
    await client.query("SET TimeZone = 'America/St_Johns'");
    await fc.assert(
      fc.asyncProperty(arbitrary, async (value) => {
        expect(ownAnswer(value, contextOf(type, 'America/St_Johns'))).toEqual(await serverAnswer(value, column));
      }),
      { numRuns: 150 },
    );
  });
});

const STYLED: Readonly<Record<string, readonly string[]>> = {
  date: ['2024-02-29', '0044-03-15 BC', '12345-01-02', '1/2/2024', '2024/3/4', '3-4-2024', 'infinity', '04.05.2024'],
  timestamp: [
    '2024-02-29 12:34:56.789',
    '0044-03-15 12:00 BC',
    '12345-01-02 00:00',
    '1/2/2024 3:04',
    '-infinity',
    '12.11.2010 09:08',
  ],
  timestamptz: [
    '2024-02-29 12:34:56.789+00',
    '2024-07-01 00:00+00',
    '0044-03-15 12:00+00 BC',
    '1850-01-01 00:00+00',
    '1/2/2024 3:04',
  ],
  'timestamptz[]': ['{"2024-07-01 00:00+00",NULL,infinity}'],
};
describe.each(['ISO', 'SQL', 'Postgres', 'German'])('DateStyle %s', (style) => {
  test.each(['MDY', 'DMY', 'YMD'])('and order %s read and print as the server does', async (order) => {
    const dateStyle = `${style}, ${order}`;
    for (const [name, values] of Object.entries(STYLED)) {
      const type = parseLogicalType(name);
      const column = await columnFor(type);
      for (const timeZone of ['UTC', 'Europe/Berlin', '<+0330>-03:30']) {
        await zones.load(timeZone, style !== 'ISO');
        await client.query('SELECT set_config($1, $2, false), set_config($3, $4, false)', [
          ...['DateStyle', dateStyle, 'TimeZone', timeZone],
        ]);
        const context = contextOf(type, timeZone);
        const styled = { ...context, settings: { ...context.settings, dateStyle } };
        for (const value of values) {
          const place = { dateStyle, timeZone, name, value };
          expect({ ...place, ...ownAnswer(value, styled) }).toEqual({
            ...place,
            ...(await serverAnswer(value, column)),
          });
        }
      }
    }
    await client.query('RESET DateStyle; RESET TimeZone');
  });
});

describe.each(['postgres', 'postgres_verbose', 'sql_standard', 'iso_8601'])('IntervalStyle %s', (intervalStyle) => {
  test('reads and prints as the server does', async () => {
    const type = parseLogicalType('interval');
    const column = await columnFor(type);
    await client.query(`SET IntervalStyle = '${intervalStyle}'`);
    const context = contextOf(type);
    const styled = { ...context, settings: { ...context.settings, intervalStyle } };
    for (const value of await takenBy(TIME_VALUES['interval']?.taken ?? [], column)) {
      const printed = ownAnswer(value, styled);
      expect({ value, ...printed }).toEqual({ value, ...(await serverAnswer(value, column)) });
      if (!('text' in printed)) throw new Error('refused');
      // What is printed is read again.
      expect(ownAnswer(printed.text, styled)).toEqual(await serverAnswer(printed.text, column));
    }
    await client.query('RESET IntervalStyle');
  });
});

test.each([-15, -4, -1, 0, 1, 3])('extra_float_digits %i', async (extraFloatDigits) => {
  await client.query(`SET extra_float_digits = ${extraFloatDigits}`);
  for (const name of ['float4', 'float8']) {
    const type = parseLogicalType(name);
    const column = await columnFor(type);
    const context = contextOf(type);
    const styled = { ...context, settings: { ...context.settings, extraFloatDigits } };
    for (const value of OTHER_VALUES[name]?.taken ?? [])
      expect({ name, value, ...ownAnswer(value, styled) }).toEqual({
        name,
        value,
        ...(await serverAnswer(value, column)),
      });
  }
  await client.query('RESET extra_float_digits');
});

test('bytea_output escape', async () => {
  await client.query("SET bytea_output = 'escape'");
  const type = parseLogicalType('bytea');
  const column = await columnFor(type);
  const context = contextOf(type);
  const styled = { ...context, settings: { ...context.settings, byteaOutput: 'escape' } };
  for (const value of VALUES['bytea']?.taken ?? [])
    expect({ value, ...ownAnswer(value, styled) }).toEqual({ value, ...(await serverAnswer(value, column)) });
  await client.query('RESET bytea_output');
});

describe('arrays for = ANY', () => {
  const literals = [
    '{}',
    '{a}',
    ' { a , b } ',
    '{"a b","c,d"}',
    '{NULL,null,"NULL"}',
    '{a\\,b}',
    '{"a\\"b"}',
    '{"\\\\"}',
    '[0:1]={a,b}',
    '{a\\ }',
    '{ü,"ß "}',
    '{a b}',
    '{""}',
    '{N\\ULL}',
  ];
  test.each(literals)('text literal %s', async (literal) => {
    const { rows } = await client.query<{ e: string | null }>(
      'SELECT e FROM unnest($1::text[]) WITH ORDINALITY AS u(e, n) ORDER BY n',
      [literal],
    );
    const own = readList(Buffer.from(literal), 'text', contextOf(parseLogicalType('text')));
    expect(own.map((element) => (element === undefined ? null : Buffer.from(element).toString()))).toEqual(
      rows.map(({ e }) => e),
    );
  });
  test.each(['', '{', '{a', '{a}}', '{a,}', '{,a}', '{a "b"}', '{"a"b}', 'a'])(
    'malformed literal %s',
    async (literal) => {
      await expect(client.query('SELECT $1::text[]', [literal])).rejects.toMatchObject({ code: '22P02' });
      expect(() => readList(Buffer.from(literal), 'text', contextOf(parseLogicalType('text')))).toThrow(
        expect.objectContaining({ sqlstate: '22P02' }),
      );
    },
  );
  test('a binary array as the server sends it', async () => {
    const { rows } = await client.query<{ v: Buffer }>('SELECT array_send(ARRAY[1, NULL, -7]::int4[]) AS v');
    const own = readList(rows[0]?.v ?? new Uint8Array(), 'binary', contextOf(parseLogicalType('int8')));
    const seven = readValue(Buffer.from('-7'), 'text', contextOf(parseLogicalType('int8')));
    expect([own.length, own[1], own[2]]).toEqual([3, undefined, seven]);
  });
});
