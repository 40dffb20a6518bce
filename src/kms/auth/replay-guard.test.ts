import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ReplayGuard } from './replay-guard.ts';

const T = 1_800_000_000_000;
const signature = (of: string | number): string => createHash('sha256').update(String(of)).digest('hex');

describe('a signature that comes again', () => {
  test('is taken within the seconds in which equal calls may still be on their way, and refused after', () => {
    const guard = new ReplayGuard();
    expect(guard.admit(signature('a'), T, T)).toBe(true);
    expect(guard.admit(signature('a'), T, T + 5_999)).toBe(true);
    expect(guard.admit(signature('a'), T, T + 6_000)).toBe(false);
    expect(guard.admit(signature('a'), T, T + 299_000)).toBe(false);
    expect(guard.admit(signature('b'), T, T + 299_000)).toBe(true);
  });

  test('is judged by when it was first seen, however wrong the clock of its client', () => {
    for (const skew of [-300_000, -7_000, 7_000, 300_000]) {
      const guard = new ReplayGuard();
      expect(guard.admit(signature('a'), T + skew, T)).toBe(true);
      expect(guard.admit(signature('a'), T + skew, T + 1_000)).toBe(true);
      expect(guard.admit(signature('a'), T + skew, T + 6_000)).toBe(skew <= -300_000);
    }
  });
});

describe('memory', () => {
  test('signatures are forgotten once their time is no longer acceptable', () => {
    const guard = new ReplayGuard();
    for (let index = 0; index < 1000; index += 1) guard.admit(signature(index), T, T);
    expect(guard.size).toBe(1000);
    guard.admit(signature('later'), T + 301_000, T + 301_000);
    expect(guard.size).toBe(1);
  });

  test('where there are too many, the oldest seconds are refused rather than remembered', () => {
    const guard = new ReplayGuard(100);
    for (let index = 0; index < 60; index += 1) expect(guard.admit(signature(index), T, T + 1_000)).toBe(true);
    for (let index = 60; index < 101; index += 1)
      expect(guard.admit(signature(index), T + 1_000, T + 1_000)).toBe(true);
    expect(guard.size).toBe(41);
    expect(guard.admit(signature('old'), T, T + 1_000)).toBe(false);
    expect(guard.admit(signature(60), T + 1_000, T + 30_000)).toBe(false);
    expect(guard.admit(signature('new'), T + 1_000, T + 1_000)).toBe(true);
  });

  test('ten thousand signatures of one second are all told apart', () => {
    const guard = new ReplayGuard();
    for (let index = 0; index < 10_000; index += 1) guard.admit(signature(index), T, T);
    const again = Array.from({ length: 10_000 }, (_, index) => guard.admit(signature(index), T, T + 20_000));
    expect(again.some(Boolean)).toBe(false);
    expect(guard.size).toBe(10_000);
  });
});
