import { expect, test } from 'vitest';
import { isCommand } from './replication.ts';

test.each([
  'IDENTIFY_SYSTEM',
  ' identify_system ;',
  'START_REPLICATION SLOT "a" LOGICAL 0/0',
  "BASE_BACKUP (LABEL 'x')",
  'SHOW wal_segment_size',
  "SELECT pg_catalog.set_config('search_path', '', false);",
])('%s is a replication command', (text) => {
  expect(isCommand(text)).toBe(true);
});

test.each([
  'SELECT 1',
  "SELECT pg_catalog.set_config('search_path', '', false); SELECT 1",
  'BASE_BACKUPS',
  'show$ x',
  'SHOWé x',
  '-- IDENTIFY_SYSTEM\nSELECT 1',
  '/**/SHOW x',
  '',
  'INSERT INTO t VALUES (1)',
  'COPY t TO STDOUT',
])('%s is none', (text) => {
  expect(isCommand(text)).toBe(false);
});
