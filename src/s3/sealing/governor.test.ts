import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ByteGovernor, type GovernorLimits, type ShareHolder } from './governor.ts';

const governorOf = (maxBytes: number, more: Partial<GovernorLimits> = {}): ByteGovernor =>
  new ByteGovernor({ maxBytes, maxWaiting: 10, maxWaitMs: 100_000, patienceMs: 100_000, ...more });

test('shares are granted in the order of arrival, never beyond the bound', async () => {
  const governor = governorOf(100);
  const order: string[] = [];
  const first = await governor.take(80);
  const second = governor.take(50).then((share) => (order.push('second'), share));
  const third = governor.take(10).then((share) => (order.push('third'), share));
  await Promise.resolve();
  expect(order).toEqual([]);
  first.giveBack();
  first.giveBack();
  (await second).giveBack();
  (await third).giveBack();
  expect(order).toEqual(['second', 'third']);
  expect(governor.usedBytes).toBe(0);
});

test('a share larger than the bound waits for all of it, and is granted', async () => {
  const governor = governorOf(100);
  const share = await governor.take(1_000);
  expect(governor.usedBytes).toBe(100);
  share.giveBack();
  expect(governor.usedBytes).toBe(0);
});

test('a share can be kept in part', async () => {
  const governor = governorOf(100);
  const share = await governor.take(1_000);
  const waiting = governor.take(60);
  share.shrinkTo(40);
  share.shrinkTo(90);
  const other = await waiting;
  expect(governor.usedBytes).toBe(100);
  share.giveBack();
  other.giveBack();
  expect(governor.usedBytes).toBe(0);
});

test('too long a line, and too long a wait, are told to slow down; who has begun waits on', async () => {
  const governor = governorOf(1, { maxWaiting: 1, maxWaitMs: 20 });
  const share = await governor.take(1);
  const begun = governor.take(1, { isAdmitted: true });
  const late = governor.take(1);
  await expect(governor.take(1)).rejects.toMatchObject({ code: 'ERR_S3_SLOW_DOWN' });
  await expect(late).rejects.toMatchObject({ code: 'ERR_S3_SLOW_DOWN' });
  share.giveBack();
  (await begun).giveBack();
  expect([governor.usedBytes, governor.isContended]).toEqual([0, false]);
});

test('who leaves the line takes nothing', async () => {
  const governor = governorOf(1);
  const share = await governor.take(1);
  const leaving = new AbortController();
  const waiting = governor.take(1, { signal: leaving.signal });
  leaving.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_S3_REQUEST_TIMEOUT' });
  share.giveBack();
  expect(governor.usedBytes).toBe(0);
});

test('who holds a share for a client that does nothing for it is given up, once somebody waits', async () => {
  const governor = governorOf(300, { patienceMs: 20 });
  const [givenUp, moved] = [new Set<string>(), { busy: 0 }];
  const taken = async (name: string, holder: Partial<ShareHolder>): Promise<void> => {
    const share = await governor.take(100, {
      holder: {
        movedBytes: () => 0,
        awaitsClient: () => true,
        giveUp: () => {
          givenUp.add(name);
          share.giveBack();
        },
        ...holder,
      },
    });
  };
  await taken('slow', {});
  await taken('busy', { movedBytes: () => (moved.busy += 1000) });
  await taken('held up by the store', { awaitsClient: () => false });
  await sleep(60);
  expect([...givenUp]).toEqual([]);
  const share = await governor.take(100);
  expect([...givenUp]).toEqual(['slow']);
  share.giveBack();
  expect(governor.usedBytes).toBe(200);
});
