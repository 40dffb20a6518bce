import { beforeAll, expect, test } from 'vitest';
import { namesInText } from './names-in-text.ts';
import { SourceText } from './source-text.ts';
import { loadGrammar } from './syntax.ts';

beforeAll(loadGrammar);

/** Kind, schema and name, and how the text writes it. */
function found(sql: string): readonly string[] {
  return namesInText(new SourceText(sql))
    .map(({ kind, schema = '-', name, start, end }) => [
      start,
      `${kind} ${schema} ${name}: ${Buffer.from(sql).toString('utf8', start, end)}`,
    ])
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, text]) => String(text));
}

test('types, wherever one is written', () => {
  expect(found(`SELECT 'é'::app.mood, CAST(a AS "App x" /* c */ . "D ""y"), NULL::mood[] FROM t`)).toEqual([
    'type app mood: app.mood',
    'type App x D "y: "App x" /* c */ . "D ""y"',
    'type - mood: mood',
  ]);
  expect(found('CREATE TABLE t (a app.mood[], b numeric(3,1))')).toEqual(['type app mood: app.mood']);
  expect(found('PREPARE p (app.mood) AS SELECT $1')).toEqual(['type app mood: app.mood']);
  expect(found("SELECT app.mood 'glad'")).toEqual(['type app mood: app.mood']);
});

test('functions and operators', () => {
  expect(found('SELECT f(app.g(1)), count(*) OVER () FROM app . h() x WHERE pg_catalog.lower(a) = b')).toEqual([
    'operator - =: ',
    'function - f: f',
    'function app g: app.g',
    'function - count: count',
    'function app h: app . h',
    'function pg_catalog lower: pg_catalog.lower',
  ]);
});

test('sequences, in constants of type regclass', () => {
  expect(
    found(
      `SELECT nextval('Ids'), setval('app . "Ids x"', 3), currval('ids'::regclass), 'app.ids'::regclass, lower('ids')`,
    ),
  ).toEqual([
    'function - nextval: nextval',
    "sequence - ids: 'Ids'",
    'function - setval: setval',
    `sequence app Ids x: 'app . "Ids x"'`,
    'function - currval: currval',
    "sequence - ids: 'ids'",
    'type - regclass: regclass',
    "sequence app ids: 'app.ids'",
    'type - regclass: regclass',
    'function - lower: lower',
  ]);
  expect(found("SELECT nextval($1), nextval('a b'), nextval(E'a')")).toEqual([
    'function - nextval: nextval',
    'function - nextval: nextval',
    'function - nextval: nextval',
  ]);
});

test('nesting is as deep as the grammar takes it', () => {
  const depth = 2000;
  expect(found(`SELECT ${'f('.repeat(depth)}1${')'.repeat(depth)}`)).toHaveLength(depth);
});
