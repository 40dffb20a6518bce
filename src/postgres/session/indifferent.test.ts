import { expect, test } from 'vitest';
import { isIndifferent } from './indifferent.ts';

test.each([
  'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY',
  "set local TimeZone = 'Europe/Berlin';",
  "SET TRANSACTION SNAPSHOT '00000003-0000001B-1'",
  'SET search_path TO a, b',
  "SET x.y = '--'",
  ' RESET ALL ',
  'DISCARD ALL',
  'LOCK TABLE people, ONLY other.pets IN SHARE MODE NOWAIT',
])('%s means the same under all settings', (sql) => {
  expect(isIndifferent(sql)).toBe(true);
});

test.each([
  "SET x = 'a'; INSERT INTO people VALUES (1)",
  "SET x = E'a'",
  "SET x = 'a\\'; INSERT INTO people VALUES (1) --'",
  "SET x = 'it''s \\'",
  'SET "x" = 1',
  'SET x = $$a$$',
  'SET x = 1 -- ; ',
  'SET x = 1 /* ; */',
  'SETTLE x',
  'LOCKED',
  'SELECT 1',
  'WITH x AS (SELECT 1) SELECT 1',
  `SET x = '${'y'.repeat(1000)}'`,
  "SET x = 'é'",
])('%s may mean another thing', (sql) => {
  expect(isIndifferent(sql)).toBe(false);
});
