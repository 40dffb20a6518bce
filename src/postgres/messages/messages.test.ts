/** pg-protocol is the oracle: what it writes we read, what we write it reads. */
import fc from 'fast-check';
import { parse as parseStream, serialize } from 'pg-protocol';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { PostgresError } from '../errors.ts';
import { decodeBind, encodeBind, formatAt } from './bind.ts';
import { decodeDataRow, encodeDataRow } from './data-row.ts';
import { decodeTarget } from './describe.ts';
import { decodeErrorFields, encodeOwnError } from './error-response.ts';
import { decodeExecute } from './execute.ts';
import { decodeParameterDescription, encodeParameterDescription } from './parameter-description.ts';
import { decodeParse, encodeParse } from './parse.ts';
import { decodeQuery, encodeQuery } from './query.ts';
import { decodeRowDescription, encodeRowDescription } from './row-description.ts';

const body = (frame: Uint8Array): Uint8Array => frame.subarray(5);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
/** Any text without NUL. */
const cstring = fc.string({ unit: 'grapheme', maxLength: 30 }).map((value) => value.replaceAll('\0', ''));
/** Names as the wire has them, one character a byte, and no longer than the server tells apart. */
const name = fc.string({ unit: 'grapheme-ascii', maxLength: 63 });
const oid = fc.nat({ max: 0x7fffffff });

/** What pg-protocol reads in a backend frame. */
async function read(frame: Uint8Array): Promise<Record<string, unknown>> {
  const stream = new PassThrough();
  let message: unknown;
  const done = parseStream(stream, (parsed) => (message = parsed));
  stream.end(frame);
  await done;
  return message as Record<string, unknown>;
}

/** Every truncation of a body must be refused, never read as something shorter. */
function expectTruncationsRefused(frame: Uint8Array, decode: (body: Uint8Array) => unknown): void {
  const whole = body(frame);
  for (let length = 0; length < whole.length; length++) {
    expect(() => decode(whole.subarray(0, length)), `cut at ${length}`).toThrow(PostgresError);
  }
}

describe('frontend messages', () => {
  test('Query: what pg-protocol writes is read', () => {
    fc.assert(
      fc.property(cstring, (sql) => void expect(text(decodeQuery(body(serialize.query(sql))))).toBe(sql)),
      { numRuns: 50 },
    );
    expect(text(decodeQuery(body(encodeQuery('SELECT 1'))))).toBe('SELECT 1');
    expectTruncationsRefused(encodeQuery('SELECT 1'), decodeQuery);
  });

  test('Parse: same bytes as pg-protocol, and read back', () => {
    fc.assert(
      fc.property(name, cstring, fc.array(oid, { maxLength: 5 }), (name, sql, parameterOids) => {
        const frame = encodeParse({ name, text: sql, parameterOids });
        expect(Buffer.from(frame)).toEqual(serialize.parse({ name, text: sql, types: parameterOids }));
        expect(decodeParse(body(frame))).toMatchObject({ name, parameterOids });
      }),
      { numRuns: 50 },
    );
    expectTruncationsRefused(encodeParse({ name: 'a', text: 'b', parameterOids: [1] }), decodeParse);
  });

  test('Bind: what pg-protocol writes is read, and written again as the same bytes', () => {
    const value = fc.option(
      fc.oneof(
        cstring,
        fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
      ),
    );
    fc.assert(
      fc.property(name, name, fc.array(value, { maxLength: 6 }), fc.boolean(), (portal, statement, values, binary) => {
        const frame = serialize.bind({ portal, statement, values, binary });
        const bind = decodeBind(body(frame));
        expect(bind).toMatchObject({ portal, statement, resultFormats: [binary ? 1 : 0] });
        expect(bind.values.map((each) => each && text(each))).toEqual(
          values.map((each) => (each === null ? undefined : text(Buffer.from(each)))),
        );
        expect(Buffer.from(encodeBind(bind))).toEqual(frame);
      }),
      { numRuns: 50 },
    );
    expectTruncationsRefused(serialize.bind({ portal: 'p', statement: 's', values: ['x', null] }), decodeBind);
  });

  test('Bind: a value longer than the message is refused', () => {
    const frame = Buffer.from(serialize.bind({ values: ['abc'] }));
    frame.writeInt32BE(0x7fffffff, frame.indexOf('abc') - 4);
    expect(() => decodeBind(body(frame))).toThrow(PostgresError);
    frame.writeInt32BE(-2, frame.indexOf('abc') - 4);
    expect(() => decodeBind(body(frame))).toThrow(PostgresError);
  });

  test('names are told apart by their bytes: no encoding makes two into one', () => {
    const bound = (statement: string | Uint8Array): string => {
      const bytes = Buffer.concat([Buffer.from('\0'), Buffer.from(statement), Buffer.alloc(7)]);
      return decodeBind(bytes).statement;
    };
    expect(bound(Uint8Array.of(0xc3, 0xa9))).toBe('\u00c3\u00a9');
    expect(bound(Uint8Array.of(0xff))).not.toBe(bound(Uint8Array.of(0xfe)));
  });

  test('format codes: none means text, one counts for all, else each its own', () => {
    expect([formatAt([], 3), formatAt([1], 3), formatAt([0, 1], 1)]).toEqual([0, 1, 1]);
  });

  test('Describe, Close, Execute: what pg-protocol writes is read', () => {
    expect(decodeTarget(body(serialize.describe({ type: 'S', name: 'x' })), 'DESCRIBE')).toEqual({
      type: 'statement',
      name: 'x',
    });
    expect(decodeTarget(body(serialize.close({ type: 'P', name: '' })), 'CLOSE')).toEqual({ type: 'portal', name: '' });
    expect(() => decodeTarget(Uint8Array.of(0x41, 0), 'CLOSE')).toThrow('invalid CLOSE message subtype 65');
    expect(decodeExecute(body(serialize.execute({ portal: 'p', rows: 7 })))).toEqual({ portal: 'p', maxRows: 7 });
    expectTruncationsRefused(serialize.execute({ portal: 'p', rows: 7 }), decodeExecute);
  });
});

describe('backend messages', () => {
  const field = fc.record({
    name: cstring.map((value): Uint8Array => Buffer.from(value)),
    relationOid: oid,
    attnum: fc.integer({ min: -8, max: 1600 }),
    typeOid: oid,
    typlen: fc.integer({ min: -2, max: 100 }),
    typmod: fc.integer({ min: -1, max: 0x7fffffff }),
    format: fc.constantFrom(0, 1),
  });

  test('RowDescription: what we write pg-protocol reads, and so do we', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(field, { minLength: 1, maxLength: 5 }), async (fields) => {
        const frame = encodeRowDescription(fields);
        expect(decodeRowDescription(body(frame)).map(({ name, ...rest }) => ({ name: text(name), ...rest }))).toEqual(
          fields.map(({ name, ...rest }) => ({ name: text(name), ...rest })),
        );
        const message = await read(frame);
        expect(message['fields']).toMatchObject(
          fields.map(({ name, attnum, typeOid, typmod, typlen }) => ({
            name: text(name),
            columnID: attnum,
            dataTypeID: typeOid,
            dataTypeModifier: typmod,
            dataTypeSize: typlen,
          })),
        );
      }),
      { numRuns: 40 },
    );
    expectTruncationsRefused(
      encodeRowDescription([
        { name: Buffer.from('a'), relationOid: 1, attnum: 1, typeOid: 17, typlen: -1, typmod: -1, format: 0 },
      ]),
      decodeRowDescription,
    );
  });

  test('DataRow: what we write pg-protocol reads, and so do we', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(cstring), { maxLength: 6 }), async (values) => {
        const frame = encodeDataRow(values.map((value) => (value === null ? undefined : Buffer.from(value))));
        expect(decodeDataRow(body(frame)).map((value) => (value === undefined ? null : text(value)))).toEqual(values);
        expect((await read(frame))['fields']).toEqual(values);
      }),
      { numRuns: 40 },
    );
    expectTruncationsRefused(encodeDataRow([Buffer.from('abc'), undefined]), decodeDataRow);
  });

  test('ParameterDescription: what we write pg-protocol reads', async () => {
    const frame = encodeParameterDescription([25, 17]);
    expect(await read(frame)).toMatchObject({ dataTypeIDs: [25, 17] });
    expect(decodeParameterDescription(body(frame))).toEqual([25, 17]);
    expectTruncationsRefused(frame, decodeParameterDescription);
  });

  test('ErrorResponse: what we write pg-protocol reads, with SQLSTATE, position and hint', async () => {
    const frame = encodeOwnError({
      severity: 'ERROR',
      sqlstate: '0A000',
      message: 'no\0pe',
      hint: 'do',
      position: 7,
      code: 'ERR_POSTGRES_X',
    });
    expect(await read(frame)).toMatchObject({
      severity: 'ERROR',
      code: '0A000',
      message: 'no pe',
      hint: 'do',
      position: '7',
      routine: 'ERR_POSTGRES_X',
    });
    expect(decodeErrorFields(body(frame)).get('V')).toBe('ERROR');
    expectTruncationsRefused(frame, decodeErrorFields);
  });
});
