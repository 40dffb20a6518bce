import { expect, test } from 'vitest';
import type { GatewayContext } from '../operation.ts';
import type { UpstreamRequest } from '../upstream/client.ts';
import { WholeBody } from '../upstream/upstream-body.ts';
import { ObjectLocks } from './object-locks.ts';

const LOCKED = '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>';

/** A gateway in front of a store that answers these, one after another. */
function gatewayTold(...answers: readonly (readonly [status: number, text: string])[]) {
  const left = [...answers];
  const warnings: string[] = [];
  const lanes: UpstreamRequest['lane'][] = [];
  const upstream = {
    send: ({ lane }: UpstreamRequest) => {
      lanes.push(lane);
      const [status, text] = left.shift() ?? [0, ''];
      if (status === 0) return Promise.reject(new Error('the store is away'));
      return Promise.resolve({ status, headers: {}, body: new WholeBody(Buffer.from(text)) });
    },
  };
  const log = { warn: (_fields: object, message: string) => warnings.push(message) };
  // What is asked of it.
  return { gateway: { upstream, log } as unknown as GatewayContext, warnings, lanes };
}

test.each([
  ['that has it', 200, LOCKED, true],
  ['that has not', 404, '<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>', false],
  ['of a store that lists it instead', 200, '<ListBucketResult></ListBucketResult>', false],
] as const)('of a bucket %s the store is asked once', async (_what, status, text, expected) => {
  const { gateway, warnings, lanes } = gatewayTold([status, text]);
  const locks = new ObjectLocks();
  for (let times = 0; times < 3; times += 1) expect(await locks.isLocked('b', gateway)).toBe(expected);
  expect(warnings).toEqual([]);
  // All others may be held by those who wait for the answer.
  expect(lanes).toEqual(['beside']);
});

test('a store that may not be asked is not asked again at once, and that is said', async () => {
  const { gateway, warnings } = gatewayTold([403, '<Error><Code>AccessDenied</Code></Error>'], [200, LOCKED]);
  const locks = new ObjectLocks();
  for (let times = 0; times < 3; times += 1) expect(await locks.isLocked('b', gateway)).toBe(false);
  expect(warnings.length).toBe(1);
});

test('a store that was away, or broke down, is asked again', async () => {
  const { gateway } = gatewayTold([0, ''], [503, ''], [200, LOCKED]);
  const locks = new ObjectLocks();
  const told = [await locks.isLocked('b', gateway), await locks.isLocked('b', gateway)];
  expect([...told, await locks.isLocked('b', gateway)]).toEqual([false, false, true]);
});
