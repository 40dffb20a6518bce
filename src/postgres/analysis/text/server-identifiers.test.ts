import { beforeAll, describe, expect, test } from 'vitest';
import { mayNameOtherwise, requireServersIdentifiers } from './server-identifiers.ts';
import { SourceText } from './source-text.ts';
import { loadGrammar } from './syntax.ts';

beforeAll(loadGrammar);

const LONG = 'é'.repeat(32);
const check = (sql: string, encoding: string) => () => requireServersIdentifiers(new SourceText(sql), encoding);

describe.each(['LATIN1', 'SQL_ASCII', 'EUC_JP'])('in %s', (encoding) => {
  test.each([`SELECT 1 FROM ${LONG}`, `SELECT "${LONG}"`, 'SELECT É', 'SELECT 1 AS xÀy', `SELECT U&"${LONG}"`])(
    '%s is read otherwise',
    (sql) => {
      expect(mayNameOtherwise(sql, encoding)).toBe(true);
      expect(check(sql, encoding)).toThrow(expect.objectContaining({ code: 'ERR_POSTGRES_NAME' }));
      expect(check(sql, 'UTF8')).not.toThrow();
      expect(mayNameOtherwise(sql, 'UTF8')).toBe(false);
    },
  );

  test.each([
    `SELECT '${LONG} É' -- ${LONG} É`,
    `SELECT E'${LONG}', N'${LONG}', U&'${LONG}', $é$ ${LONG} É $é$`,
    `SELECT "É" FROM "${'é'.repeat(31)}"`,
    `SELECT ${'a'.repeat(99)}`,
  ])('%s is read alike', (sql) => {
    expect(check(sql, encoding)).not.toThrow();
  });
});

describe('the two bars that are one character in EUC_JP', () => {
  test.each([
    'INSERT INTO "a\u00a6" VALUES (1)',
    'INSERT INTO "a\uffe4" VALUES (1)',
    'INSERT INTO a\u00a6 VALUES (1)',
    String.raw`SELECT U&"a\00A6"`,
    String.raw`SELECT U&"a!+00ffe4" UESCAPE '!'`,
  ])('%s is read otherwise', (sql) => {
    expect(mayNameOtherwise(sql, 'EUC_JP')).toBe(true);
    expect(check(sql, 'EUC_JP')).toThrow(expect.objectContaining({ code: 'ERR_POSTGRES_NAME' }));
    expect(check(sql, 'LATIN1')).not.toThrow();
  });

  test.each(["SELECT 'a\u00a6', $$\uffe4$$ FROM \u3042", 'SELECT "00a6", "\u3042"'])('%s is read alike', (sql) => {
    expect(check(sql, 'EUC_JP')).not.toThrow();
  });
});

test('small letters are read alike where they are letters', () => {
  expect(check('SELECT größe, ÿ FROM café', 'LATIN1')).not.toThrow();
  expect(mayNameOtherwise('SELECT größe, ÿ FROM café', 'LATIN1')).toBe(false);
  expect(check('SELECT größe', 'SQL_ASCII')).toThrow(expect.objectContaining({ code: 'ERR_POSTGRES_NAME' }));
});
