/** Calls that carry sealed values: what stands beside these in a call is plain, and is all of a shape that is known. */
import { expect, test } from 'vitest';
import { refusal, shown } from '../../../../test/support/postgres/analysis.ts';

test.each([
  // A place in a list of arguments that is not known would have all behind it taken for another.
  'select json_build_array(c.ssn, c::text) from customers c',
  'select jsonb_build_array(c::text, c.ssn) from customers c',
  // A second argument is an option of the call's, and none is sealed.
  'select row_to_json(c, c.score) from customers c',
  'select to_json(c.ssn, c.email) from customers c',
  'select to_jsonb(c.name, c.email) from customers c',
])('what is not of a shape that is known: %s', (sql) => {
  expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_USE');
});

test.each([
  'select json_build_array(ssn, $1) from customers where ssn = $1',
  'select json_build_array(ssn, $1::text) from customers where ssn = $1',
  'select json_build_object($1, ssn) from customers where ssn = $1',
  'select array_agg(row($1, ssn)) from customers where ssn = $1',
  'select array[ssn, $1] from customers where ssn = $1',
])('a parameter that is plain beside a sealed value is nothing sealed elsewhere: %s', (sql) => {
  expect(refusal(sql)).toBe('ERR_POSTGRES_PARAMETER_ROLES');
});

test.each([
  "select json_build_array(ssn, case when note = 'x' then 'a' end) from customers",
  "select json_build_array(ssn, v.x) from customers, (values ('a')) v(x) where ssn = v.x",
  "select json_build_array(ssn, v.x) from customers, (values ('a')) v(x) order by ssn = v.x",
])('what is plain beside a sealed value is nothing sealed elsewhere: %s', (sql) => {
  expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_USE');
});

test.each([
  "select row(v.*, ssn) from customers, (values ('a')) v(x) where ssn = v.x",
  "select row(v.*) from customers, (values ('a')) v(x) where ssn = v.x",
  "select json_agg(row(v.*, ssn)) from customers join (values ('a')) v(x) on ssn = v.x",
  "select json_agg(row(v.*, ssn)) from customers, (values ('a')) v(x) where exists (select 1 from people p where p.ssn = v.x)",
])('nor are all columns of a row: %s', (sql) => {
  expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_USE');
});

test('both are taken where each is one of the two', () => {
  expect(shown("select json_build_array(ssn, $1, 'a') from customers, (values ('b')) v(x) where ssn = $2")).toContain(
    `json_build_array(ssn, $1, 'a')`,
  );
  expect(shown("select row(v.*, 'a') from customers, (values ('b')) v(x) where ssn = 'c'")).toContain(`(values ('b'))`);
});
