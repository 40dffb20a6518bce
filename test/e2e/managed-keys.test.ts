/**
 * Keys that the gateway and the proxy manage, as an operator and stock clients meet them: made by the first object and the first value,
 * used through the two alone, and changed by nobody.
 */
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../support/postgres/connect.ts';
import type { KeyReport } from '../../src/keys/admin/key-report.ts';
import { applyDdl, install, type Installation, type Listening } from '../support/installation.ts';
import { startPostgres, type TestPostgres } from '../support/postgres/postgres.ts';
import { startS3rver, type TestStore } from '../support/s3/s3rver.ts';

const REGION = 'us-east-1';
const S3 = 'alias/aws/s3';
const RDS = 'alias/aws/rds';
const ADMIN = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}';

let store: TestStore;
let database: TestPostgres;
let installation: Installation;
let up: Listening;
let kms: KMSClient;
let s3: S3Client;

const config = (): string => `  access:
    identities:
      - { client: admin, policies: [{ name: all, file: ./admin.json }] }
kms:
  listen: { port: 0 }
  clients: [{ name: admin, accessKeyId: ADMINKEY, secretAccessKey: admin-secret }]
s3:
  listen: { port: 0 }
  upstream:
    endpoint: ${store.url}
    credentials: { type: static, accessKeyId: ${store.accessKeyId}, secretAccessKey: ${store.secretAccessKey} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: sealed, seal: ${S3} }]
postgres:
  listen: { port: 0 }
  upstream: { host: 127.0.0.1, port: ${database.port}, tls: { mode: disable } }
  databases: [{ name: shop, service: { user: ${database.superuser}, password: ${database.password} } }]
  columns: [{ column: shop.public.people.name, type: text, key: ${RDS}, mode: deterministic }]
`;

async function start(): Promise<void> {
  up = await installation.up();
  const credentials = { accessKeyId: 'ADMINKEY', secretAccessKey: 'admin-secret' };
  kms = new KMSClient({
    endpoint: `http://127.0.0.1:${up.ports['kms']}`,
    region: REGION,
    credentials,
    maxAttempts: 1,
  });
  s3 = new S3Client({
    endpoint: `http://127.0.0.1:${up.ports['s3']}`,
    region: REGION,
    credentials: { accessKeyId: 'APP', secretAccessKey: 'application-secret' },
    forcePathStyle: true,
    maxAttempts: 1,
  });
}

async function sql(text: string, values: readonly unknown[] = []): Promise<readonly unknown[]> {
  const { superuser: user, password } = database;
  const session = new pg.Client({ host: '127.0.0.1', port: up.ports['postgres'], database: 'shop', user, password });
  await session.connect();
  try {
    return (await session.query<Record<string, unknown>>(text, [...values])).rows;
  } finally {
    await session.end();
  }
}

const idOf = async (alias: string): Promise<string> =>
  (await kms.send(new DescribeKeyCommand({ KeyId: alias }))).KeyMetadata?.KeyId ?? '';

async function report(): Promise<KeyReport> {
  const { stdout, stderr, code } = await installation.run('keys', 'report', '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as KeyReport;
}

beforeAll(async () => {
  [store, database] = await Promise.all([startS3rver({ buckets: ['sealed'] }), startPostgres()]);
  installation = await install(config(), [], { 'admin.json': ADMIN });
  const admin = await connectTo(database.url());
  await admin.query('create database shop');
  await admin.end();
  const owner = await connectTo(database.url('shop'));
  await owner.query('create table people (id int primary key, name text)');
  await owner.end();
  await applyDdl(installation, database, 'shop');
});

afterAll(async () => {
  kms.destroy();
  s3.destroy();
  await installation.remove();
  await Promise.all([store.close(), database.stop()]);
});

test('Before anybody uses them: `check` and the report say so, aliases are listed without keys, and starting makes none', async () => {
  const checked = await installation.run('check');
  expect(checked.stdout).toContain(`key ${S3}`);
  expect(checked.stdout).toContain('is made when it is first used');
  await start();
  const { keys, missing, unmade } = await report();
  expect([keys, missing, unmade.map(({ keyId }) => keyId)]).toEqual([[], [], [S3, RDS]]);
  expect((await kms.send(new ListKeysCommand({}))).Keys).toEqual([]);
  const { Aliases = [] } = await kms.send(new ListAliasesCommand({}));
  expect(Aliases).toEqual(
    [RDS, S3].map((AliasName) => ({ AliasName, AliasArn: `arn:aws:kms:${REGION}:000000000000:${AliasName}` })),
  );
  await expect(kms.send(new GenerateDataKeyCommand({ KeyId: S3, KeySpec: 'AES_256' }))).rejects.toMatchObject({
    name: 'NotFoundException',
  });
  expect((await kms.send(new ListKeysCommand({}))).Keys).toEqual([]);
});

test('The first object and the first value make them; both open again, parts of an upload too', async () => {
  const bodies = Array.from({ length: 8 }, (_, index) => ({ Key: `k${index}`, Body: `text ${index}` }));
  // All at once: one key comes of it.
  await Promise.all(bodies.map((body) => s3.send(new PutObjectCommand({ Bucket: 'sealed', ...body }))));
  for (const { Key, Body } of bodies) {
    const read = await s3.send(new GetObjectCommand({ Bucket: 'sealed', Key }));
    expect(await read.Body?.transformToString()).toBe(Body);
  }
  const place = { Bucket: 'sealed', Key: 'large' };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place));
  const part = await s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: 'one part' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
  await s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload }));
  const large = await s3.send(new GetObjectCommand(place));
  expect(await large.Body?.transformToString()).toBe('one part');

  await sql('insert into people values (1, $1)', ['Ann']);
  expect(await sql('select id, name from people where name = $1', ['Ann'])).toEqual([{ id: 1, name: 'Ann' }]);
  expect((await kms.send(new ListKeysCommand({}))).Keys).toHaveLength(2);
});

test('They show as AWS’s do: KeyManager, description, rotation, policy', async () => {
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: S3 }));
  expect(KeyMetadata).toMatchObject({
    ...{ KeyManager: 'AWS', Origin: 'AWS_KMS', KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' },
    ...{ KeyState: 'Enabled', Enabled: true, MultiRegion: false },
    Description: 'Default key that protects my S3 objects when no other key is defined',
  });
  const KeyId = KeyMetadata?.KeyId ?? '';
  const status = await kms.send(new GetKeyRotationStatusCommand({ KeyId }));
  expect(status).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 365 });
  expect((await kms.send(new ListKeyRotationsCommand({ KeyId }))).Rotations).toEqual([]);
  const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId }));
  expect(Policy).toContain(`"kms:ViaService":"s3.${REGION}.amazonaws.com"`);
  const { Aliases = [] } = await kms.send(new ListAliasesCommand({ KeyId }));
  expect(Aliases).toMatchObject([{ AliasName: S3, TargetKeyId: KeyId, CreationDate: expect.any(Date) as unknown }]);
});

test('Whoever may everything over the API uses none of them, and changes nothing of them', async () => {
  const KeyId = await idOf(S3);
  const audit = await readFile(join(installation.folder, 'audit.jsonl'));
  expect(audit.includes('"for":"arn:aws:iam::000000000000:user/app"')).toBe(true);
  const Plaintext = Buffer.from('x');
  const { CiphertextBlob } = await ownCiphertext();
  const commands = {
    Encrypt: () => kms.send(new EncryptCommand({ KeyId: S3, Plaintext })),
    Decrypt: () => kms.send(new DecryptCommand({ KeyId, CiphertextBlob })),
    GenerateDataKey: () => kms.send(new GenerateDataKeyCommand({ KeyId: S3, KeySpec: 'AES_256' })),
    ReEncryptTo: () => kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: S3 })),
    PutKeyPolicy: () => kms.send(new PutKeyPolicyCommand({ KeyId, Policy: ADMIN })),
    ScheduleKeyDeletion: () => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
    DisableKey: () => kms.send(new DisableKeyCommand({ KeyId })),
    EnableKey: () => kms.send(new EnableKeyCommand({ KeyId })),
    TagResource: () => kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })),
    UntagResource: () => kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['a'] })),
    EnableKeyRotation: () => kms.send(new EnableKeyRotationCommand({ KeyId })),
    DisableKeyRotation: () => kms.send(new DisableKeyRotationCommand({ KeyId })),
    RotateKeyOnDemand: () => kms.send(new RotateKeyOnDemandCommand({ KeyId })),
    UpdateKeyDescription: () => kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'mine' })),
    CreateGrant: () =>
      kms.send(
        new CreateGrantCommand({
          ...{ KeyId, Operations: ['Decrypt'] },
          GranteePrincipal: 'arn:aws:iam::000000000000:user/admin',
        }),
      ),
    CreateAlias: () => kms.send(new CreateAliasCommand({ AliasName: 'alias/mine', TargetKeyId: KeyId })),
    UpdateAlias: () => kms.send(new UpdateAliasCommand({ AliasName: S3, TargetKeyId: KeyId })),
    DeleteAlias: () => kms.send(new DeleteAliasCommand({ AliasName: S3 })),
  };
  const arn = `arn:aws:kms:${REGION}:000000000000:key/${KeyId}`;
  for (const [action, send] of Object.entries(commands)) {
    const refused: unknown = await send().then(
      () => 'done',
      ({ name, message }: Error) => `${name}: ${message}`,
    );
    expect(refused).toBe(
      `AccessDeniedException: User: arn:aws:iam::000000000000:user/admin is not authorized to perform: kms:${action} on resource: ${arn} because no resource-based policy allows the kms:${action} action`,
    );
  }
  const reserved = kms.send(new CreateAliasCommand({ AliasName: 'alias/aws/ebs', TargetKeyId: KeyId }));
  await expect(reserved).rejects.toMatchObject({ name: 'InvalidAliasNameException' });
});

async function ownCiphertext(): Promise<{ CiphertextBlob: Uint8Array | undefined }> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x') }),
  );
  return { CiphertextBlob };
}

test('The key of upload tokens is in the report, marked, and nowhere else', async () => {
  const { keys, unmade } = await report();
  expect(unmade).toEqual([]);
  const [owned, ...more] = keys.filter(({ management }) => management.type === 'owned');
  expect([owned?.management, owned?.users, more]).toEqual([{ type: 'owned', purpose: 's3-upload-token' }, [], []]);
  const KeyId = owned?.keyId ?? '';
  for (const ask of [
    () => kms.send(new DescribeKeyCommand({ KeyId })),
    () => kms.send(new GetKeyPolicyCommand({ KeyId })),
    () => kms.send(new ListAliasesCommand({ KeyId })),
    () => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
  ])
    await expect(ask()).rejects.toMatchObject({ name: 'NotFoundException' });
  const listed = (await kms.send(new ListKeysCommand({}))).Keys ?? [];
  expect(listed.map((key) => key.KeyId)).not.toContain(KeyId);
  const { stdout } = await installation.run('keys', 'report');
  expect(stdout).toContain('Sealgate, for s3-upload-token: invisible to callers, rotated every year');
  expect(stdout).toContain('S3: usable through Sealgate alone, rotated every year');
  const list = await installation.run('keys', 'list');
  expect(list.stdout).toContain('service s3');
  expect(list.stdout).not.toContain(KeyId);
});

test('After a restart everything opens, and an upload begun before goes on', async () => {
  const place = { Bucket: 'sealed', Key: 'begun before' };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place));
  const KeyId = await idOf(S3);
  up.program.child.kill('SIGTERM');
  await up.program.done;
  for (const words of [
    ['disable', S3],
    ['alias', 'delete', S3],
    ['alias', 'create', 'mine', S3],
  ]) {
    const { code, stderr } = await installation.run('keys', ...words);
    expect([code, stderr]).toEqual([5, expect.stringContaining('ERR_KEYS_MANAGED')]);
  }
  expect((await installation.run('keys', 'rotate', S3)).code).toBe(0);
  await start();
  expect(await idOf(S3)).toBe(KeyId);
  const read = await s3.send(new GetObjectCommand({ Bucket: 'sealed', Key: 'k0' }));
  expect(await read.Body?.transformToString()).toBe('text 0');
  const part = await s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: 'later' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
  await s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload }));
  const whole = await s3.send(new GetObjectCommand(place));
  expect(await whole.Body?.transformToString()).toBe('later');
  expect(await sql('select name from people')).toEqual([{ name: 'Ann' }]);
});
