/** Work in turns: others come between them, and what it gives or throws is the same. */
import { expect, test } from 'vitest';
import { inTurns } from './turns.ts';

function* count(to: number, failsAt = Infinity): Generator<void, number> {
  for (let step = 0; step < to; step += 1) {
    if (step === failsAt) throw new RangeError(`step ${step}`);
    yield;
  }
  return to;
}

test('a few steps are done at once', () => {
  expect(inTurns(count(0))).toBe(0);
  expect(inTurns(count(500))).toBe(500);
  expect(() => inTurns(count(500, 20))).toThrow(new RangeError('step 20'));
});

test('between the turns of many steps others are served', async () => {
  let isDone = false;
  let served = 0;
  const others = (): void => {
    if (isDone) return;
    served += 1;
    setImmediate(others);
  };
  const counted = inTurns(count(20_000));
  others();
  expect(counted).toBeInstanceOf(Promise);
  expect(await counted).toBe(20_000);
  isDone = true;
  expect(served).toBeGreaterThan(10);
});

test('what a step of a later turn throws is what it rejects with', async () => {
  await expect(inTurns(count(20_000, 15_000))).rejects.toThrow(new RangeError('step 15000'));
});

test('steps that say they are about many bytes end a turn sooner', async () => {
  function* large(): Generator<number, string> {
    for (let step = 0; step < 40; step += 1) yield 100_000;
    return 'done';
  }
  expect(inTurns(large())).toBeInstanceOf(Promise);
  expect(await inTurns(large())).toBe('done');
});
