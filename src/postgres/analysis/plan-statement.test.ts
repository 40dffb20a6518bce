/** What is refused, passed or tracked by the kind of the statement and the names in it; where refusals point, and what they say. */
import { describe, expect, test } from 'vitest';
import { draft, refusal } from '../../../test/support/postgres/analysis.ts';

describe('by name', () => {
  test.each([
    "copy customers to '/tmp/x'",
    "copy customers from program 'x'",
    "copy (select note from customers) to program 'x'",
    'copy customers from stdin (on_error ignore)',
    "copy customers to stdout (encoding 'latin1')",
    'create table x as select * from customers',
    'select * into x from customers',
    'create rule r as on insert to customers do instead nothing',
    'do $$ begin perform 1 from customers; end $$',
    "do $$ begin execute 'x' || 'y'; end $$",
    "create function f() returns int language sql as 'select id from customers'",
    'create procedure f() language plpgsql as $$ begin perform find_customer(1); end $$',
    "select * from dblink_send_query('x', 'y')",
    'select find_customer(1)',
    'select * from public.find_customer(1)',
    'call find_customer()',
    "select query_to_xml('select 1', true, true, '')",
    'select null::customers',
    'select * from sealgate.deks',
    'insert into audited values (1)',
    'select table_to_xml(1, true, true, $$a$$)',
  ])('refuses %s', (sql) => {
    expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_STATEMENT');
  });

  test.each([
    'create view v as select note from customers where ssn is null',
    'create table customers (id int)',
    'create table orders (c int references customers)',
    'alter table customers add column x text',
    'create trigger t before insert on customers execute function harmless()',
  ])('rewrites %s', (sql) => {
    expect(new Set(refusal(sql).split(','))).toEqual(new Set(['sealed']));
  });

  test.each([
    'create table y (like customers)',
    'create temp table customers (id int)',
    'alter table orders rename to customers',
    'alter table other.customers set schema public',
    'alter domain sealgate.sealed drop not null',
  ])('refuses the schema change %s', (sql) => {
    expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_DDL');
  });

  test('a partition of a ruled table has the columns that the rule seals', () => {
    expect(refusal('select * from events_2026')).toBe('draft');
    expect(refusal('select lower(what) from events_2026')).toBe('ERR_POSTGRES_SEALED_USE');
  });

  test.each([
    ['select 1', 'pass'],
    ['truncate customers', 'pass'],
    ['lock table customers', 'pass'],
    ['begin', 'track'],
    ['set search_path to x', 'track'],
    ["select set_config('a', 'b', false)", 'track'],
    ['create table z (id int)', 'track'],
    ['select 1 into z', 'track'],
    ['execute p', 'pass'],
    ['show search_path', 'pass'],
    ["select 'customers'", 'pass'],
    ['do $$ begin perform 1; end $$', 'track'],
    ['select harmless()', 'pass'],
    ["create function f() returns int language sql as 'select 1'", 'track'],
    ['drop table customers', 'track'],
  ])('%s is %s', (sql, type) => {
    expect(draft(sql)[0]?.type).toBe(type);
  });
});

test('a refusal points at the place, in characters', () => {
  try {
    draft("select 'é', lower(note) from customers");
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_POSTGRES_SEALED_USE', location: 19 });
  }
});

test('a refusal of a whole statement points at the table', () => {
  for (const sql of [
    'create rule r as on insert to customers do nothing',
    'truncate x; create table y as table customers',
  ]) {
    try {
      draft(sql);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_POSTGRES_SEALED_STATEMENT', location: sql.indexOf('customers') });
    }
  }
});

test('no literal is in the text of a refusal', () => {
  for (const sql of [
    "update customers set note = note || 'canary'",
    "insert into customers (ssn) values (lower('canary'))",
    "select 1 from customers where note = 'canary'",
  ]) {
    try {
      draft(sql);
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toContain('canary');
    }
  }
});
