/** What the limits of test/conformance do not show: several at once, and the largest of what is taken. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startKms, type TestKms } from '../../support/kms/edge.ts';

let kms: TestKms;
let keyId: string;
beforeAll(async () => {
  kms = await startKms();
  keyId = await kms.key();
});
afterAll(() => kms[Symbol.asyncDispose]());

const x = (length: number): string => 'x'.repeat(length);
const blob = (bytes: number): string => Buffer.alloc(bytes).toString('base64');

test('Two wrong members are both told', async () => {
  const { json } = await kms.call('GenerateDataKey', { NumberOfBytes: 0 });
  expect(json?.['message']).toBe(
    "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1",
  );
});

test('What lies on a limit is taken', async () => {
  const longest = { KeyId: keyId, Plaintext: blob(4096), EncryptionContext: { a: x(8000) } };
  const { status, json } = await kms.call('Encrypt', longest);
  expect(status).toBe(200);
  expect(Buffer.from(String(json?.['CiphertextBlob']), 'base64').length).toBeLessThanOrEqual(6144);
  const tags = Array.from({ length: 50 }, (_, at) => ({
    TagKey: `${at}${x(128 - String(at).length)}`,
    TagValue: x(256),
  }));
  expect((await kms.call('CreateKey', { Description: x(8192), Tags: tags })).status).toBe(200);
  expect((await kms.call('CreateAlias', { AliasName: `alias/${x(250)}`, TargetKeyId: keyId })).status).toBe(200);
  for (const bytes of [1, 1024])
    expect((await kms.call('GenerateDataKey', { KeyId: keyId, NumberOfBytes: bytes })).status).toBe(200);
  for (const days of [90, 2560])
    expect((await kms.call('EnableKeyRotation', { KeyId: keyId, RotationPeriodInDays: days })).status).toBe(200);
});
