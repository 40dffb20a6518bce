/** The UploadId of somebody else: of no use to who may not write that key, nor at any key of his own; and what shows it is asked of rights as well. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeyManager } from '../../../src/keys/key-manager.ts';
import type { S3AccessKey } from '../../../src/s3/auth/authenticate.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { document, type Json } from '../../support/keys/access.ts';
import { keyFolder, TEST_USE, type KeyFolder } from '../../support/keys/keys.ts';
import { startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { startS3rver, type TestStore } from '../../support/s3/s3rver.ts';

const Bucket = 'sealed';
const arn = (name: string): string => `arn:aws:iam::000000000000:user/${name}`;
const accessKey = (name: string): S3AccessKey => ({
  accessKeyId: name.toUpperCase(),
  secretAccessKey: `${name} secret`,
  principal: arn(name),
});
const allow = (Action: string | readonly string[], Resource: string): Json => ({ Effect: 'Allow', Action, Resource });
const USE_KEYS = allow(['kms:GenerateDataKey', 'kms:Decrypt'], '*');
const OWN = ['s3:PutObject', 's3:GetObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];
const within = (prefix: string): Json => allow(OWN, `arn:aws:s3:::${Bucket}/${prefix}/*`);

const POLICIES: Readonly<Record<string, readonly Json[]>> = {
  ann: [USE_KEYS, within('ann'), within('common')],
  bob: [USE_KEYS, within('bob'), within('common'), allow(OWN, 'arn:aws:s3:::open/*')],
  keyless: [within('ann')],
};

let store: TestStore;
let keys: KeyFolder;
let manager: KeyManager;
let edge: TestEdge;
let clients: Readonly<Record<'ann' | 'bob' | 'keyless', S3Client>>;

beforeAll(async () => {
  store = await startS3rver({ buckets: [Bucket, 'open'] });
  const identities = Object.entries(POLICIES).map(([name, statements]) => ({
    arn: arn(name),
    policies: [{ name: 'own', document: document(...statements) }],
  }));
  const access = { identities, organizationPolicies: [], unlistedStorageCallers: 'use-keys' } as const;
  keys = await keyFolder({ access: { ...access, grantsCrossAccounts: false } });
  manager = await keys.open();
  await manager.createKey({ alias: 'alias/a' }, TEST_USE);
  edge = await startEdge({
    store,
    rules: [{ bucket: Bucket, prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } }],
    operations: SEALED_OPERATIONS,
    dataKeys: manager,
    access,
    accessKeys: Object.keys(POLICIES).map(accessKey),
  });
  const as = (name: string): S3Client =>
    new S3Client({
      endpoint: edge.url,
      region: 'us-east-1',
      credentials: accessKey(name),
      forcePathStyle: true,
      maxAttempts: 1,
    });
  clients = { ann: as('ann'), bob: as('bob'), keyless: as('keyless') };
});
afterAll(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await edge.close();
  await keys[Symbol.asyncDispose]();
  await store.close();
});

type Upload = { readonly Bucket: string; readonly Key: string; readonly UploadId: string | undefined };

async function start(Key: string): Promise<{ upload: Upload; part: CompletedPart }> {
  const { UploadId } = await clients.ann.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const upload = { Bucket, Key, UploadId };
  const { ETag } = await clients.ann.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'from ann' }));
  return { upload, part: { PartNumber: 1, ETag } };
}
const complete = (upload: Upload, part: CompletedPart) =>
  new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [part] } });
const nameOf = (sent: Promise<unknown>): Promise<string> =>
  sent.then(
    () => 'done',
    (error: { name: string }) => error.name,
  );
/** Everything that takes an UploadId but its abortion. */
const uses = (client: S3Client, upload: Upload, part: CompletedPart): readonly Promise<string>[] => [
  nameOf(client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'from bob' }))),
  nameOf(client.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'from bob' }))),
  nameOf(client.send(new UploadPartCopyCommand({ ...upload, PartNumber: 2, CopySource: `${Bucket}/bob/source` }))),
  nameOf(client.send(new ListPartsCommand(upload))),
  nameOf(client.send(complete(upload, part))),
];
const everything = (client: S3Client, upload: Upload, part: CompletedPart): readonly Promise<string>[] => [
  ...uses(client, upload, part),
  nameOf(client.send(new AbortMultipartUploadCommand(upload))),
];

test('is of no use to who may not write the key, nor at a key of his own', async () => {
  const { upload, part } = await start('ann/k');
  await clients.bob.send(new PutObjectCommand({ Bucket, Key: 'bob/source', Body: 'x' }));
  expect(await Promise.all(everything(clients.bob, upload, part))).toEqual(Array(6).fill('AccessDenied'));
  const elsewhere = { ...upload, Key: 'bob/k' };
  expect(await Promise.all(everything(clients.bob, elsewhere, part))).toEqual(Array(6).fill('NoSuchUpload'));
  // In a bucket that passes it is an id that the store never gave.
  const open = { ...upload, Bucket: 'open', Key: 'ann/k' };
  for (const outcome of await Promise.all(everything(clients.bob, open, part))) expect(outcome).not.toBe('done');
  expect(await nameOf(clients.bob.send(new ListMultipartUploadsCommand({ Bucket })))).toBe('AccessDenied');
  await clients.ann.send(complete(upload, part));
  const { Body } = await clients.ann.send(new GetObjectCommand({ Bucket, Key: 'ann/k' }));
  expect(await Body?.transformToString()).toBe('from ann');
});

test('with the right to the key and none to its KMS key nothing is written, shown or completed', async () => {
  const { upload, part } = await start('ann/keyless');
  const outcomes = await Promise.all(uses(clients.keyless, upload, part));
  expect(outcomes).toEqual(Array(5).fill('AccessDenied'));
  await clients.ann.send(complete(upload, part));
});

test('of a key that both may write is the upload of both, as on S3', async () => {
  const { upload } = await start('common/k');
  const { ETag } = await clients.bob.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'from bob' }));
  await clients.bob.send(complete(upload, { PartNumber: 1, ETag }));
  const { Body } = await clients.ann.send(new GetObjectCommand({ Bucket, Key: 'common/k' }));
  expect(await Body?.transformToString()).toBe('from bob');
});
