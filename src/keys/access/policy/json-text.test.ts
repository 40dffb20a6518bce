import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson, type JsonValue } from './json-text.ts';

function plain(value: JsonValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
  // A Map is no array, and Array.isArray does not narrow readonly arrays.
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(plain) : value;
}

test('Any JSON value reads as JSON.parse reads it, however it is spaced', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 1, '\t', '\r\n '), (value, space) => {
      const text = ` ${JSON.stringify(value, undefined, space)}\n`;
      expect(plain(parseJson(text))).toEqual(JSON.parse(text));
    }),
    { numRuns: 2000 },
  );
});

test('What JSON.parse refuses is refused, and nothing else comes of any text', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '"a"',
    '1',
    '-',
    '0',
    '.5',
    'e9',
    'true',
    'nul',
    ' ',
    '\u0001',
    '\\u12',
    'é',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 9 }), (parts) => {
      const text = parts.join('');
      const ours = outcome(() => plain(parseJson(text)));
      const theirs = outcome(() => JSON.parse(text) as unknown);
      if (ours.type === 'error' && ours.message.includes('twice')) return;
      expect(ours.type).toBe(theirs.type);
      if (ours.type === 'value' && theirs.type === 'value') expect(ours.value).toEqual(theirs.value);
    }),
    { numRuns: 20_000 },
  );
});

type Outcome = { type: 'value'; value: unknown } | { type: 'error'; message: string };

function outcome(read: () => unknown): Outcome {
  try {
    return { type: 'value', value: read() };
  } catch (error) {
    if (!(error instanceof SyntaxError)) expect(error).toMatchObject({ code: 'ERR_KEYS_POLICY_MALFORMED' });
    return { type: 'error', message: String(error) };
  }
}

test('A name that stands twice is refused, also when it is written in escapes', () => {
  for (const text of ['{"Effect":"Deny","Effect":"Allow"}', '{"a":1,"\\u0061":2}', '[{"a":{"b":1,"b":1}}]']) {
    expect(() => parseJson(text)).toThrow(/twice/);
  }
});

test('Nesting ends at a bound, long before the stack does', () => {
  expect(() => parseJson('['.repeat(30_000))).toThrow(/too deep/);
  expect(() => parseJson('{"a":'.repeat(6000))).toThrow(/too deep/);
});

test('__proto__ is a name like any other', () => {
  expect([...(parseJson('{"__proto__":1}') as ReadonlyMap<string, unknown>)]).toEqual([['__proto__', 1]]);
});
