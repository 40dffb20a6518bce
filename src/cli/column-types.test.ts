/** The config and the proxy each know the types of columns: they must say the same of each. */
import { expect, test } from 'vitest';
import { parseColumnType, refusedType, TYPE_NAMES } from '../config/column-type.ts';
import { comparisonClass } from '../postgres/types/registry.ts';
import { parseLogicalType } from '../postgres/types/type-text.ts';

const MODIFIERS = [
  '',
  '(0)',
  '(1)',
  '(3)',
  '(6)',
  '(7)',
  '(25)',
  '(54)',
  '(10,2)',
  '(3,-2)',
  '(1001)',
  '(83886081)',
  '[]',
  '(3)[]',
  ' [ 3 ] []',
];
const TEXTS = [
  ...TYPE_NAMES.flatMap((name) => MODIFIERS.map((modifier) => name + modifier)),
  ...[
    'TIMESTAMP(3) WITH TIME ZONE',
    'time (0) without time zone',
    'Numeric( 10 , 2 )',
    ' text ',
    'double  precision',
    'timestamp with time zone(3)',
  ],
  ...[
    'money',
    'citext',
    'bpchar',
    'interval year',
    'xml',
    'int4range',
    'oid',
    'name',
    'point',
    'tsvector',
    'nonsense',
    'text text',
    '',
  ],
];

function classOf(text: string): string | undefined {
  try {
    return comparisonClass(parseLogicalType(text)) ?? 'none';
  } catch {
    return undefined;
  }
}

test.each(TEXTS)('%s', (text) => {
  const known = parseColumnType(text);
  const inProxy = classOf(text);
  expect(known === undefined ? undefined : (known.comparison ?? 'none')).toBe(inProxy);
  // What the config makes of it is the same type still.
  if (known !== undefined) expect(classOf(known.text)).toBe(inProxy);
});

test('a type that PostgreSQL has and Sealgate does not seal is refused by name', () => {
  for (const name of [
    'money',
    'citext',
    'interval day to second',
    'bpchar',
    'int4range',
    'regclass',
    'box',
    'xml',
    'money[]',
  ])
    expect([name, refusedType(name)]).toEqual([name, expect.any(String)]);
  expect(refusedType('text')).toBeUndefined();
});
