/** What a hostile row costs: its fields are counted, but only those that can be of a column are remembered. */
import { describe, expect, test } from 'vitest';
import { BinaryRows } from './binary-rows.ts';
import { CsvRows } from './csv-rows.ts';
import type { CsvFormat, TextFormat } from './format.ts';
import type { RowScanner } from './rows.ts';
import { TextRows } from './text-rows.ts';

const COLUMNS = 3;
const MIB = 1024 * 1024;
const lines = { nullMarker: Buffer.from('\\N'), defaultMarker: undefined, header: 'none' } as const;
const text: TextFormat = { type: 'text', ...lines, delimiter: 0x2c };
const csv: CsvFormat = {
  type: 'csv',
  ...lines,
  delimiter: 0x2c,
  quote: 0x22,
  escape: 0x22,
  forceQuote: new Set(),
  forceNull: new Set(),
  forceNotNull: new Set(),
};

test.each<[string, RowScanner]>([
  ['text', new TextRows(text, COLUMNS)],
  ['csv', new CsvRows(csv, COLUMNS, false)],
])('a row of nothing but delimiters takes no memory: %s', (_name, rows) => {
  const row = Buffer.alloc(16 * MIB, ',');
  const before = process.memoryUsage().heapUsed;
  expect(rows.scan(row, 0, row.length, true)).toBe('row');
  expect(rows.fields.count).toBe(row.length + 1);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * MIB);
});

test('fields of a row within its columns have their places', () => {
  const rows = new TextRows(text, COLUMNS);
  const row = Buffer.from('a,bc,d\n');
  expect(rows.scan(row, 0, row.length, false)).toBe('row');
  expect([0, 1, 2].map((at) => [rows.fields.start(at), rows.fields.end(at)])).toEqual([
    [0, 1],
    [2, 4],
    [5, 6],
  ]);
});

describe('an end-of-copy marker within a line of text', () => {
  const data = Buffer.from('a,b\\.\nc,d,e\n');

  test('is an error', () => {
    expect(() => new TextRows(text, COLUMNS).scan(data, 0, data.length, true)).toThrow(
      'end-of-copy marker is not alone on its line',
    );
  });

  test('ends the row and the data, as servers before 18 take it', () => {
    const rows = new TextRows(text, COLUMNS, true);
    expect(rows.scan(data, 0, data.length, true)).toBe('row');
    expect([rows.fields.count, rows.contentEnd]).toEqual([2, 3]);
    expect(rows.scan(data, rows.next, data.length, true)).toBe('end');
    const corrupt = Buffer.from('a\\.b\n');
    expect(() => new TextRows(text, COLUMNS, true).scan(corrupt, 0, corrupt.length, true)).toThrow('corrupt');
  });
});

test('a binary row of another number of fields is none', () => {
  const rows = new BinaryRows(COLUMNS);
  expect(() => rows.scan(Buffer.from([0x7f, 0xff]), 0, 2, false)).toThrow('expected 3');
});
