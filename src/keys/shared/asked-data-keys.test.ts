import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { TEST_USE } from '../../../test/support/keys/keys.ts';
import { pipePair } from '../../../test/support/keys/pipe-pair.ts';
import { AskedDataKeys } from './asked-data-keys.ts';
import { Channel } from './channel.ts';
import type { Asked, Question, Told } from './messages.ts';

const LIMITS = { maxAgeMs: 60_000, maxUses: 1000, maxEntries: 100 };
const context = Object.freeze({ a: 'b' });
const opened = (reference: number, dek?: Uint8Array) =>
  ({ type: 'opened', dek, keyArn: 'arn:aws:kms:x:1:key/k', reference }) as const;

/** One that asks, and an owner whose answers the test gives. */
async function asking() {
  const [here, there] = await pipePair();
  const questions: Asked[] = [];
  const owner = new Channel(there, { received: (value) => questions.push(value as Asked), ended: () => undefined });
  const keys = new AskedDataKeys(here, { cache: LIMITS, now: Date.now, ended: () => undefined });
  const next = async (): Promise<{ number: number; question: Question }> => {
    await expect.poll(() => questions.length).toBeGreaterThan(0);
    return questions.shift() as Asked;
  };
  const tell = (told: Told): void => owner.send(told);
  return { keys, next, tell, [Symbol.dispose]: () => keys.close() };
}

test('A DEK whose answer was on its way when DEKs were dropped is used for what asked for it, and not kept', async () => {
  using s = await asking();
  const wrapped = randomBytes(100);
  const first = s.keys.decrypt({ wrapped, context }, TEST_USE);
  const { number } = await s.next();
  s.tell({ type: 'dropDeks' });
  s.tell({ number, result: opened(1, randomBytes(32)) });
  await first;
  const second = s.keys.decrypt({ wrapped, context }, TEST_USE);
  const again = await s.next();
  expect(again.question).toMatchObject({ type: 'decryptAgain', hasDek: false });
  s.tell({ number: again.number, result: opened(1, randomBytes(32)) });
  await second;
});

test('Bytes changed while they are asked about are not those that the answer is of', async () => {
  using s = await asking();
  const wrapped = randomBytes(100);
  const first = s.keys.decrypt({ wrapped, context }, TEST_USE);
  const { number } = await s.next();
  wrapped.fill(7, 50);
  s.tell({ number, result: opened(1, randomBytes(32)) });
  await first;
  const second = s.keys.decrypt({ wrapped, context }, TEST_USE);
  const other = await s.next();
  expect(other.question).toMatchObject({ type: 'decrypt', hasDek: false });
  s.tell({ number: other.number, result: opened(2, randomBytes(32)) });
  await second;
});

test('Bytes changed before they are asked about once more, the owner having forgotten them, are the ones that were meant', async () => {
  using s = await asking();
  const wrapped = randomBytes(100);
  const meant = Uint8Array.from(wrapped);
  const first = s.keys.decrypt({ wrapped, context }, TEST_USE);
  s.tell({ number: (await s.next()).number, result: opened(1, randomBytes(32)) });
  await first;
  const second = s.keys.decrypt({ wrapped, context }, TEST_USE);
  const again = await s.next();
  wrapped.fill(7, 50);
  s.tell({ number: again.number, result: { type: 'forgotten' } });
  const { number, question } = await s.next();
  expect(question.type === 'decrypt' && Buffer.compare(question.request.wrapped, meant)).toBe(0);
  s.tell({ number, result: opened(2) });
  await second;
});
