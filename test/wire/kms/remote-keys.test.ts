/** A key manager whose KMS keys are held by another one: who may is decided and recorded here, what keys do is decided there. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { AccessOptions } from '../../../src/keys/access/options.ts';
import type { KeyUse } from '../../../src/keys/uses/data-keys.ts';
import type { KeyManager } from '../../../src/keys/key-manager.ts';
import { KmsClient } from '../../../src/kms/client/kms-client.ts';
import { fixedCredentials } from '../../../src/sigv4/credentials.ts';
import { keyFolder } from '../../support/keys/keys.ts';
import { CALLER, REGION, startKms, type TestKms } from '../../support/kms/edge.ts';
import { startRelay } from '../../support/relay.ts';

const context = Object.freeze({ 'aws:s3:arn': 'arn:aws:s3:::b/k' });
const user = (name: string): KeyUse => ({
  principal: `arn:aws:iam::000000000000:user/${name}`,
  via: 's3',
  resource: 's3://b/k',
});
const use = user('app');
const AGE_MS = 60_000;

/** `near` asks `far` for its keys, through a relay that can be cut. */
async function world(access?: AccessOptions) {
  const far = await startKms();
  const relay = await startRelay(far.port);
  const folder = await keyFolder();
  const clock = { ms: 0 };
  const remote = new KmsClient({
    endpoint: new URL(`http://127.0.0.1:${relay.port}`),
    ...{ region: REGION, credentials: fixedCredentials(CALLER), timeoutMs: 60_000, now: Date.now },
  });
  const near = await folder.open(
    { ...(access === undefined ? {} : { access }), cache: { maxAgeMs: AGE_MS } },
    { now: () => Date.now() + clock.ms, remote },
  );
  const dispose = async (): Promise<void> => {
    await folder[Symbol.asyncDispose]();
    await relay.cut();
    await far[Symbol.asyncDispose]();
  };
  const records = (): readonly Record<string, unknown>[] =>
    readFileSync(folder.path('audit.log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { far, near, relay, clock, records, [Symbol.asyncDispose]: dispose };
}

const asked = ({ outcomes }: TestKms, action: string): number =>
  outcomes.filter((outcome) => outcome.action === action).length;

async function wrappedBy(near: KeyManager, keyId: string): Promise<Uint8Array> {
  return (await near.generateDataKey({ keyId, context }, use)).wrapped;
}

const codeOf = (failing: Promise<unknown>): Promise<unknown> =>
  failing.then(
    () => 'none',
    (error: unknown) => (error as { code: string }).code,
  );

test('The other end is asked once for a data key that is cached, and every use is recorded here', async () => {
  await using w = await world();
  const keyId = await w.far.key();
  const made = await w.near.generateDataKey({ keyId, context }, use);
  const opened = await Promise.all(
    Array.from({ length: 10 }, () => w.near.decrypt({ wrapped: made.wrapped, context }, use)),
  );
  for (const key of opened) expect([key.keyArn, key.dek.equals(made.dek)]).toEqual([made.keyArn, true]);
  expect(w.near.decryptNow({ wrapped: made.wrapped, context, keyId: made.keyArn }, use)?.dek.equals(made.dek)).toBe(
    true,
  );
  expect([asked(w.far, 'GenerateDataKey'), asked(w.far, 'Decrypt')]).toEqual([1, 1]);
  const uses = w.records().filter(({ action }) => action === 'Decrypt');
  expect(uses).toHaveLength(11);
  for (const record of uses)
    expect(record).toMatchObject({ key: made.keyArn, principal: use.principal, decision: 'allow', result: 'success' });
});

test('What is disabled there ends here with the age of the cached key, and not later', async () => {
  await using w = await world();
  const keyId = await w.far.key();
  const wrapped = await wrappedBy(w.near, keyId);
  await w.near.decrypt({ wrapped, context }, use);
  await w.far.call('DisableKey', { KeyId: keyId });
  expect(await codeOf(w.near.generateDataKey({ keyId, context }, use))).toBe('ERR_KEYS_DISABLED');
  expect(await codeOf(w.near.decrypt({ wrapped, context }, use))).toBe('none');
  w.clock.ms = AGE_MS;
  expect(w.near.decryptNow({ wrapped, context }, use)).toBeUndefined();
  expect(await codeOf(w.near.decrypt({ wrapped, context }, use))).toBe('ERR_KEYS_DISABLED');
  expect(await codeOf(w.near.resolveKey(keyId))).toBe('ERR_KEYS_DISABLED');
  await w.far.call('EnableKey', { KeyId: keyId });
  expect(await codeOf(w.near.decrypt({ wrapped, context }, use))).toBe('none');
});

test('While the other end cannot be reached, what is cached is used and nothing else; then all goes on', async () => {
  await using w = await world();
  const keyId = await w.far.key();
  const [held, other] = [await wrappedBy(w.near, keyId), await wrappedBy(w.near, keyId)];
  await w.near.decrypt({ wrapped: held, context }, use);
  await w.near.resolveKey(keyId);
  await w.near.ready();
  await w.relay.cut();
  expect(await codeOf(w.near.decrypt({ wrapped: held, context }, use))).toBe('none');
  expect(await codeOf(w.near.decrypt({ wrapped: other, context }, use))).toBe('ERR_KEYS_REMOTE_UNAVAILABLE');
  expect(await codeOf(w.near.generateDataKey({ keyId, context }, use))).toBe('ERR_KEYS_REMOTE_UNAVAILABLE');
  expect(await codeOf(w.near.ready())).toBe('ERR_KEYS_REMOTE_UNAVAILABLE');
  const failed = w.records().at(-1);
  expect(failed).toMatchObject({ action: 'GenerateDataKey', result: 'ERR_KEYS_REMOTE_UNAVAILABLE' });
  await w.relay.mend();
  await w.near.ready();
  expect(await codeOf(w.near.decrypt({ wrapped: other, context }, use))).toBe('none');
});

test('Our own policies decide who may, cached or not; a caller without the right gets nothing', async () => {
  const policy = (resource: string): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: resource }],
    });
  const far = await startKms();
  const [allowed, forbidden] = [await far.key(), await far.key()];
  const arn = `arn:aws:kms:${REGION}:123456789012:key/${allowed}`;
  const folder = await keyFolder();
  const identity = { arn: use.principal, tags: {}, boundaries: [], policies: [{ name: 'p', document: policy(arn) }] };
  const remote = new KmsClient({
    endpoint: new URL(far.url),
    ...{ region: REGION, credentials: fixedCredentials(CALLER), timeoutMs: 60_000, now: Date.now },
  });
  const access: AccessOptions = {
    identities: [identity],
    unlistedStorageCallers: 'nothing',
    organizationPolicies: [],
    defaultKeyPolicy: undefined,
    grantsCrossAccounts: false,
  };
  const near = await folder.open({ access }, { remote });
  const wrapped = await wrappedBy(near, allowed);
  await near.decrypt({ wrapped, context }, use);
  expect(await codeOf(near.generateDataKey({ keyId: forbidden, context }, use))).toBe('ERR_KEYS_ACCESS_DENIED');
  expect(asked(far, 'GenerateDataKey')).toBe(1);
  expect(await codeOf(near.decrypt({ wrapped, context }, user('other')))).toBe('ERR_KEYS_ACCESS_DENIED');
  expect(near.decryptNow({ wrapped, context }, user('other'))).toBeUndefined();
  // Not cached either: the answer is thrown away.
  const foreign = await far.keys.operations.generateDataKey(
    { keyId: forbidden, bytes: 32, context, dryRun: false },
    { principal: CALLER.principal, via: 'cli', resource: 'test' },
  );
  expect(await codeOf(near.decrypt({ wrapped: foreign.ciphertext, context }, use))).toBe('ERR_KEYS_ACCESS_DENIED');
  await folder[Symbol.asyncDispose]();
  await far[Symbol.asyncDispose]();
});

test('An alias that is pointed at another key there: new data keys are wrapped by that one, old ones open', async () => {
  await using w = await world();
  const [first, second] = [await w.far.key(), await w.far.key()];
  await w.far.call('CreateAlias', { AliasName: 'alias/data', TargetKeyId: first });
  const keyId = 'alias/data';
  const old = await w.near.generateDataKey({ keyId, context }, use);
  await w.far.call('UpdateAlias', { AliasName: 'alias/data', TargetKeyId: second });
  const made = await w.near.generateDataKey({ keyId, context }, use);
  expect([old.keyArn.endsWith(first), made.keyArn.endsWith(second)]).toEqual([true, true]);
  expect(await codeOf(w.near.decrypt({ wrapped: old.wrapped, context }, use))).toBe('none');
  // As a column asks whose rule names another key than wrapped its data key.
  expect(await codeOf(w.near.decrypt({ wrapped: old.wrapped, context, keyId }, use))).toBe('ERR_KEYS_INCORRECT_KEY');
  expect(await codeOf(w.near.decrypt({ wrapped: made.wrapped, context, keyId }, use))).toBe('none');
});

test('Moves a data key to another key there, with a record for each', async () => {
  await using w = await world();
  const [first, second] = [await w.far.key(), await w.far.key()];
  const made = await w.near.generateDataKey({ keyId: first, context }, use);
  const request = { sourceContext: context, destinationKeyId: second, destinationContext: { moved: 'yes' } };
  const moved = await w.near.reEncrypt({ wrapped: made.wrapped, ...request }, use);
  expect(moved.keyArn.endsWith(second)).toBe(true);
  const opened = await w.near.decrypt({ wrapped: moved.wrapped, context: { moved: 'yes' } }, use);
  expect(opened.dek.equals(made.dek)).toBe(true);
  expect(w.records().map(({ action, key }) => [action, key])).toEqual([
    ['GenerateDataKey', made.keyArn],
    ['ReEncryptFrom', made.keyArn],
    ['ReEncryptTo', moved.keyArn],
    ['Decrypt', moved.keyArn],
  ]);
});

test('What wraps something else than a data key is no data key, and other keys wrap none', async () => {
  await using w = await world();
  const keyId = await w.far.key();
  const { json } = await w.far.call('Encrypt', {
    KeyId: keyId,
    Plaintext: Buffer.from('sixteen bytes !!').toString('base64'),
    EncryptionContext: context,
  });
  const wrapped = new Uint8Array(Buffer.from(String(json?.['CiphertextBlob']), 'base64'));
  expect(await codeOf(w.near.decrypt({ wrapped, context }, use))).toBe('ERR_KEYS_CIPHERTEXT_INVALID');
  const mac = await w.far.key({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  expect(await codeOf(w.near.resolveKey(mac))).toBe('ERR_KEYS_KEY_USAGE');
  expect(await codeOf(w.near.resolveKey('alias/none'))).toBe('ERR_KEYS_NOT_FOUND');
});
