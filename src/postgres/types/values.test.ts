import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBinaryArray, encodeBinaryArray } from './array/binary.ts';
import { listOf } from './array/shape.ts';
import type { ValuePurpose } from '../plan.ts';
import type { ValueContext } from './codec.ts';
import { decodeDecimal, encodeDecimal, encodeSafeInteger, finite, formatDecimal } from './decimal.ts';
import { parseDecimal } from './decimal-text.ts';
import { ValueError } from './errors.ts';
import { decodeNumericBinary, encodeNumericBinary } from './numeric-binary.ts';
import { numericModifier, varcharLimit } from './modifiers.ts';
import { formatLogicalType, parseLogicalType } from './type-text.ts';
import { printValue, readList, readValue } from './values.ts';

function contextOf(
  type: string,
  more: { purpose?: ValuePurpose; clientEncoding?: string; dateStyle?: string; serverVersion?: number } = {},
): ValueContext {
  const utc = { offsetAt: () => 0, offsetForLocal: () => 0 };
  const { purpose = 'store', clientEncoding = 'UTF8', dateStyle = 'ISO, MDY', serverVersion } = more;
  return {
    type: parseLogicalType(type),
    purpose,
    zones: { zone: () => utc },
    settings: { timeZone: 'UTC', dateStyle, clientEncoding, ...(serverVersion === undefined ? {} : { serverVersion }) },
  };
}

const canonical = (type: string, text: string, purpose: ValuePurpose = 'store'): string =>
  Buffer.from(readValue(Buffer.from(text), 'text', contextOf(type, { purpose }))).toString('hex');

/** Frozen: these bytes are sealed in users' databases, and deterministic columns compare by them. */
const CANONICAL: readonly (readonly [type: string, text: string, hex: string])[] = [
  ['text', 'é', 'c3a9'],
  ['varchar(3)', 'abc  ', '616263'],
  ['int2', '-1', '000000ffffffffffffffff'],
  ['int4', '5', '0000000000000000000005'],
  ['int8', '9223372036854775807', '0000007fffffffffffffff'],
  ['numeric(10,2)', '5.00', '0000000000000000000005'],
  ['numeric(10,2)', '-1.50', '000001fffffffffffffff1'],
  ['numeric', '1.50', '0000020000000000000096'],
  ['numeric', 'NaN', '0100000000000000000000'],
  ['numeric', 'Infinity', '0200000000000000000000'],
  ['numeric', '-Infinity', '0300000000000000000000'],
  ['numeric(30,0)', '9223372036854775808', '00000000000000000000008000000000000000'],
  ['bool', 'yes', '01'],
  ['date', '2000-01-02', '00000001'],
  ['date', 'infinity', '7fffffff'],
  ['timestamptz', '2000-01-01 00:00:00.000001+00', '0000000000000001'],
  ['uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc999c0b4ef8bb6d6bb9bd380a11'],
  ['jsonb', '{"b":1.0,"a":2}', Buffer.from('{"a": 2, "b": 1.0}').toString('hex')],
  ['bytea', '\\x00ff', '00ff'],
  ['char(5)', 'abc  ', '616263'],
  ['float4', '-1.5', 'bfc00000'],
  ['float8', '0.1', '3fb999999999999a'],
  ['float8', '-0', '8000000000000000'],
  ['time', '24:00:00', '000000141dd76000'],
  ['time(0)', '00:00:00.5', '00000000000f4240'],
  ['timetz', '00:00:01+02', '00000000000f4240ffffe3e0'],
  ['timestamp', '2000-01-01 00:00:00.000001', '0000000000000001'],
  ['timestamp', '-infinity', '8000000000000000'],
  ['interval', '1 year 2 days 00:00:01', '00000000000f4240000000020000000c'],
  ['interval', 'infinity', '7fffffffffffffff7fffffff7fffffff'],
  ['inet', '10.1.2.3/8', '02080a010203'],
  ['cidr', '10.0.0.0/8', '02080a000000'],
  ['inet', '::1', `0380${'00'.repeat(15)}01`],
  ['macaddr', '8:0:2b:1:2:3', '08002b010203'],
  ['macaddr8', '08002b010203', '08002bfffe010203'],
  ['bit(3)', '101', '00000003a0'],
  ['varbit', 'X1FF', '0000000c1ff0'],
  ['json', ' {"a" : 1}', Buffer.from(' {"a" : 1}').toString('hex')],
  ['int2[]', '{}', '00'],
  ['int2[]', '[0:1]={1,NULL}', '010000000200000000' + '0000000b' + '0000000000000000000001' + 'ffffffff'],
  ['varchar(3)[]', '{{a},{b}}', '02' + '0000000200000001' + '0000000100000001' + '0000000161' + '0000000162'],
];

describe('canonical bytes', () => {
  test.each(CANONICAL)('of %s %s are frozen', (type, text, hex) => {
    expect(canonical(type, text)).toBe(hex);
  });

  test.each([
    ['007', '7'],
    ['-0', '0'],
    ['+5', '5'],
    [' 5\n', '5'],
    ['1_000', '1000'],
    ['0x10', '16'],
    ['000000000000000000000042', '42'],
    ['999999999999999', '999999999999999'],
    ['-9007199254740993', '-9007199254740993'],
  ])('of the integer %j are those of %s', (text, plain) => {
    expect(canonical('int8', text)).toBe(canonical('numeric(30,0)', plain));
  });

  test.each(['2000-01-02 +00', '2000-01-02 -11', '2000-01-02 +05:30', '2000-01-02 23:30:00-08'])(
    'of the date %j are those of the day it names, whatever its zone',
    (text) => {
      expect(canonical('date', text)).toBe(canonical('date', '2000-01-02'));
    },
  );

  test('of a date in ISO form are the same with a blank before it, in every DateStyle; so is the refusal of what is none', () => {
    const number = (max: number, digits: number) =>
      fc.integer({ min: 0, max }).map((value) => String(value).padStart(digits, '0'));
    const separator = fc.constantFrom('-', '-', '-', '-', '/', '.', ' ');
    const near = fc.tuple(
      number(9999, 4),
      separator,
      number(14, 2),
      separator,
      number(33, 2),
      fc.constantFrom('', '', ' ', '1', 'x'),
    );
    const outcome = (text: string, dateStyle: string): unknown => {
      try {
        return readValue(Buffer.from(text), 'text', contextOf('date', { dateStyle }));
      } catch (error) {
        return error instanceof ValueError ? [error.code, error.message] : error;
      }
    };
    const style = fc.constantFrom('ISO, MDY', 'ISO, DMY', 'SQL, DMY', 'German', 'Postgres, YMD');
    const alike = fc.property(near, style, (parts, dateStyle) => {
      const text = parts.join('');
      expect(outcome(text, dateStyle)).toEqual(outcome(` ${text}`, dateStyle));
    });
    fc.assert(alike, {
      numRuns: 2000,
      examples: [
        [['2024', '-', '02', '-', '29', ''], 'SQL, DMY'],
        [['0000', '-', '01', '-', '01', ''], 'ISO, MDY'],
      ],
    });
    expect(canonical('date', '2024-02-29')).toBe('00002279');
  });

  test('of a timestamp without a time are those of its midnight in its zone', () => {
    expect(canonical('timestamptz', '2000-01-02 +01')).toBe(canonical('timestamptz', '2000-01-01 23:00:00Z'));
    expect(() => canonical('date', '2000-01-02 +')).toThrow(expect.objectContaining({ sqlstate: '0A000' }));
    expect(() => canonical('date', '2000-01-02-11')).toThrow(expect.objectContaining({ sqlstate: '0A000' }));
  });

  test.each(['', '-', '--5', '5-', '5a', '1e3', '/', ':'])('%j is no integer', (text) => {
    expect(() => canonical('int8', text)).toThrow(expect.objectContaining({ sqlstate: '22P02' }));
  });

  test.each([
    ['int2', '32768'],
    ['int2', '-32769'],
    ['int4', '2147483648'],
    ['int4', '-2147483649'],
    ['int8', '9223372036854775808'],
  ])('%s has no %s', (type, text) => {
    expect(() => canonical(type, text)).toThrow(expect.objectContaining({ sqlstate: '22003' }));
  });

  test('comparing neither rounds nor cuts', () => {
    expect(canonical('numeric(10,2)', '1.005', 'compare')).not.toBe(canonical('numeric(10,2)', '1.01'));
    expect(canonical('varchar(3)', 'abc  ', 'compare')).not.toBe(canonical('varchar(3)', 'abc'));
  });

  test('a cast with a modifier cuts and rounds, and only then the column judges', () => {
    const read = (text: string, cast: string, type: string, purpose: ValuePurpose = 'store') =>
      Buffer.from(
        readValue(Buffer.from(text), 'text', contextOf(type, { purpose }), { cast: parseLogicalType(cast) }),
      ).toString('hex');
    expect(read('äbcdef', 'varchar(3)', 'text', 'compare')).toBe(canonical('text', 'äbc'));
    expect(read('abc', 'varchar(30)', 'varchar(3)')).toBe(canonical('text', 'abc'));
    expect(() => read('abcdef', 'varchar(4)', 'varchar(3)')).toThrow(expect.objectContaining({ sqlstate: '22001' }));
    expect(read('1.255', 'numeric(12,2)', 'numeric(10,1)')).toBe(canonical('numeric(10,1)', '1.3'));
    expect(read('1.255', 'numeric(12,2)', 'numeric(10,1)', 'compare')).toBe(canonical('numeric(12,2)', '1.26'));
    expect(() => read('100', 'numeric(2)', 'int4')).toThrow(expect.objectContaining({ sqlstate: '22003' }));
    expect(read('2024-01-01 00:00:00.6', 'timestamp(0)', 'timestamp', 'compare')).toBe(
      canonical('timestamp', '2024-01-01 00:00:01'),
    );
  });

  test('a declared type of the same class is assigned to the column’s, any other is refused', () => {
    const read = (hex: string, type: string, oid: number) =>
      readValue(Buffer.from(hex, 'hex'), 'binary', contextOf(type), { declaredOid: oid });
    expect(Buffer.from(read('0000000000000005', 'int4', 20)).toString('hex')).toBe(canonical('int4', '5'));
    expect(Buffer.from(read('616263', 'varchar(3)', 25)).toString('hex')).toBe(canonical('varchar(3)', 'abc'));
    expect(() => read('0000000100000000', 'int4', 20)).toThrow(expect.objectContaining({ sqlstate: '22003' }));
    expect(() => read('61626364', 'varchar(3)', 25)).toThrow(expect.objectContaining({ sqlstate: '22001' }));
    expect(() => read('616263', 'int4', 25)).toThrow(expect.objectContaining({ sqlstate: '42804' }));
  });

  test('what is sealed as another type is damage, not a value', () => {
    for (const [type] of CANONICAL.filter(([name]) => !/^(text|varchar|char|bytea|json)/.test(name))) {
      expect(() => printValue(Buffer.from('xyz'), 'text', contextOf(type))).toThrow(
        expect.objectContaining({ code: 'ERR_POSTGRES_VALUE_DAMAGED' }),
      );
    }
    expect(() => printValue(Buffer.from(canonical('int8', '99999'), 'hex'), 'text', contextOf('int2'))).toThrow(
      ValueError,
    );
  });

  test('another client encoding is refused', () => {
    const unsupported = expect.objectContaining({ code: 'ERR_POSTGRES_VALUE_UNSUPPORTED' });
    expect(() => readValue(Buffer.from('a'), 'text', contextOf('text', { clientEncoding: 'LATIN1' }))).toThrow(
      unsupported,
    );
  });

  test('no error repeats the value', () => {
    for (const type of ['int4', 'numeric(3,1)', 'bool', 'date', 'timestamptz', 'uuid', 'jsonb', 'varchar(3)']) {
      const error: unknown = (() => {
        try {
          return readValue(Buffer.from('hunter2-secret'), 'text', contextOf(type));
        } catch (caught) {
          return caught;
        }
      })();
      expect(error).toBeInstanceOf(ValueError);
      expect(JSON.stringify([String(error), (error as ValueError).hint])).not.toContain('hunter2');
    }
  });
});

describe('decimals', () => {
  const decimals = fc.tuple(fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }), fc.nat(80));

  test('go through canonical, text and binary form unchanged', () => {
    fc.assert(
      fc.property(decimals, ([unscaled, scale]) => {
        const value = finite(unscaled, scale);
        expect(decodeDecimal(encodeDecimal(value))).toEqual(value);
        expect(parseDecimal(formatDecimal(value))).toEqual(value);
        expect(decodeNumericBinary(encodeNumericBinary(value))).toEqual(value);
      }),
      { numRuns: 200 },
    );
  });

  test('an integer has the same canonical bytes whichever way it is encoded', () => {
    const edges = [
      0,
      -0,
      1,
      -1,
      2 ** 31,
      -(2 ** 31),
      2 ** 32,
      -(2 ** 32),
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ];
    for (const value of [...edges, ...fc.sample(fc.maxSafeInteger(), 300), ...fc.sample(fc.integer(), 300)])
      expect(Buffer.from(encodeSafeInteger(value))).toEqual(Buffer.from(encodeDecimal(finite(BigInt(value)))));
  });

  test('every truncation of the binary form is refused', () => {
    const bytes = encodeNumericBinary(finite(-12_345_678_901n, 5));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeNumericBinary(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ sqlstate: '08P01' }),
      );
    }
  });
});

describe('arrays', () => {
  test('binary form goes both ways', () => {
    const elements = fc.array(fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }), { maxLength: 20 });
    fc.assert(
      fc.property(elements, (values) => {
        const array = { elementOid: 17, ...listOf(values) };
        expect(decodeBinaryArray(encodeBinaryArray(array))).toEqual(array);
      }),
      { numRuns: 100 },
    );
  });

  test('truncations and counts that lie are refused before anything is allocated for them', () => {
    const bytes = encodeBinaryArray({
      elementOid: 25,
      ...listOf([Buffer.from('ab'), undefined, Buffer.from('c')]),
    });
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeBinaryArray(bytes.subarray(0, length))).toThrow(ValueError);
    const lying = Uint8Array.from(bytes);
    new DataView(lying.buffer).setInt32(12, 0x7fffffff);
    expect(() => decodeBinaryArray(lying)).toThrow(ValueError);
  });

  test('several dimensions are refused', () => {
    const unsupported = expect.objectContaining({ code: 'ERR_POSTGRES_VALUE_UNSUPPORTED' });
    expect(() => readList(Buffer.from('{{1},{2}}'), 'text', contextOf('int4'))).toThrow(unsupported);
  });
});

describe('large values take linear time and no stack', () => {
  test.each([
    ['bytea', `\\x${'00'.repeat(4_000_000)}`],
    ['jsonb', `["${'\\n'.repeat(1_000_000)}"]`],
    ['text', 'x'.repeat(8_000_000)],
  ])('%s', (type, text) => {
    expect(readValue(Buffer.from(text), 'text', contextOf(type)).length).toBeGreaterThan(1_000_000);
  });
  const SHORT = [
    'int4',
    'numeric',
    'float4',
    'float8',
    'bool',
    'date',
    'time',
    'timetz',
    'timestamp',
    'timestamptz',
    'interval',
    'uuid',
  ];
  const STARTS = ['1', '2024-02-29 12:00', '12:00', '1.', '10.0.0.1', '::', '{1', 'B1', '08:00:2b'];
  test.each([...SHORT, 'inet', 'cidr', 'macaddr', 'macaddr8', 'bit', 'varbit', 'int4[]'])(
    '%s refuses long runs',
    (type) => {
      for (const start of STARTS) {
        for (const run of [' ', '0', ':', '.', '-', ' pm', '1 day ']) {
          const text = `${start}${run.repeat(300_000)}x`;
          expect(() => readValue(Buffer.from(text), 'text', contextOf(type))).toThrow(ValueError);
        }
      }
    },
  );
});

describe('names of types', () => {
  test.each([
    ['varchar(20)', 24, 'character varying(20)'],
    ['numeric(10,2)', 655_366, 'numeric(10,2)'],
    ['numeric(3,-2)', 198_658, 'numeric(3,-2)'],
    ['decimal(5)', 327_684, 'numeric(5,0)'],
    ['timestamp with time zone', -1, 'timestamp with time zone'],
  ])('%s has typmod %i', (text, typmod, printed) => {
    const type = parseLogicalType(text);
    expect([type.typmod, formatLogicalType(type)]).toEqual([typmod, printed]);
  });
  test('modifiers read back', () => {
    expect(numericModifier(parseLogicalType('numeric(10,-3)'))).toEqual({ precision: 10, scale: -3 });
    expect(varcharLimit(parseLogicalType('varchar(7)'))).toBe(7);
  });
  test.each([
    'money',
    'citext',
    'interval day',
    'bpchar',
    'float(54)',
    'timestamp(7)',
    'bit(0)',
    'text(3)',
    'varchar(0)',
    'numeric(0)',
    'xml[]',
    '',
  ])('%s is no logical type', (text) => {
    expect(() => parseLogicalType(text)).toThrow(expect.objectContaining({ code: 'ERR_POSTGRES_TYPE_UNKNOWN' }));
  });
});

describe('what a later server was the first to read', () => {
  test.each([
    ['int4', '0x1F', 16, '22P02'],
    ['int8', '1_000', 16, '22P02'],
    ['numeric', '0b11', 16, '22P02'],
    ['numeric(10,2)', '1_0.5', 16, '22P02'],
    ['numeric', 'Infinity', 14, '22P02'],
    ['numeric(10,2)', '-inf', 14, '22P02'],
    ['interval', 'infinity', 17, '22007'],
  ])('%s %s is an error before %i', (type, text, since, sqlstate) => {
    const read = (serverVersion: number) => readValue(Buffer.from(text), 'text', contextOf(type, { serverVersion }));
    expect(() => read(since - 1)).toThrow(expect.objectContaining({ sqlstate }));
    if (type !== 'numeric(10,2)' || since > 14) expect(read(since)).toBeInstanceOf(Uint8Array);
  });

  test('an infinite numeric in binary as well', () => {
    const bytes = encodeNumericBinary({ type: 'infinity', negative: false });
    const read = (serverVersion: number) => readValue(bytes, 'binary', contextOf('numeric', { serverVersion }));
    expect(() => read(13)).toThrow(expect.objectContaining({ sqlstate: '22P03' }));
    expect(read(14)).toBeInstanceOf(Uint8Array);
  });
});
