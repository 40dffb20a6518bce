import { expect, test } from 'vitest';
import { bareRecord } from './bare-record.ts';

test('nothing is found in a record that was not put there', () => {
  const record = bareRecord<string>();
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])
    expect(record[name]).toBeUndefined();
  expect('constructor' in record).toBe(false);
  expect(Object.keys(record)).toEqual([]);
});

test('any name is a name, and touches no other record', () => {
  const record = bareRecord<string>();
  for (const name of ['__proto__', 'constructor', 'toString']) record[name] = 'value';
  expect(JSON.stringify(record)).toBe('{"__proto__":"value","constructor":"value","toString":"value"}');
  expect(Reflect.get(bareRecord<string>(), 'toString')).toBeUndefined();
  expect(Object.keys({ ...record })).toEqual(['__proto__', 'constructor', 'toString']);
});
