/** Sealed strings in JSON by their places: what is found, and that whatever is otherwise fails. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonShape, SealedColumn } from '../plan.ts';
import { logicalType } from '../types/registry.ts';
import { findSealed } from './json-walk.ts';

const COLUMN: SealedColumn = {
  id: 'c',
  database: 'd',
  schema: 'public',
  table: 't',
  column: 'c',
  relationOid: 1,
  attnum: 1,
  type: logicalType('text'),
  mode: 'randomized',
  domain: undefined,
  keyId: 'k',
};
const VALUE: JsonShape = { is: 'value', column: COLUMN, form: 'json' };
const PLAIN: JsonShape = { is: 'plain' };
const PAIR: JsonShape = {
  is: 'object',
  by: 'place',
  members: [
    { key: undefined, shape: PLAIN },
    { key: 'b', shape: VALUE },
  ],
};
const KEYED: JsonShape = {
  ...PAIR,
  by: 'key',
  members: [
    { key: 'a"', shape: PLAIN },
    { key: 'b', shape: VALUE },
  ],
};

const found = (json: string, shape: JsonShape): string[] => {
  const bytes = Buffer.from(json);
  return findSealed(bytes, shape).map(({ start, end }) => bytes.toString('utf8', start, end));
};

describe('what is found', () => {
  test.each<[string, JsonShape, string[]]>([
    ['"x"', VALUE, ['"x"']],
    [' null ', VALUE, []],
    ['[]', { is: 'list', items: VALUE }, []],
    ['{ }', { is: 'list', items: VALUE }, []],
    ['["a", \n null,"b\\"]"]', { is: 'list', items: VALUE }, ['"a"', '"b\\"]"']],
    ['[{"}":[1]}, "x"]', { is: 'tuple', items: [PLAIN, VALUE] }, ['"x"']],
    ['{"any" : {"x": ["]", -1e5, true]}, "other" : "v"}', PAIR, ['"v"']],
    ['{"b": "v", "a\\"": [[], {"b": "no"}]}', KEYED, ['"v"']],
    ['{"k": "1", "k": "2"}', { is: 'map', values: VALUE }, ['"1"', '"2"']],
    [
      '[[null, [["é", 1]]], null]',
      { is: 'list', items: { is: 'list', items: { is: 'list', items: { is: 'tuple', items: [VALUE, PLAIN] } } } },
      ['"é"'],
    ],
  ])('%s', (json, shape, strings) => {
    expect(found(json, shape)).toEqual(strings);
  });
});

test('of a list that is put in an order the nulls are found as well', () => {
  const sorted = { descending: true, nullsFirst: true };
  const list: JsonShape = { is: 'list', items: VALUE, sorted };
  const json = Buffer.from('[["x", null], ["y"], [], null]');
  const strings = findSealed(json, { is: 'list', items: list });
  expect(strings.map(({ start, end, isNull }) => [json.toString('utf8', start, end), isNull])).toEqual([
    ['"x"', undefined],
    ['null', true],
    ['"y"', undefined],
  ]);
  const [x, none, y] = strings.map((string) => string.list);
  expect(x).toEqual({ sorted });
  expect(none).toBe(x);
  expect(y).not.toBe(x);
});

describe('what is otherwise', () => {
  test.each<[string, JsonShape]>([
    ['', VALUE],
    ['1', VALUE],
    ['true', VALUE],
    ['["x"]', VALUE],
    ['"x" "y"', VALUE],
    ['"x', VALUE],
    ['"x\\', VALUE],
    ['{"b":"x"}', { is: 'list', items: VALUE }],
    ['["x"', { is: 'list', items: VALUE }],
    ['["x",]', { is: 'list', items: VALUE }],
    ['["x", []]', { is: 'list', items: VALUE, sorted: { descending: false, nullsFirst: false } }],
    ['["x", nul]', { is: 'list', items: VALUE, sorted: { descending: false, nullsFirst: false } }],
    ['["x"]', { is: 'tuple', items: [VALUE, VALUE] }],
    ['["x","y","z"]', { is: 'tuple', items: [VALUE, VALUE] }],
    ['{"a":1}', PAIR],
    ['{"c":"x","b":"y"}', KEYED],
    ['{"a\\"":]', KEYED],
    ['{"a":1 "b":"x"}', PAIR],
  ])('fails: %s', (json, shape) => {
    expect(() => found(json, shape)).toThrow(TypeError);
  });

  test('cut anywhere, it fails', () => {
    const whole = '{"any" : {"x": ["]", -1e5, true]}, "other" : "v"}';
    for (let end = 0; end < whole.length; end++) expect(() => found(whole.slice(0, end), PAIR)).toThrow(TypeError);
  });
});

test('plain values of any kind are stepped over', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), fc.constantFrom(0, 1), (plain, value, indent) => {
      const json = JSON.stringify([plain, value, plain], undefined, indent);
      expect(found(json, { is: 'tuple', items: [PLAIN, VALUE, PLAIN] })).toEqual([JSON.stringify(value)]);
    }),
  );
});
