import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ReplayGuard } from './replay-guard.ts';
import { requestIdOf, signatureNumber, signatureOfRequest } from './request-id.ts';

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

describe('what a process before this one answered', () => {
  const idOf = (of: string): string => requestIdOf(signature(of), randomUUID());

  test('is refused, however shortly ago, and nothing else is', () => {
    const ids = [idOf('a'), idOf('b'), randomUUID(), 'no id'];
    const guard = new ReplayGuard(100, { ids, completeSinceMs: undefined });
    expect(['a', 'b', 'c'].map((of) => guard.admit(signature(of), T - 299_000, T))).toEqual([false, false, true]);
    expect(guard.admit(signature('a'), T, T)).toBe(false);
  });

  test('and is not known, is refused as far back as that', () => {
    const guard = new ReplayGuard(100, { ids: [], completeSinceMs: T + 500 });
    expect(guard.admit(signature('a'), T, T + 9_000)).toBe(false);
    expect(guard.admit(signature('a'), T + 1_000, T + 9_000)).toBe(true);
  });

  test('is told by its id, which is a UUID of its own each time', () => {
    for (let index = 0; index < 200; index += 1) {
      const signed = signature(index);
      const [id, again] = [requestIdOf(signed, randomUUID()), requestIdOf(signed, randomUUID())];
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u);
      expect(id).not.toBe(again);
      expect([id, again].map(signatureOfRequest)).toEqual([signatureNumber(signed), signatureNumber(signed)]);
    }
    expect(signatureOfRequest(randomUUID())).toBeUndefined();
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
