import { expect, test } from 'vitest';
import type { ColumnProblem } from '../postgres/service/problem.ts';
import { driftReporter } from './column-drift.ts';

const problem = (column: string, message: string): ColumnProblem => ({
  code: 'ERR_POSTGRES_COLUMN_GUARD',
  severity: 'error',
  column,
  message,
  ddl: [],
});

test('each disagreement is told once when it comes, and once when it is gone', () => {
  const lines: string[] = [];
  const at = (level: string) => (fields: object, message?: string) =>
    void lines.push(`${level} ${'column' in fields ? String(fields.column) : ''} ${message ?? ''}`);
  const report = driftReporter('shop', { info: at('info'), warn: at('warn') }, [problem('a', 'one')]);
  report([problem('a', 'one'), problem('b', 'two')]);
  report([problem('a', 'one'), problem('b', 'two')]);
  report([problem('b', 'three')]);
  report([]);
  expect(lines).toEqual([
    'warn b the database no longer fits a column rule: two',
    'warn b the database no longer fits a column rule: three',
    'info a the database fits the column rule again',
    'info b the database fits the column rule again',
    'info b the database fits the column rule again',
  ]);
});
