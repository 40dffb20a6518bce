import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchTime } from './patience.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const LIMIT_MS = 1000;

/** A thread that has had half of the processor's time, beside what it had before. */
const half = () => {
  const began = Date.now();
  return { cpuUsage: () => Promise.resolve({ user: 5_000_000 + ((Date.now() - began) / 2) * 1000, system: 0 }) };
};

test('what counts is the time of the processor', async () => {
  const giveUp = vi.fn();
  watchTime(half(), LIMIT_MS, giveUp);
  await vi.advanceTimersByTimeAsync(1.9 * LIMIT_MS);
  expect(giveUp).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(0.2 * LIMIT_MS);
  expect(giveUp).toHaveBeenCalledOnce();
});

test('what gets none of it, or does not say, is given up by the clock', async () => {
  const threads = [
    { cpuUsage: () => Promise.resolve({ user: 0, system: 0 }) },
    { cpuUsage: () => Promise.reject(new Error('not running')) },
    { cpuUsage: () => Promise.withResolvers<NodeJS.CpuUsage>().promise },
  ];
  for (const thread of threads) {
    const giveUp = vi.fn();
    watchTime(thread, LIMIT_MS, giveUp);
    await vi.advanceTimersByTimeAsync(9 * LIMIT_MS);
    expect(giveUp).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2 * LIMIT_MS);
    expect(giveUp).toHaveBeenCalled();
  }
});

test('a watch that has ended calls nobody', async () => {
  const giveUp = vi.fn();
  watchTime(half(), LIMIT_MS, giveUp)();
  await vi.advanceTimersByTimeAsync(100 * LIMIT_MS);
  expect(giveUp).not.toHaveBeenCalled();
});

test('a thread that does nothing but compute says how long', async () => {
  vi.useRealTimers();
  const worker = new Worker('for (;;);', { eval: true });
  await new Promise<void>((resolve) => watchTime(worker, 50, resolve));
  await worker.terminate();
});
