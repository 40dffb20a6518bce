/** The literal lexer against the server's own scanner; templates against fresh plans. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { draft, refusal } from '../../../../test/support/postgres/analysis.ts';
import type { SealedPlan } from '../../plan.ts';
import { normalizeText, stringValue } from './normalize.ts';
import { SourceText } from './source-text.ts';
import { parseStatements, scanTokens } from './syntax.ts';
import { instantiate, makeTemplate } from './template.ts';

/** Pieces of SQL that lexers get wrong, joined at random. */
const PIECE = fc.constantFrom(
  'select',
  ' ',
  '\n',
  'a',
  "'x'",
  "''",
  "'it''s'",
  "E'a\\'b'",
  "U&'x'",
  "B'01'",
  '$1',
  '$$x$$',
  '$t$y$t$',
  '"q"',
  '"a""b"',
  '1',
  '42',
  '1.5',
  '.5',
  '1e3',
  '0x1f',
  '1_000',
  '12345678901',
  '-',
  '--c',
  '/*c*/',
  ',',
  '(',
  ')',
  '::',
  'text',
  '=',
  '<>',
  '[',
  ']',
  '.',
  ';',
  'é',
  "'é'",
  '\\',
  '@',
  '!',
  '?',
  '{',
  '\u00a0',
  "'\\'",
  'N',
  'e',
  '\u0001',
);

describe('normalizeText', () => {
  test('finds exactly the literals the server finds, or does not share the text', () => {
    let shared = 0;
    fc.assert(
      fc.property(fc.array(PIECE, { minLength: 1, maxLength: 9 }), (pieces) => {
        const sql = pieces.join('');
        const normalized = normalizeText(sql);
        if (normalized === undefined) return;
        let tokens;
        try {
          tokens = scanTokens(sql);
        } catch {
          return;
        }
        shared += 1;
        const source = new SourceText(sql);
        const literals = tokens.filter(
          ({ tokenName, text }) => tokenName === 'SCONST' || (tokenName === 'ICONST' && text.length <= 9),
        );
        expect(normalized.literals.map(({ start, end }) => [start, end])).toEqual(
          literals.map(({ start, end }) => [source.index(start), source.index(end)]),
        );
      }),
      { numRuns: 4000 },
    );
    expect(shared).toBeGreaterThan(200);
  });

  test('two texts of one key have the same shape to the parser', () => {
    const shape = (sql: string): string =>
      JSON.stringify(
        parseStatements(sql, Buffer.byteLength(sql)).map(({ node }) => node),
        (key, value: unknown) =>
          ['location', 'sval', 'ival', 'rexpr_list_start', 'rexpr_list_end'].includes(key) ? undefined : value,
      );
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 3, maxLength: 3 }), fc.nat(999_999_999), (strings, number) => {
        const quoted = strings.map((text) => `'${text.replaceAll('\u0000', '').replaceAll("'", "''")}'`);
        const one = `select ssn from customers where ssn in (${quoted.join(', ')}) and id = ${number}`;
        const other = "select ssn from customers where ssn in ('', 'x', 'y') and id = 0";
        const key = normalizeText(one)?.key;
        if (key === undefined) return;
        expect(key).toBe(normalizeText(other)?.key);
        expect(shape(one)).toBe(shape(other));
      }),
    );
  });

  test('kinds of constants are told apart', () => {
    const keys = ['1', "'1'", 'null', '$1', '12345678901', "''"].map((value) => normalizeText(`select ${value}`)?.key);
    expect(new Set(keys).size).toBe(5);
    expect(keys[1]).toBe(keys[5]);
  });

  test.each([
    "select 'a'\n'b'",
    "select 'a' \n 'b'",
    "select E'a'",
    'select 1.5',
    'select 1abc',
    'select $$a$$',
    "select 'a",
    'select 1 -- c',
    'select /* c */ 1',
    'select a.1',
  ])('%j is not shared', (sql) => {
    expect(normalizeText(sql)).toBeUndefined();
  });

  test('quotes inside of a string are undone', () => {
    const sql = "select 'it''s'";
    expect(normalizeText(sql)?.literals.map((span) => stringValue(sql, span))).toEqual(["it's"]);
  });
});

describe('templates', () => {
  const plan = (sql: string): SealedPlan => {
    const [first] = draft(sql);
    if (first?.type !== 'draft') throw new Error('not sealed');
    return first.plan;
  };
  const fromTemplate = (first: string, second: string): SealedPlan | undefined => {
    const [made] = draft(first);
    const normalized = normalizeText(first);
    const other = normalizeText(second);
    if (made?.type !== 'draft' || normalized === undefined || other === undefined) return undefined;
    expect(other.key).toBe(normalized.key);
    const template = makeTemplate(made.plan, new SourceText(first), normalized, made.edits, made.start, made.end);
    expect(JSON.stringify(template)).not.toContain('canary');
    return template === undefined ? undefined : instantiate(template, second, other);
  };

  test.each([
    [
      "select ssn from customers where ssn = 'canary' and id = 5 limit 10",
      "select ssn from customers where ssn = 'it''s é' and id = 123456 limit 1",
    ],
    [
      "insert into customers (id, name, ssn, note, score) values (1, 'canary', 'canary', 'b', -5)",
      "insert into customers (id, name, ssn, note, score) values (22, '', 'xyz', '', -77)",
    ],
    [
      "  update customers set note = 'canary'::text where id = 5 ;",
      "  update customers set note = 'b'::text where id = 555 ;",
    ],
  ])('give the plan a fresh analysis gives: %s', (first, second) => {
    expect(fromTemplate(first, second)).toEqual(plan(second));
  });

  test('a number that is an ordinal marks its plan as good for one text only', () => {
    const [made] = draft('select id, note from customers order by 1');
    expect(made?.type === 'draft' && made.opinion.analysis.literalsMatter).toBe(true);
    expect(refusal('select id, note from customers order by 2')).toBe('ERR_POSTGRES_SEALED_USE');
  });
});
