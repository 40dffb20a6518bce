import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { mapBounded } from './bounded-map.ts';

test('answers are in the order of the items, and only so many are at work', async () => {
  let [running, most] = [0, 0];
  const answers = await mapBounded([5, 1, 3, 2, 4], 2, async (item) => {
    most = Math.max(most, (running += 1));
    await sleep(item);
    running -= 1;
    return item * 2;
  });
  expect([answers, most]).toEqual([[10, 2, 6, 4, 8], 2]);
});

test('after a failure nothing is begun, and nothing still runs when it is told', async () => {
  const begun: number[] = [];
  let running = 0;
  const mapped = mapBounded([0, 1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    running += 1;
    await sleep(item === 0 ? 1 : 20);
    running -= 1;
    if (item === 0) throw new Error('no');
  });
  await expect(mapped).rejects.toThrow('no');
  expect([begun, running]).toEqual([[0, 1], 0]);
});
