import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonScanner } from './scanner.ts';

/** Everything the scanner can read, as JSON.parse gives it: the naive reader that it is held against. */
function readAll(bytes: Uint8Array): unknown {
  const scanner = new JsonScanner(bytes);
  const value = (): unknown => {
    const kind = scanner.kind();
    switch (kind) {
      case 'object': {
        const entries: [string, unknown][] = [];
        scanner.object((name) => entries.push([name, value()]));
        return Object.fromEntries(entries);
      }
      case 'array': {
        const items: unknown[] = [];
        scanner.array(() => items.push(value()));
        return items;
      }
      case 'string':
        return scanner.string();
      case 'number':
        return scanner.number();
      case 'true':
      case 'false':
      case 'null':
        scanner.word(kind);
        return { true: true, false: false, null: null }[kind];
    }
  };
  const whole = value();
  scanner.end();
  return whole;
}

const read = (text: string): unknown => readAll(Buffer.from(text));
const code = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('JSON', () => {
  test('What JSON.stringify writes is read as JSON.parse reads it, with and without white space', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary', noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        expect(read(text)).toEqual(JSON.parse(text));
        expect(read(` ${JSON.stringify(value, undefined, '\t')}\r\n`)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('A text in which every character is escaped is read as the same text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const units = [...Array(text.length).keys()].map((at) => text.charCodeAt(at));
        const escaped = units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
        expect(read(`"${escaped}"`)).toBe(text);
      }),
    );
  });

  test('Any bytes are read or refused, and what is read is what JSON.parse reads', () => {
    const unit = fc.constantFrom(
      ...'{}[]",:\\ u0123dDcCeE+-.tfn"trueflsn',
      'true',
      'null',
      '"a"',
      '\\ud834\\udd1e',
      '\u0001',
    );
    const pieces = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(unit).map((all) => Buffer.from(all.join(''))),
    );
    fc.assert(
      fc.property(pieces, (bytes) => {
        const ours = code(() => readAll(bytes));
        if (ours !== 'ERR_KMS_SERIALIZATION') expect(ours).toEqual(JSON.parse(Buffer.from(bytes).toString('utf8')));
      }),
      { numRuns: 5000 },
    );
  });

  test('Every cut of a document is refused', () => {
    const text = '{"a":[1,"x\\u00e9\\n",true,null,{"b":-1.5e3}],"c":""}';
    expect(read(text)).toEqual(JSON.parse(text));
    for (let length = 0; length < text.length; length += 1)
      expect(code(() => read(text.slice(0, length)))).toBe('ERR_KMS_SERIALIZATION');
  });

  test.each([
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"a":1}{',
    '{"a":1} x',
    '{"a":1,}',
    '{a:1}',
    "{'a':1}",
    '[1,]',
    '[01]',
    '[+1]',
    '[1.]',
    '[.5]',
    '[1e]',
    '[-]',
    '[NaN]',
    '[Infinity]',
    '[tru]',
    '[nul]',
    '"\\x"',
    '"\\u12g4"',
    '"\\ud800"',
    '"\\udc00"',
    '"\\ud800\\u0041"',
    '"a\nb"',
    '"\u0000"',
    '',
    ' ',
    '\ufeff{}',
  ])('%j is refused', (text) => {
    expect(code(() => read(text))).toBe('ERR_KMS_SERIALIZATION');
  });

  test.each([
    [[0x22, 0xff, 0x22]],
    [[0x22, 0xed, 0xa0, 0x80, 0x22]],
    [[0x22, 0xc0, 0x80, 0x22]],
    [[0x22, 0xe2, 0x82, 0x22]],
  ])('Bytes that are not UTF-8 are refused: %j', (bytes) => {
    expect(code(() => readAll(Uint8Array.from(bytes)))).toBe('ERR_KMS_SERIALIZATION');
  });

  test('A value that nobody wants may be nested 16 deep and no more', () => {
    const nested = (depth: number): unknown => {
      const scanner = new JsonScanner(Buffer.from(`${'['.repeat(depth)}${']'.repeat(depth)}`));
      scanner.skip();
      scanner.end();
      return 'read';
    };
    expect(code(() => nested(17))).toBe('read');
    expect(code(() => nested(18))).toBe('ERR_KMS_SERIALIZATION');
    expect(code(() => nested(100_000))).toBe('ERR_KMS_SERIALIZATION');
  });
});
