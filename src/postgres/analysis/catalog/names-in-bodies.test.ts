/** Names in the bodies of routines: found wherever they may be used, and not where they cannot be. */
import { expect, test } from 'vitest';
import { Names, wordsOf } from './names-in-bodies.ts';

const uses = (name: string, text: string): boolean => new Names([name]).areIn(wordsOf(text));
/** More than any text below has words. */
const OTHERS = Array.from({ length: 1_000 }, (_, at) => `other_${at}`);
const usesAmongMany = (name: string, text: string): boolean => new Names([...OTHERS, name]).areIn(wordsOf(text));

test.each([
  ['t', 'SELECT * FROM t'],
  ['t', 'AS $function$TABLE t$function$'],
  ['t', 'SELECT * FROM public.t'],
  ['t', 'SELECT * FROM public . "t"'],
  ['t', 'SELECT t.x FROM T'],
  ['t', 'DECLARE r t%ROWTYPE'],
  ['t', 'DECLARE r t.x%TYPE'],
  ['t', 'DECLARE r _t'],
  ['t', 'SELECT (x).t'],
  ['t', 'SELECT t(1)'],
  ['t', 'FOR i IN t..3 LOOP'],
  ['user', 'SELECT * FROM "user"'],
  ['user', 'SELECT * FROM public.user'],
  ['user', 'SELECT * FROM public . user u'],
  ['user', `SELECT * FROM public.${' '.repeat(50)}user`],
  ['user', 'SELECT * FROM public./* here */user'],
  ['user', 'SELECT * FROM public. -- here\n user'],
  ['user', 'DECLARE r user%ROWTYPE'],
  ['user', 'DECLARE r user -- here\n %ROWTYPE'],
  ['User', 'SELECT * FROM "User"'],
  ['Weird "name"', 'SELECT * FROM "Weird ""name"""'],
  ['a$b', 'AS $$TABLE a$b$$'],
  ['a-b', 'TABLE "a-b"'],
  ['zoë', 'TABLE Zoë'],
  ['Σ', 'TABLE public.Σ'],
  ['Σ_sales', 'TABLE public.Σ_sales'],
  ['ΑΣ', 'DECLARE r ΑΣ.email%TYPE'],
  ['ΑΣ', 'TABLE "ΑΣ"; TABLE b'],
  ['user', 'DECLARE r _user'],
  ['_under', 'DECLARE r __under'],
  ['__x', 'DECLARE r ___x'],
  ['x'.repeat(63), `TABLE ${'x'.repeat(80)}`],
])('%s is used in: %s', (name, text) => {
  expect([uses(name, text), usesAmongMany(name, text)]).toEqual([true, true]);
});

test.each([
  ['t', 'SELECT count(*) FROM orders'],
  ['t', 'SELECT t.id FROM orders'],
  ['t', 'SELECT t.* FROM orders'],
  ['t', 'SELECT "t"."id" FROM orders'],
  ['user', 'SELECT users, user_id FROM orders WHERE who = user'],
  ['user', "SELECT 'user'"],
  ['user', 'SELECT user -- who\n, id FROM orders'],
  ['order', 'SELECT id FROM x ORDER BY id'],
  ['people', 'SELECT * FROM people_of_old'],
])('%s is not used in: %s', (name, text) => {
  expect([uses(name, text), usesAmongMany(name, text)]).toEqual([false, false]);
});

test('a long text is read in one go', () => {
  for (const part of ['-', ' ', '\n', '.', '"', '%', 't', 't.', 't."', ' %', '--\n', '. ', '/*'])
    expect(uses('none', part.repeat(300_000))).toBe(false);
});
