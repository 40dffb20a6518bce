/** The first question must say yes wherever parsing would find something. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CATALOG, draft } from '../../../test/support/postgres/analysis.ts';
import { mayConcernTest } from './may-concern.ts';

const mayConcern = mayConcernTest(CATALOG);

describe('mayConcern', () => {
  test.each([
    'select 1',
    'SELECT * FROM orders o WHERE id = 5',
    'insert into orders values (1, 2)',
    'update orders set total = $1',
    '',
    '  ',
    'fetch 5 from c',
    '(select 1) union (select 2);',
    'table orders',
    "\n values ('a')",
  ])('passes %j', (sql) => {
    expect(mayConcern(sql)).toBe(false);
  });

  test.each([
    'select * from CUSTOMERS',
    'select * from "customers"',
    'select * from public . customers',
    'select * from U&"c!0075stomers" UESCAPE \'!\'',
    'select find_customer(1)',
    'select 1; select 2',
    'select 1;select 2',
    "select set_config('search_path', 'x', false)",
    'select 1 into x',
    'begin',
    'set search_path = x',
    'with x as (select 1) select 1',
    'prepare p as select 1',
    'execute p',
    'do $$ $$',
    'call p()',
    'copy orders from stdin',
    '/* c */ select 1',
    '-- c\nset a = b',
    'create table z ()',
    'merge into orders using orders on true when matched then delete',
    'explain select 1',
    "select query_to_xml('x')",
    'select * from customer_names',
    'insert into audited values (1)',
    'select * from sealgate.deks',
    'discard all',
  ])('stops at %j', (sql) => {
    expect(mayConcern(sql)).toBe(true);
  });

  test('where it says no, the analysis finds nothing but statements that pass', () => {
    const word = fc.constantFrom(
      'select',
      'set',
      'from',
      'customers',
      '"customers"',
      'orders',
      ',',
      '*',
      'x',
      '=',
      '1',
      "'a'",
      ';',
      'into',
      'begin',
      'where',
      'with',
      'as',
      '(',
      ')',
      'insert',
      'values',
      'update',
      'delete',
      'set_config',
      '--\n',
      '/**/',
      'U&"x"',
      'find_customer',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const sql = words.join(' ');
        if (mayConcern(sql)) return;
        let plans;
        try {
          plans = draft(sql);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_POSTGRES_UNPARSABLE' });
          return;
        }
        for (const plan of plans) expect(plan.type).toBe('pass');
      }),
      { numRuns: 3000 },
    );
  });
});
