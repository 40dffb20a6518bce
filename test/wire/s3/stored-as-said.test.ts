/** What clients say of an object beside its content reaches the store as they said it: class, tags, locks, hold, restore and ACL. */
import {
  CreateMultipartUploadCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  RestoreObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { KeyManager } from '../../../src/keys/key-manager.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { AWS_CAPABILITIES } from '../../../src/s3/upstream/capabilities.ts';
import { keyFolder, TEST_USE } from '../../support/keys/keys.ts';
import { startRecordingStore, type RecordingStore, type Seen } from '../../support/s3/recording-store.ts';
import { CLIENT, startEdge, type TestEdge } from '../../support/s3/edge.ts';

let store: RecordingStore;
let keys: Awaited<ReturnType<typeof keyFolder>>;
let manager: KeyManager;
let edge: TestEdge;
let client: S3Client;

beforeAll(async () => {
  store = await startRecordingStore();
  keys = await keyFolder({});
  manager = await keys.open();
  await manager.createKey({ alias: 'alias/a' }, TEST_USE);
  edge = await startEdge({
    store,
    rules: [{ bucket: 'sealed', prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } }],
    capabilities: AWS_CAPABILITIES,
    operations: SEALED_OPERATIONS,
    dataKeys: manager,
  });
  client = new S3Client({
    endpoint: edge.url,
    region: 'us-east-1',
    credentials: CLIENT,
    forcePathStyle: true,
    maxAttempts: 1,
  });
});
beforeEach(() => {
  store.seen.length = 0;
  store.reply = { status: 200, headers: { etag: '"0123456789abcdef0123456789abcdef"' }, body: '' };
});
afterAll(async () => {
  client.destroy();
  await edge.close();
  await store.close();
  await keys[Symbol.asyncDispose]();
});

const object = { Bucket: 'sealed', Key: 'k' } as const;

const SAID = {
  StorageClass: 'GLACIER',
  Tagging: 'a=1&b=%C3%A4%20%26',
  ObjectLockMode: 'COMPLIANCE',
  ObjectLockRetainUntilDate: new Date('2099-01-01T00:00:00Z'),
  ObjectLockLegalHoldStatus: 'ON',
} as const;

const HEADERS = {
  'x-amz-storage-class': 'GLACIER',
  'x-amz-tagging': 'a=1&b=%C3%A4%20%26',
  'x-amz-object-lock-mode': 'COMPLIANCE',
  'x-amz-object-lock-retain-until-date': '2099-01-01T00:00:00Z',
  'x-amz-object-lock-legal-hold': 'ON',
};

/** The one request about the object itself. */
function sent(method: string, query = ''): Seen {
  const found = store.seen.filter((seen) => seen.method === method && seen.url.startsWith(`/sealed/k${query}`));
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`not one request: ${JSON.stringify(store.seen)}`);
  return only;
}

test('with an object', async () => {
  await client.send(new PutObjectCommand({ ...object, Body: 'x', ...SAID }));
  expect(sent('PUT').headers).toMatchObject(HEADERS);
});

test('with an upload, as it is created', async () => {
  const body =
    '<InitiateMultipartUploadResult><Bucket>sealed</Bucket><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>';
  store.reply = { status: 200, headers: { etag: '"0123456789abcdef0123456789abcdef"' }, body };
  await client.send(new CreateMultipartUploadCommand({ ...object, ...SAID }));
  expect(sent('POST', '?uploads').headers).toMatchObject(HEADERS);
});

test('afterwards, in documents of their own, with the version they are about', async () => {
  const version = { ...object, VersionId: 'v/1' };
  const until = new Date('2099-01-01T00:00:00Z');
  const calls = [
    [
      new PutObjectTaggingCommand({ ...version, Tagging: { TagSet: [{ Key: 'ä', Value: '<&' }] } }),
      'PUT',
      'tagging',
      '<TagSet><Tag><Key>ä</Key><Value>&lt;&amp;</Value></Tag></TagSet>',
    ],
    [
      new PutObjectRetentionCommand({
        ...version,
        Retention: { Mode: 'GOVERNANCE', RetainUntilDate: until },
        BypassGovernanceRetention: true,
      }),
      'PUT',
      'retention',
      '<Mode>GOVERNANCE</Mode><RetainUntilDate>2099-01-01T00:00:00Z</RetainUntilDate>',
    ],
    [
      new PutObjectLegalHoldCommand({ ...version, LegalHold: { Status: 'ON' } }),
      'PUT',
      'legal-hold',
      '<Status>ON</Status>',
    ],
    [
      new RestoreObjectCommand({
        ...version,
        RestoreRequest: { Days: 3, GlacierJobParameters: { Tier: 'Expedited' } },
      }),
      'POST',
      'restore',
      '<Days>3</Days><GlacierJobParameters><Tier>Expedited</Tier></GlacierJobParameters>',
    ],
  ] as const;
  for (const [command, method, name, document] of calls) {
    store.seen.length = 0;
    // Each of its own type; what is sent is asked alone.
    await client.send(command as PutObjectTaggingCommand);
    const [seen] = store.seen.filter((one) => one.method === method);
    const query = new URLSearchParams(seen?.url.split('?')[1]);
    expect([query.has(name), query.get('versionId')], name).toEqual([true, 'v/1']);
    expect(seen?.body.toString(), name).toContain(document);
    if (name === 'retention') expect(seen?.headers['x-amz-bypass-governance-retention']).toBe('true');
  }
});

test('an ACL that gives nothing to others, and none that does', async () => {
  await client.send(new PutObjectAclCommand({ ...object, ACL: 'private' }));
  expect(sent('PUT', '?acl').headers['x-amz-acl']).toBe('private');
  store.seen.length = 0;
  for (const ACL of ['public-read', 'authenticated-read'] as const) {
    await expect(client.send(new PutObjectAclCommand({ ...object, ACL }))).rejects.toMatchObject({
      name: 'NotImplemented',
    });
    await expect(client.send(new PutObjectCommand({ ...object, Body: 'x', ACL }))).rejects.toMatchObject({
      name: 'NotImplemented',
    });
  }
  expect(store.seen.filter(({ method }) => method !== 'GET')).toEqual([]);
});
