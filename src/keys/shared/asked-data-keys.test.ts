import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { TEST_USE } from '../../../test/support/keys/keys.ts';
import { pipePair } from '../../../test/support/keys/pipe-pair.ts';
import { AskedDataKeys } from './asked-data-keys.ts';
import { Channel } from './channel.ts';
import type { Asked, AskedAgain, Question, Told } from './messages.ts';

const LIMITS = { maxAgeMs: 60_000, maxUses: 1000, maxEntries: 100 };
const context = Object.freeze({ a: 'b' });
const opened = (reference: number, dek?: Uint8Array) =>
  ({ type: 'opened', dek, keyArn: 'arn:aws:kms:x:1:key/k', reference }) as const;

/** One that asks, and an owner whose answers the test gives. */
async function asking() {
  const [here, there] = await pipePair();
  const questions: (Asked | AskedAgain)[] = [];
  const owner = new Channel(there, {
    received: (value) => questions.push(value as Asked | AskedAgain),
    ended: () => undefined,
  });
  const keys = new AskedDataKeys(here, { cache: LIMITS, now: Date.now, ended: () => undefined });
  const question = async (): Promise<Asked | AskedAgain> => {
    await expect.poll(() => questions.length).toBeGreaterThan(0);
    return questions.shift() as Asked | AskedAgain;
  };
  const next = async (): Promise<{ number: number; question: Question }> => {
    const asked = await question();
    if (!('question' in asked)) throw new Error('asked in numbers');
    return asked;
  };
  const nextAgain = async (): Promise<AskedAgain> => {
    const asked = await question();
    if ('question' in asked) throw new Error('asked in full');
    return asked;
  };
  const tell = (told: Told): void => owner.send(told);
  const tellAgain = (number: number): void => owner.sendNumbers([number]);
  return { keys, next, nextAgain, tell, tellAgain, [Symbol.dispose]: () => keys.close() };
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

/** What stays the same object, as the use of a column does. */
const columnUse = Object.freeze({ ...TEST_USE, via: 'postgres', resource: 'shop.public.t.c' } as const);

test('A use that comes again is asked about in three numbers; forgotten, in full, and by its name again', async () => {
  using s = await asking();
  const wrapped = randomBytes(100);
  const ask = (keyId?: string): Promise<string> =>
    s.keys
      .decrypt({ wrapped, context, ...(keyId === undefined ? {} : { keyId }) }, columnUse)
      .then(({ dek, keyArn }) => `${dek.export().toString('hex')} ${keyArn}`);
  const first = ask();
  const full = await s.next();
  expect(full.question).toMatchObject({ type: 'decrypt', use: columnUse, useName: 1 });
  s.tell({ number: full.number, result: opened(7, randomBytes(32)) });
  const answer = await first;
  for (let times = 0; times < 2; times += 1) {
    const again = ask();
    const [number, ...rest] = await s.nextAgain();
    expect(rest).toEqual([7, 1]);
    s.tellAgain(number);
    expect(await again).toBe(answer);
  }
  const after = ask();
  s.tell({ number: (await s.nextAgain())[0], result: { type: 'forgotten' } });
  const anew = await s.next();
  expect(anew.question).toMatchObject({ type: 'decrypt', hasDek: true, use: columnUse, useName: 1 });
  s.tell({ number: anew.number, result: opened(8) });
  expect(await after).toBe(answer);
  // Under another key the name would mean something else.
  const other = ask('alias/other');
  const named = await s.next();
  expect(named.question).toMatchObject({ type: 'decryptAgain', reference: 8, keyId: 'alias/other', useName: 2 });
  s.tell({ number: named.number, result: { type: 'failed', code: 'ERR_KEYS_INCORRECT_KEY', message: 'no' } });
  await expect(other).rejects.toMatchObject({ code: 'ERR_KEYS_INCORRECT_KEY' });
});

test('A refusal of what was asked in numbers is the owner’s own', async () => {
  using s = await asking();
  const wrapped = randomBytes(100);
  const first = s.keys.decrypt({ wrapped, context }, columnUse);
  s.tell({ number: (await s.next()).number, result: opened(1, randomBytes(32)) });
  await first;
  const again = s.keys.decrypt({ wrapped, context }, columnUse);
  const [number] = await s.nextAgain();
  s.tell({ number, result: { type: 'failed', code: 'ERR_KEYS_DISABLED', message: 'disabled' } });
  await expect(again).rejects.toMatchObject({ code: 'ERR_KEYS_DISABLED' });
});

test('What may change, or is of one request, has no name', async () => {
  using s = await asking();
  const wrapped = randomBytes(100);
  for (const use of [{ ...columnUse }, Object.freeze({ ...columnUse, requestId: 'r' })]) {
    for (let times = 0; times < 2; times += 1) {
      const asked = s.keys.decrypt({ wrapped, context }, use);
      const { number, question } = await s.next();
      expect(question).toMatchObject({ use, useName: undefined });
      s.tell({ number, result: opened(1, randomBytes(32)) });
      await asked;
    }
  }
});
