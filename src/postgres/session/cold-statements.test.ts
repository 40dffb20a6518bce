import { expect, test } from 'vitest';
import { LARGE_STATEMENT_BYTES, MAX_STATEMENTS } from '../limits.ts';
import { ColdStatements } from './cold-statements.ts';

/** `hot` is what a text may not hold. */
function start() {
  const analyzer = { hotNames: 1, hot: 'none', mayConcern: (sql: string): boolean => sql.includes(analyzer.hot) };
  const replies = { begun: 0, ended: 0 };
  const cold = new ColdStatements(analyzer, replies);
  /** A Parse, or a Close, that is answered at once. */
  const answered = (work: () => void): void => {
    work();
    replies.begun += 1;
    replies.ended += 1;
  };
  const parse = (name: string, sql: string): void => answered(() => cold.remember(name, sql));
  const heat = (hot: string): void => void Object.assign(analyzer, { hot, hotNames: analyzer.hotNames + 1 });
  return { cold, parse, heat, answered };
}

test('those that name what has become hot are given once, and are known no more', () => {
  const { cold, parse, heat, answered } = start();
  parse('a', 'SELECT FROM place');
  parse('b', 'SELECT FROM elsewhere');
  parse('c', 'SELECT FROM place');
  parse('c', 'SELECT FROM elsewhere');
  parse('d', 'SELECT FROM place');
  answered(() => cold.forget('d'));
  expect(cold.isOutdated).toBe(false);
  heat('place');
  expect(cold.isOutdated).toBe(true);
  expect(cold.takeConcerning()).toEqual(['a']);
  expect(cold.isOutdated).toBe(false);
  answered(() => undefined);
  heat('elsewhere');
  expect(cold.takeConcerning()).toEqual(['b', 'c']);
});

test('what a name may stand for again counts, until it is known that it does not', () => {
  const { cold, parse, heat } = start();
  parse('a', 'SELECT FROM place');
  const undo = cold.remember('a', 'SELECT FROM elsewhere');
  heat('place');
  expect(cold.takeConcerning()).toEqual(['a']);
  undo();
});

test('a text that is too long to be kept may concern anything', () => {
  const { cold, parse, heat } = start();
  parse('a', `SELECT ${'1'.repeat(LARGE_STATEMENT_BYTES)}`);
  heat('place');
  expect(cold.takeConcerning()).toEqual(['a']);
});

test('where there were more than are kept, a name that is not known may concern anything', () => {
  const { cold, parse, heat } = start();
  for (let count = 0; count <= MAX_STATEMENTS; count += 1) parse(`s${count}`, 'SELECT');
  expect([cold.doubts, cold.isUnknown('s0')]).toEqual([false, false]);
  heat('place');
  expect(cold.isOutdated).toBe(true);
  expect(cold.takeConcerning()).toEqual([]);
  expect([cold.isUnknown('s0'), cold.isUnknown(`s${MAX_STATEMENTS}`)]).toEqual([true, false]);
});

test('names of another encoding are apart, and put every name beyond ASCII in doubt, until all are gone', () => {
  const { cold, parse, heat, answered } = start();
  answered(() => cold.remember('é', 'SELECT FROM place', true));
  answered(() => cold.remember('é', 'SELECT FROM elsewhere', true));
  parse('é', 'SELECT FROM elsewhere');
  answered(() => cold.forget('é'));
  expect([cold.isEmpty, cold.isOfOther('ü')]).toEqual([false, false]);
  heat('place');
  expect(cold.takeConcerning()).toEqual([]);
  expect([cold.doubts, cold.isOfOther('ü'), cold.isOfOther('u'), cold.isUnknown('u')]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  answered(() => cold.clear());
  answered(() => undefined);
  expect(cold.isOfOther('ü')).toBe(false);
});
