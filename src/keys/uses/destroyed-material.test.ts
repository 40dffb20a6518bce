/** What is left of a key in memory once its material is destroyed. */
import { KeyObject } from 'node:crypto';
import { queryObjects } from 'node:v8';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as operator } from '../../../test/support/keys/keys.ts';
import { DAY_MS } from '../limits.ts';
import type { KeyManager } from '../key-manager.ts';
import type { KeyUse } from './data-keys.ts';

const context = Object.freeze({ team: 'red' });
const use: KeyUse = Object.freeze({
  principal: 'arn:aws:iam::000000000000:user/app',
  via: 'postgres',
  resource: 'shop.public.t.n',
});

/** Makes a key, uses it as a column is used, and returns its id. */
async function usedKey(manager: KeyManager, as: KeyUse): Promise<string> {
  const { keyId } = await manager.createKey({}, operator);
  const { wrapped } = await manager.generateDataKey({ keyId, context }, operator);
  await manager.decrypt({ wrapped, context }, as);
  expect(manager.decryptNow({ wrapped, context }, as)).toBeDefined();
  return keyId;
}

test('No key is held on to by those who used it: who asked with the same object again and again neither', async () => {
  await using keys = await keyFolder();
  let now = Date.now();
  const manager = await keys.open({}, { now: () => now });
  const held = (): number => queryObjects(KeyObject, { format: 'count' });
  const left = [held()];
  for (const as of [{ ...use }, use]) {
    const keyId = await usedKey(manager, as);
    await manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, operator);
    now += 8 * DAY_MS;
    expect(await manager.runDue({ destroy: true })).toMatchObject({ destroyed: [expect.stringContaining(keyId)] });
    left.push(held());
  }
  expect(new Set(left).size, left.join()).toBe(1);
});
