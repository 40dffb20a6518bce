import { expect, test } from 'vitest';
import { NameTable } from './name-table.ts';

function tableOn(progress = { begun: 0, ended: 0 }) {
  const names = new NameTable<string>(progress);
  /** A message, whose reply is owed from now on. */
  const say = (name: string, value: string | undefined): (() => void) => {
    const undo = names.set(name, value);
    progress.begun++;
    return undo;
  };
  return { names, say, progress };
}

test('names are told apart by their first 63 bytes, as the server does', () => {
  const { names, say } = tableOn();
  say('a'.repeat(64), 'one');
  expect(names.get(`${'a'.repeat(63)}b`)).toBe('one');
  expect(names.has('a'.repeat(62))).toBe(false);
  say(`${'a'.repeat(63)}cd`, 'another');
  expect(names.get('a'.repeat(63))).toBe('another');
});

test('what failed is taken back, and what was said after it stays', () => {
  const { names, say } = tableOn();
  const first = say('p', 'first');
  say('p', 'second');
  first();
  expect(names.get('p')).toBe('second');
});

test('what stood before all that failed comes back, in whatever order it fails', () => {
  const { names, say, progress } = tableOn();
  say('p', 'certain');
  progress.ended = 1;
  const undo = [say('p', undefined), say('p', 'other'), say('p', undefined)];
  for (const restore of [undo[0], undo[2], undo[1]]) restore?.();
  expect(names.get('p')).toBe('certain');
});

test('what has been answered is not taken back', () => {
  const { names, say, progress } = tableOn();
  const undo = say('p', 'first');
  progress.ended = 1;
  say('q', 'second');
  undo();
  expect(names.get('p')).toBe('first');
});

test('all names at once, and back', () => {
  const { names, say } = tableOn();
  say('p', 'one');
  say('q', 'two');
  const undo = names.clear();
  expect([names.get('p'), names.get('q'), names.has('p')]).toEqual([undefined, undefined, true]);
  undo();
  expect([names.get('p'), names.get('q')]).toEqual(['one', 'two']);
});

test('names that stand for nothing any more take no room', () => {
  const { names, say, progress } = tableOn();
  for (let at = 0; at < 1000; at++) {
    say(`p${at}`, 'statement');
    say(`p${at}`, undefined);
    progress.ended = progress.begun - 1;
  }
  expect(names.size).toBeLessThan(4);
});

test('those that end with a transaction are forgotten, others are not', () => {
  const { names, say, progress } = tableOn();
  say('p', 'stays');
  say('q', 'ends');
  progress.ended = 2;
  names.forget((value) => value === 'ends');
  expect([names.get('p'), names.get('q'), names.size]).toEqual(['stays', undefined, 1]);
});
