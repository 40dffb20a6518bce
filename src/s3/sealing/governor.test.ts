import { expect, test } from 'vitest';
import { ByteGovernor } from './governor.ts';

test('shares are granted in the order of arrival, never beyond the bound', async () => {
  const governor = new ByteGovernor(100, 10);
  const order: string[] = [];
  const first = await governor.take(80);
  const second = governor.take(50).then((release) => (order.push('second'), release));
  const third = governor.take(10).then((release) => (order.push('third'), release));
  await Promise.resolve();
  expect(order).toEqual([]);
  first();
  first();
  (await second)();
  (await third)();
  expect(order).toEqual(['second', 'third']);
  expect(governor.usedBytes).toBe(0);
});

test('a share larger than the bound waits for all of it, and is granted', async () => {
  const governor = new ByteGovernor(100, 10);
  const release = await governor.take(1_000);
  expect(governor.usedBytes).toBe(100);
  release();
  expect(governor.usedBytes).toBe(0);
});

test('too long a line is told to slow down', async () => {
  const governor = new ByteGovernor(1, 1);
  await governor.take(1);
  void governor.take(1);
  await expect(governor.take(1)).rejects.toMatchObject({ code: 'ERR_S3_SLOW_DOWN' });
});

test('who leaves the line takes nothing', async () => {
  const governor = new ByteGovernor(1, 5);
  const release = await governor.take(1);
  const leaving = new AbortController();
  const waiting = governor.take(1, leaving.signal);
  leaving.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_S3_REQUEST_TIMEOUT' });
  release();
  expect(governor.usedBytes).toBe(0);
});
