/** Every request of a known caller is in the audit trail, also one that got no further than its form. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CALLER, startKms, type KmsAnswer, type TestKms } from '../../support/kms/edge.ts';

type Line = Readonly<Record<string, unknown>>;

function linesOf({ folder }: TestKms): readonly Line[] {
  const lines = readFileSync(folder.options.audit.path, 'utf8').split('\n');
  // Its own lines.
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
}

const recordsOf = (kms: TestKms, { headers }: KmsAnswer): readonly Line[] =>
  linesOf(kms).filter(({ request }) => request === headers['x-amzn-requestid']);

test.each<[string, string, unknown, string, string]>([
  ['a member that is missing', 'Encrypt', {}, 'Encrypt', 'ERR_KMS_VALIDATION'],
  ['a value beyond its limits', 'ListKeys', { Limit: 5000 }, 'ListKeys', 'ERR_KMS_VALIDATION'],
  ['a value of another type', 'DescribeKey', { KeyId: 7 }, 'DescribeKey', 'ERR_KMS_SERIALIZATION'],
  ['a target that there is not', 'EncryptAll', {}, 'Unknown', 'ERR_KMS_UNKNOWN_OPERATION'],
  ['what is not supported', 'DescribeCustomKeyStores', {}, 'DescribeCustomKeyStores', 'ERR_KMS_UNSUPPORTED'],
  ['a page that there is not', 'ListKeys', { Marker: 'none' }, 'ListKeys', 'ERR_KMS_INVALID_MARKER'],
  ['a key by what is no id', 'DisableKey', { KeyId: 'a' }, 'DisableKey', 'ERR_KEYS_INVALID_ID'],
  ['no key of ours', 'Encrypt', { KeyId: 'alias/none', Plaintext: 'eA==' }, 'Encrypt', 'ERR_KEYS_NOT_FOUND'],
])('%s', async (_, action, input, recorded, result) => {
  await using kms = await startKms();
  const answer = await kms.call(action, input);
  expect(answer.status).toBe(400);
  const { principal } = CALLER;
  expect(recordsOf(kms, answer)).toMatchObject([
    { action: recorded, principal, via: 'kms', key: null, decision: 'deny', why: 'not reached', result },
  ]);
});

test('Each entry of a batch has its record, whatever is wrong with it', async () => {
  await using kms = await startKms();
  const KeyId = await kms.key();
  const Entries = [{ KeyId, KeySpec: 'AES_256' }, { KeyId }, {}, { KeyId: 'alias/none', KeySpec: 'AES_256' }];
  const answer = await kms.call('Sealgate.BatchGenerateDataKey', { Entries });
  expect(answer.status).toBe(200);
  const results = recordsOf(kms, answer).map(({ resource, result }) => [resource, result]);
  expect(results.sort()).toEqual([
    ['kms api, entry 1', 'success'],
    ['kms api, entry 2', 'ERR_KMS_VALIDATION'],
    ['kms api, entry 3', 'ERR_KMS_VALIDATION'],
    ['kms api, entry 4', 'ERR_KEYS_NOT_FOUND'],
  ]);
});

test('Who is not known writes nothing into the trail', async () => {
  await using kms = await startKms();
  const before = linesOf(kms).length;
  const credentials = { ...CALLER, secretAccessKey: 'another' };
  const answer = await kms.call('Encrypt', {}, { credentials });
  expect(answer.status).toBe(400);
  expect(linesOf(kms)).toHaveLength(before);
});
