/** The thread beside the event loop, and the turns that works take. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { generatePair } from './key-pair.ts';
import { withOwnBytes } from './pair-job.ts';
import { PairThread } from './pair-thread.ts';
import { Turns } from './turns.ts';

const digest = createHash('sha512').update('x').digest();
const scheme = { type: 'ed25519ph' } as const;

test('Many jobs at once are each answered with their own result', async () => {
  const thread = new PairThread();
  const keys = await Promise.all([0, 1, 2].map(() => generatePair({ type: 'ed25519' })));
  const signed = await Promise.all(
    keys.flatMap(({ privateKey }) =>
      [0, 1, 2].map(() => thread.run({ type: 'sign', scheme, key: privateKey, digest })),
    ),
  );
  for (const [index, result] of signed.entries()) {
    const key = keys[Math.floor(index / 3)]?.publicKey;
    if (key === undefined || result.type !== 'bytes') throw new Error('no signature');
    const asked = { type: 'verify', scheme, key, digest, signature: result.bytes } as const;
    expect(await thread.run(asked)).toEqual({ type: 'yes' });
  }
  await thread.close();
});

test('While it works the event loop goes on', async () => {
  const thread = new PairThread();
  const { privateKey } = await generatePair({ type: 'ec', curve: 'secp521r1' });
  const job = { type: 'sign', scheme: { type: 'ecdsa', hash: 'sha512' }, key: privateKey, digest } as const;
  const turnsMeanwhile = async (): Promise<number> => {
    let turns = 0;
    let isDone = false;
    const works = Promise.all(Array.from({ length: 50 }, () => thread.run(job))).then(() => (isDone = true));
    while (!isDone) {
      await setImmediate();
      turns += 1;
    }
    await works;
    return turns;
  };
  // The system may give the thread all of a busy machine's time, though not again and again.
  await expect.poll(turnsMeanwhile).toBeGreaterThan(50);
  await thread.close();
});

test('A job that fails is rejected and the next goes on; a thread that ended is started anew', async () => {
  const thread = new PairThread();
  const rsa = await generatePair({ type: 'rsa', bits: 2048 });
  const { privateKey } = await generatePair({ type: 'ed25519' });
  const job = { type: 'sign', scheme, key: privateKey, digest } as const;
  // No curve's key.
  const wrong = { ...job, scheme: { type: 'ecdsa', hash: 'sha512' }, key: rsa.privateKey } as const;
  await expect(thread.run(wrong)).rejects.toThrow('the pair thread failed');
  expect((await thread.run(job)).type).toBe('bytes');
  // So many that the thread cannot be through with them before it is told to end.
  const underWay = Promise.all(Array.from({ length: 5000 }, () => thread.run(job)));
  const outcome = expect(underWay).rejects.toThrow('the pair thread has ended');
  await thread.close();
  await outcome;
  expect((await thread.run(job)).type).toBe('bytes');
  await thread.close();
});

test('Bytes go over in memory of their own, not with all that lies beside them', () => {
  const shared = new Uint8Array(1024).fill(7);
  const { message, transfer } = withOwnBytes({ type: 'bytes', bytes: shared.subarray(10, 20) });
  if (message.type !== 'bytes') throw new Error('another message');
  expect(message.bytes).toEqual(shared.subarray(10, 20));
  expect(transfer.map(({ byteLength }) => byteLength)).toEqual([10]);
});

test('Turns: at most so many at once, in the order they came, whether they fail or not', async () => {
  const turns = new Turns({ atOnce: 2, waiting: 8, busy: () => new Error('busy') });
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const work = (index: number) => async (): Promise<number> => {
    running += 1;
    most = Math.max(most, running);
    order.push(index);
    await setImmediate();
    running -= 1;
    if (index % 3 === 0) throw new Error('fails');
    return index;
  };
  const all = await Promise.allSettled(Array.from({ length: 10 }, (_, index) => turns.run(work(index))));
  expect([most, order]).toEqual([2, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
  expect(all.map(({ status }) => status === 'fulfilled')).toEqual(
    Array.from({ length: 10 }, (_, index) => index % 3 !== 0),
  );
  expect(await turns.run(async () => 'again')).toBe('again');
});

test('Turns: where too many wait one more is refused, and those who wait go on', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 2, busy: () => new Error('busy') });
  const works = [0, 1, 2, 3].map((index) => turns.run(() => setImmediate(index)));
  expect(await Promise.allSettled(works)).toMatchObject([
    { value: 0 },
    { value: 1 },
    { value: 2 },
    { status: 'rejected', reason: { message: 'busy' } },
  ]);
  expect(await turns.run(async () => 'again')).toBe('again');
});
