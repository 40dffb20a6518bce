/** Several callers of one gateway, each with rights of its own: real clients, a real store. */
import {
  CopyObjectCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketCorsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { IdentitiesOptions } from '../../../src/keys/access/options.ts';
import type { S3AccessKey } from '../../../src/s3/auth/authenticate.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import type { S3Rule } from '../../../src/s3/rules.ts';
import { document, type Json } from '../../support/keys/access.ts';
import { keyFolder, TEST_USE, type KeyFolder } from '../../support/keys/keys.ts';
import { CLIENT, startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { startS3rver, type TestStore } from '../../support/s3/s3rver.ts';
import type { KeyManager } from '../../../src/keys/key-manager.ts';

const arn = (name: string): string => `arn:aws:iam::000000000000:user/${name}`;
const key = (name: string, more: Partial<S3AccessKey> = {}): S3AccessKey => ({
  accessKeyId: name.toUpperCase(),
  secretAccessKey: `${name} secret`,
  principal: arn(name),
  ...more,
});

const USE_KEYS: Json = { Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: '*' };
const allow = (action: string | readonly string[], resource: string, condition?: Json): Json => ({
  Effect: 'Allow',
  Action: action,
  Resource: `arn:aws:s3:::${resource}`,
  ...(condition === undefined ? {} : { Condition: condition }),
});

const COPIES: readonly Json[] = [
  { ...USE_KEYS, Action: 'kms:*' },
  allow(['s3:PutObject', 's3:GetObject'], '*/out/*'),
  allow('s3:GetObject', '*/in/*'),
];

const POLICIES: Readonly<Record<string, readonly Json[]>> = {
  reader: [
    USE_KEYS,
    allow('s3:GetObject', 'sealed/team/*'),
    allow('s3:ListBucket', 'sealed', { StringLike: { 's3:prefix': 'team/*' } }),
  ],
  cleaner: [allow('s3:DeleteObject', 'sealed/tmp/*'), allow('s3:DeleteObject', 'plain/tmp/*')],
  copier: [
    allow(['s3:PutObject', 's3:GetObject'], 'plain/out/*'),
    allow('s3:GetObject', 'plain/in/*'),
    allow('s3:ListBucket', 'plain'),
  ],
  untagged: COPIES,
  tagsReader: [...COPIES, allow('s3:GetObjectTagging', '*/in/*')],
  tagsWriter: [...COPIES, allow('s3:PutObjectTagging', '*/out/*')],
  tagger: [...COPIES, allow('s3:GetObjectTagging', '*/in/*'), allow('s3:PutObjectTagging', '*/out/*')],
  blind: [USE_KEYS, allow('s3:*', '*'), { ...allow('s3:GetObject', 'sealed/team/*'), Effect: 'Deny' }],
  walled: [
    allow('s3:*', '*'),
    { ...allow('s3:GetObject', 'plain/closed/*'), Effect: 'Deny' },
    { ...allow('s3:ListBucket', 'plain'), Effect: 'Deny' },
    { ...allow('s3:DeleteObject', 'plain/*'), Effect: 'Deny' },
  ],
  nobody: [allow('s3:GetObject', 'elsewhere/*')],
  keyless: [allow('s3:*', '*')],
};

const ACCESS: IdentitiesOptions = {
  identities: Object.entries(POLICIES).map(([name, statements]) => ({
    arn: arn(name),
    policies: [{ name: 'own', document: document(...statements) }],
  })),
  organizationPolicies: [],
  unlistedStorageCallers: 'use-keys',
};

const LATER = Date.UTC(2100, 0, 1);
const KEYS: readonly S3AccessKey[] = [
  CLIENT,
  ...Object.keys(POLICIES).map((name) => key(name)),
  key('temporary', { sessionToken: 'token/+=', expiresAt: LATER }),
  key('expired', { sessionToken: 'token', expiresAt: 1000 }),
];

const RULES: readonly (readonly [bucket: string, prefix: string, rule: S3Rule])[] = [
  ['sealed', '', { type: 'seal', keyId: 'alias/a', name: 'sealed' }],
  ['sealed', 'public/', { type: 'seal', keyId: 'alias/public', name: 'public', anonymous: 'read' }],
  ['sealed', 'unkeyed/', { type: 'seal', keyId: 'alias/a', name: 'unkeyed', anonymous: 'read' }],
  ['plain', 'open/', { type: 'pass', name: 'open', anonymous: 'read' }],
];

let store: TestStore;
let keys: KeyFolder;
let manager: KeyManager;
let edge: TestEdge;
const clients: S3Client[] = [];

beforeAll(async () => {
  store = await startS3rver({ buckets: ['sealed', 'plain', 'other'] });
  keys = await keyFolder({ access: { ...ACCESS, grantsCrossAccounts: false } });
  manager = await keys.open();
  await manager.createKey({ alias: 'alias/a' }, TEST_USE);
  const own = { Effect: 'Allow', Action: 'kms:*', Resource: '*', Principal: { AWS: 'arn:aws:iam::000000000000:root' } };
  const open = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', Principal: { AWS: arn('sealgate/anonymous') } };
  await manager.createKey({ alias: 'alias/public', policy: document(own, open) }, TEST_USE);
  edge = await startEdge({
    store,
    rules: RULES.map(([bucket, prefix, rule]) => ({ bucket, prefix, rule })),
    operations: SEALED_OPERATIONS,
    dataKeys: manager,
    access: ACCESS,
    accessKeys: KEYS,
  });
  const app = as('app', CLIENT);
  const objects = [
    'sealed/team/a',
    'sealed/other/a',
    'sealed/tmp/1',
    'sealed/tmp/2',
    'sealed/public/p',
    'sealed/unkeyed/u',
  ];
  for (const path of [...objects, 'plain/in/a', 'plain/closed/a', 'plain/tmp/1', 'plain/open/o']) {
    const [Bucket = '', ...rest] = path.split('/');
    await app.send(new PutObjectCommand({ Bucket, Key: rest.join('/'), Body: `text of ${path}` }));
  }
});

afterAll(async () => {
  for (const client of clients) client.destroy();
  await edge.close();
  await keys[Symbol.asyncDispose]();
  await store.close();
});

function as(
  name: string,
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } = key(name),
) {
  const client = new S3Client({
    endpoint: edge.url,
    region: 'us-east-1',
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
  });
  clients.push(client);
  return client;
}

const refused = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } };

async function read(client: S3Client, Bucket: string, Key: string): Promise<string | undefined> {
  return (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
}

test('A caller reads and lists its prefix and nothing else', async () => {
  const reader = as('reader');
  expect(await read(reader, 'sealed', 'team/a')).toBe('text of sealed/team/a');
  await expect(read(reader, 'sealed', 'other/a')).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining('s3:GetObject on resource: "arn:aws:s3:::sealed/other/a"') as unknown,
  });
  await expect(read(reader, 'plain', 'in/a')).rejects.toMatchObject(refused);
  const put = new PutObjectCommand({ Bucket: 'sealed', Key: 'team/b', Body: 'x' });
  await expect(reader.send(put)).rejects.toMatchObject(refused);
  const listed = await reader.send(new ListObjectsV2Command({ Bucket: 'sealed', Prefix: 'team/' }));
  expect(listed.Contents?.map(({ Key }) => Key)).toEqual(['team/a']);
  for (const Prefix of [undefined, '', 'tmp/'])
    await expect(reader.send(new ListObjectsV2Command({ Bucket: 'sealed', Prefix }))).rejects.toMatchObject(refused);
  await expect(reader.send(new HeadBucketCommand({ Bucket: 'plain' }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 403 },
  });
});

test('Who may not list is not told that an object does not exist', async () => {
  const status = (client: S3Client, Key: string) =>
    client.send(new HeadObjectCommand({ Bucket: 'plain', Key })).then(
      () => 200,
      (error: { $metadata?: { httpStatusCode?: number } }) => error.$metadata?.httpStatusCode,
    );
  expect(await status(as('copier'), 'in/missing')).toBe(404);
  await expect(read(as('reader'), 'sealed', 'team/missing')).rejects.toMatchObject(refused);
});

test('An explicit deny wins over what is allowed, and the key is asked besides', async () => {
  const blind = as('blind');
  await expect(read(blind, 'sealed', 'team/a')).rejects.toMatchObject(refused);
  expect(await read(blind, 'sealed', 'other/a')).toBe('text of sealed/other/a');
  expect(await read(as('keyless'), 'plain', 'in/a')).toBe('text of plain/in/a');
  await expect(read(as('keyless'), 'sealed', 'team/a')).rejects.toMatchObject(refused);
});

/** A client that adds a parameter to what it asks. */
function asking(name: string, parameter: string): S3Client {
  const client = as(name);
  client.middlewareStack.add(
    (next) => (args) => {
      (args.request as { query: Record<string, string> }).query[parameter] = '';
      return next(args);
    },
    { step: 'build' },
  );
  return client;
}

const notImplemented = { name: 'NotImplemented', $metadata: { httpStatusCode: 501 } };

test('A parameter that no operation has gets nobody past what is denied', async () => {
  const walled = asking('walled', 'unheard-of');
  await expect(read(walled, 'plain', 'closed/a')).rejects.toMatchObject(notImplemented);
  await expect(walled.send(new ListObjectsCommand({ Bucket: 'plain' }))).rejects.toMatchObject(notImplemented);
  const remove = new DeleteObjectCommand({ Bucket: 'plain', Key: 'closed/a' });
  await expect(walled.send(remove)).rejects.toMatchObject(notImplemented);
  expect(await read(as('app', CLIENT), 'plain', 'closed/a')).toBe('text of plain/closed/a');
});

test('Nor does a setting that the store does not know, and lists the bucket or deletes it for', async () => {
  for (const setting of ['ownershipControls', 'logging', 'abac', 'metadataTable']) {
    const list = asking('walled', setting).send(new ListObjectsCommand({ Bucket: 'plain' }));
    await expect(list, setting).rejects.toMatchObject(notImplemented);
  }
  const remove = asking('walled', 'ownershipControls').send(new DeleteBucketCommand({ Bucket: 'other' }));
  await expect(remove).rejects.toMatchObject(notImplemented);
  await as('app', CLIENT).send(new HeadBucketCommand({ Bucket: 'other' }));
  const cors = {
    Bucket: 'other',
    CORSConfiguration: { CORSRules: [{ AllowedMethods: ['GET'], AllowedOrigins: ['*'] }] },
  };
  await as('walled').send(new PutBucketCorsCommand(cors));
  const { CORSRules } = await as('walled').send(new GetBucketCorsCommand({ Bucket: 'other' }));
  expect(CORSRules).toMatchObject(cors.CORSConfiguration.CORSRules);
});

test.each(['sealed', 'plain'])('Multi-delete in %s is decided key by key', async (Bucket) => {
  const Objects = [{ Key: 'tmp/1' }, { Key: 'team/a' }, { Key: 'in/a' }];
  const answer = await as('cleaner').send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(['tmp/1']);
  expect(answer.Errors?.map(({ Key, Code }) => `${Key} ${Code}`)).toEqual(['team/a AccessDenied', 'in/a AccessDenied']);
  const app = as('app', CLIENT);
  await expect(read(app, Bucket, 'tmp/1')).rejects.toMatchObject({ name: 'NoSuchKey' });
  expect(await read(app, Bucket, Bucket === 'plain' ? 'in/a' : 'team/a')).toMatch(/^text of/u);
});

test('A copy takes the right to read its source and the right to write its destination', async () => {
  const copier = as('copier');
  const copy = (Key: string, CopySource: string) =>
    copier.send(new CopyObjectCommand({ Bucket: 'plain', Key, CopySource }));
  await copy('out/a', 'plain/in/a');
  expect(await read(copier, 'plain', 'out/a')).toBe('text of plain/in/a');
  await expect(copy('out/b', 'plain/closed/a')).rejects.toMatchObject(refused);
  await expect(copy('in/b', 'plain/in/a')).rejects.toMatchObject(refused);
});

test.each(['plain', 'sealed'])(
  'Tags go along with a copy in %s for who may read them there and write them here',
  async (Bucket) => {
    const app = as('app', CLIENT);
    const Tagging = { TagSet: [{ Key: 'team', Value: 'secret' }] };
    for (const Key of ['in/tagged', 'in/bare']) await app.send(new PutObjectCommand({ Bucket, Key, Body: 'text' }));
    await app.send(new PutObjectTaggingCommand({ Bucket, Key: 'in/tagged', Tagging }));
    const copy = (name: string, more: object = {}) =>
      as(name).send(
        new CopyObjectCommand({ Bucket, Key: `out/by-${name}`, CopySource: `${Bucket}/in/tagged`, ...more }),
      );
    for (const name of ['untagged', 'tagsReader', 'tagsWriter'])
      await expect(copy(name), name).rejects.toMatchObject(refused);
    await copy('tagger');
    // What has no tags, or leaves them behind, needs no right to them.
    await copy('untagged', { CopySource: `${Bucket}/in/bare` });
    await copy('untagged', { TaggingDirective: 'REPLACE' });
    await expect(copy('untagged', { TaggingDirective: 'REPLACE', Tagging: 'a=b' })).rejects.toMatchObject(refused);
    expect(await read(as('untagged'), Bucket, 'out/by-untagged')).toBe('text');
    const tags = await app.send(new GetObjectTaggingCommand({ Bucket, Key: 'out/by-untagged' }));
    expect(tags.TagSet).toEqual([]);
  },
);

test('A caller sees the buckets that are its own', async () => {
  const names = async (client: S3Client) =>
    (await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name).sort();
  expect(await names(as('app', CLIENT))).toEqual(['other', 'plain', 'sealed']);
  expect(await names(as('copier'))).toEqual(['plain']);
  expect(await names(as('blind'))).toEqual(['other', 'plain', 'sealed']);
  await expect(names(as('nobody'))).rejects.toMatchObject(refused);
});

test('Temporary credentials work with their token until they end', async () => {
  const good = key('temporary', { sessionToken: 'token/+=' });
  expect(await read(as('temporary', good), 'plain', 'in/a')).toBe('text of plain/in/a');
  const url = await getSignedUrl(as('temporary', good), new GetObjectCommand({ Bucket: 'plain', Key: 'in/a' }));
  expect(await (await fetch(url)).text()).toBe('text of plain/in/a');
  const unsigned = url.replace(/&X-Amz-Security-Token=[^&]*/u, '');
  expect((await fetch(unsigned)).status).toBe(403);
  const invalid = { name: 'InvalidToken', $metadata: { httpStatusCode: 400 } };
  for (const sessionToken of [undefined, 'other', 'token'])
    await expect(
      read(
        as('temporary', { ...key('temporary'), ...(sessionToken === undefined ? {} : { sessionToken }) }),
        'plain',
        'in/a',
      ),
    ).rejects.toMatchObject(invalid);
  await expect(read(as('app', { ...CLIENT, sessionToken: 'x' }), 'plain', 'in/a')).rejects.toMatchObject(invalid);
  await expect(read(as('expired', key('expired', { sessionToken: 'token' })), 'plain', 'in/a')).rejects.toMatchObject({
    name: 'ExpiredToken',
    $metadata: { httpStatusCode: 400 },
  });
});

test.each(['plain', 'sealed'])('A form into %s has its token among its fields, until that ends', async (Bucket) => {
  const made = (name: string, sessionToken: string) =>
    createPresignedPost(as(name, key(name, { sessionToken })), { Bucket, Key: 'by-form', Expires: 600 });
  const post = async (url: string, fields: Readonly<Record<string, string>>): Promise<string> => {
    const data = new FormData();
    for (const [field, value] of Object.entries(fields)) data.append(field, value);
    data.append('file', new Blob(['by form']), 'f');
    const answer = await fetch(url, { method: 'POST', body: data });
    return `${answer.status} ${/<Code>(\w+)/u.exec(await answer.text())?.[1] ?? ''}`;
  };
  const { url, fields } = await made('temporary', 'token/+=');
  const { 'X-Amz-Security-Token': token, ...tokenless } = fields;
  expect(token).toBe('token/+=');
  // Without its token the policy, which names it, is not kept to; with another neither is.
  expect(await post(url, tokenless)).toMatch(/^(?:400 InvalidToken|403 AccessDenied)$/u);
  expect(await post(url, { ...fields, 'X-Amz-Security-Token': 'other' })).toMatch(
    /^(?:400 InvalidToken|403 AccessDenied)$/u,
  );
  const other = await made('temporary', 'other');
  expect(await post(other.url, other.fields)).toBe('400 InvalidToken');
  const expired = await made('expired', 'token');
  expect(await post(expired.url, expired.fields)).toBe('400 ExpiredToken');
  const app = as('app', CLIENT);
  await expect(read(app, Bucket, 'by-form')).rejects.toMatchObject({ name: 'NoSuchKey' });
  expect(await post(url, fields)).toBe('204 ');
  expect(await read(app, Bucket, 'by-form')).toBe('by form');
});

test('Without a signature only what a rule opens is read, and sealed only where the key names the anonymous', async () => {
  const get = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${edge.url}/${path}`, init);
    return `${answer.status} ${answer.status === 200 ? await answer.text() : (/<Code>(\w+)/u.exec(await answer.text())?.[1] ?? '')}`;
  };
  expect(await get('plain/open/o')).toBe('200 text of plain/open/o');
  expect(await get('sealed/public/p')).toBe('200 text of sealed/public/p');
  for (const path of ['sealed/unkeyed/u', 'sealed/team/a', 'plain/in/a', 'plain', '', 'sealed/public/missing'])
    expect(await get(path), path).toBe('403 AccessDenied');
  for (const path of [
    'sealed/public/p?versionId=1',
    'sealed/public/p?tagging',
    'plain/open/o?acl',
    'plain?prefix=open/',
  ])
    expect(await get(path), path).toBe('403 AccessDenied');
  for (const path of [String.raw`plain/open/..%5c..%5cin/a`, 'plain/open%5c..%5cin/a', 'plain//open/o'])
    expect(await get(path), path).toBe('403 AccessDenied');
  expect(await get('plain/open/o?response-content-type=text/html')).toBe('400 InvalidRequest');
  expect(await get('plain/open/o', { method: 'PUT', body: 'x' })).toBe('403 AccessDenied');
  expect(await get('plain/open/o', { method: 'DELETE' })).toBe('403 AccessDenied');
});

test('The audit trail names caller, object, key and request', async () => {
  const output = await as('reader').send(new GetObjectCommand({ Bucket: 'sealed', Key: 'team/a' }));
  await output.Body?.transformToString();
  await fetch(`${edge.url}/sealed/public/p`);
  await fetch(`${edge.url}/sealed/unkeyed/u`);
  const records = readFileSync(keys.path('audit.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const of = (principal: string, resource: string) =>
    records.findLast((record) => record['principal'] === principal && record['resource'] === resource);
  expect(of(arn('reader'), 's3://sealed/team/a')).toMatchObject({
    action: 'Decrypt',
    via: 's3',
    decision: 'allow',
    key: expect.stringContaining(':key/') as unknown,
    request: output.$metadata.requestId,
  });
  expect(of(arn('sealgate/anonymous'), 's3://sealed/public/p')).toMatchObject({ decision: 'allow' });
  expect(of(arn('sealgate/anonymous'), 's3://sealed/unkeyed/u')).toMatchObject({ decision: 'deny' });
});
