import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatColumnName, parseColumnName } from './column-name.ts';

test('Four names, quoted where SQL needs it', () => {
  expect(parseColumnName('app.public.customers.national_id')).toEqual({
    database: 'app',
    schema: 'public',
    table: 'customers',
    column: 'national_id',
  });
  expect(parseColumnName('"my-app".public."a.b"."say ""hi"""')).toEqual({
    database: 'my-app',
    schema: 'public',
    table: 'a.b',
    column: 'say "hi"',
  });
});

test.each([
  '',
  'a',
  'a.b.c',
  'a.b.c.d.e',
  'a..c.d',
  'a.b.c.',
  'A.b.c.d',
  'a.b.c."d',
  'a.b.c.d d',
  'a.b.c."',
  `a.b.c.${'x'.repeat(64)}`,
  'a.b.c."\0"',
])('What is no column name is told: %j', (text) => {
  expect(parseColumnName(text)).toHaveProperty('problem');
});

test('Formatting and parsing are inverse', () => {
  const name = fc.string({ minLength: 1, maxLength: 15 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.record({ database: name, schema: name, table: name, column: name }), (column) => {
      expect(parseColumnName(formatColumnName(column))).toEqual(column);
    }),
  );
});
