import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createReadiness } from './readiness.ts';

test('Ready is who passes every check; each says by itself', async () => {
  const failing = Object.assign(new Error('at 10.0.0.7: password "x"'), { code: 'ERR_KEYS_AUDIT_UNAVAILABLE' });
  const ask = createReadiness([
    { name: 'keys', check: () => Promise.reject(failing) },
    { name: 's3', check: () => Promise.resolve() },
    { name: 'postgres', check: () => Promise.reject(new Error('no code')) },
  ]);
  expect(await ask()).toEqual({
    ready: false,
    checks: [
      { name: 'keys', ready: false, reason: 'ERR_KEYS_AUDIT_UNAVAILABLE' },
      { name: 's3', ready: true },
      { name: 'postgres', ready: false, reason: 'failed' },
    ],
  });
  expect(await createReadiness([])()).toEqual({ ready: true, checks: [] });
});

test('A check that throws at once, or whose code is no code, gives a general word', async () => {
  const thrown = (code: unknown) => () => {
    throw Object.assign(new Error('x'), { code });
  };
  const ask = createReadiness([
    { name: 'a', check: thrown(7) },
    { name: 'b', check: thrown('not a code: 10.0.0.7') },
  ]);
  expect((await ask()).checks.map((check) => 'reason' in check && check.reason)).toEqual(['failed', 'failed']);
});

test('A check that hangs is told it has no more time, and counts as not ready', async () => {
  let aborted = false;
  const hanging = (signal: AbortSignal): Promise<void> => {
    signal.addEventListener('abort', () => (aborted = true));
    return new Promise(() => undefined);
  };
  const ask = createReadiness([{ name: 's3', check: hanging }], { timeoutMs: 20 });
  expect((await ask()).checks).toEqual([{ name: 's3', ready: false, reason: 'timeout' }]);
  expect(aborted).toBe(true);
});

test('However many ask at once, the upstreams are asked once, and again only after a while', async () => {
  let asked = 0;
  let clock = 0;
  const check = async (): Promise<void> => {
    asked += 1;
    await sleep(5);
  };
  const ask = createReadiness([{ name: 's3', check }], { keepMs: 1000, now: () => clock });
  await Promise.all(Array.from({ length: 50 }, ask));
  clock = 999;
  await ask();
  expect(asked).toBe(1);
  clock = 1000;
  await ask();
  expect(asked).toBe(2);
});
