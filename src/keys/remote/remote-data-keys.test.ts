import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE } from '../../../test/support/keys/keys.ts';
import type { RemoteKms } from './remote-kms.ts';

const ARN = 'arn:aws:kms:eu-central-1:000000000000:key/11111111-2222-3333-4444-555555555555';
const context = Object.freeze({ a: 'b' });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What another key manager opens, known by the bytes it was sent. */
const openedBy = (wrapped: Uint8Array): Buffer => createHash('sha256').update(wrapped).digest();
const notAsked = (): Promise<never> => Promise.reject(new TypeError('not asked here'));

const ELSEWHERE: RemoteKms = {
  describeKey: async () => {
    await turn();
    return { arn: ARN, state: 'Enabled', spec: 'SYMMETRIC_DEFAULT' };
  },
  decrypt: async ({ wrapped }) => {
    const plaintext = openedBy(wrapped);
    await turn();
    return { plaintext, keyArn: ARN };
  },
  generateDataKey: notAsked,
  reEncrypt: notAsked,
  close: () => Promise.resolve(),
};

test('Bytes changed while another key manager is asked do not give their DEK to those that were meant', async () => {
  await using folder = await keyFolder();
  const keys = await folder.open({}, { remote: ELSEWHERE });
  const meant = randomBytes(100);
  const other = randomBytes(100);
  for (const changed of [0, 1, 2, 3, 4]) {
    const buffer = Uint8Array.from(meant);
    const first = keys.decrypt({ wrapped: buffer, context, keyId: `alias/${changed}` }, TEST_USE);
    for (let turns = 0; turns < changed; turns += 1) await turn();
    buffer.set(other);
    await first;
    for (const wrapped of [meant, other, buffer]) {
      const expected = openedBy(wrapped).toString('hex');
      const now = keys.decryptNow({ wrapped, context }, TEST_USE);
      if (now !== undefined) expect(now.dek.export().toString('hex')).toBe(expected);
      const each = keys.decryptEachNow([{ request: { wrapped, context }, use: TEST_USE }]);
      expect(each.map((key) => key?.dek.export().toString('hex'))).toEqual([now && expected]);
      const { dek } = await keys.decrypt({ wrapped, context }, TEST_USE);
      expect(dek.export().toString('hex')).toBe(expected);
    }
  }
});

test('What lies unsealed is read by who may decrypt, is on record, and asks the other end for no key', async () => {
  await using folder = await keyFolder();
  const keys = await folder.open({}, { remote: ELSEWHERE });
  expect(await keys.readUnsealed({ keyId: 'alias/x', context }, TEST_USE)).toBe(ARN);
  const records = (await readFile(folder.path('audit.log'), 'utf8')).split('\n').filter((line) => line.includes(ARN));
  expect(JSON.parse(records.at(-1) ?? '')).toMatchObject({
    action: 'ReadUnsealed',
    key: ARN,
    result: 'success',
    context,
  });
});
