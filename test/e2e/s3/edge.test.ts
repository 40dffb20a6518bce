import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Agent as HttpsAgent } from 'node:https';
import { lookup } from 'node:dns';
import { Agent as HttpAgent } from 'node:http';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketAclCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM, TEST_CA_PEM } from '../../support/certificates.ts';
import { missing } from '../../support/programs.ts';
import { skipBecause } from '../../support/skip.ts';
import { CLIENT, startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { startS3rver, type TestStore } from '../../support/s3/s3rver.ts';

const run = promisify(execFile);
/** For localhost and 127.0.0.1, by TEST_CA. */
const certificate = { cert: PROXY_CERTIFICATE_PEM, key: PROXY_KEY_PEM };

let store: TestStore;
let edge: TestEdge;

beforeAll(async () => {
  store = await startS3rver({ buckets: ['plain', 'sealed', 'closed', 'mixed'] });
  edge = await startEdge({
    store,
    rules: [
      { bucket: 'sealed', prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } },
      { bucket: 'closed', prefix: '', rule: { type: 'refuse', name: 'closed' } },
      { bucket: 'mixed', prefix: 'secret/', rule: { type: 'seal', keyId: 'alias/a', name: 'mixed secrets' } },
      { bucket: 'mixed', prefix: 'open/', rule: { type: 'pass', name: 'mixed open' } },
    ],
  });
});

afterAll(async () => {
  await edge.close();
  await store.close();
});

const client = (config: Partial<S3ClientConfig> = {}): S3Client =>
  new S3Client({
    endpoint: edge.url,
    region: 'us-east-1',
    credentials: CLIENT,
    forcePathStyle: true,
    maxAttempts: 1,
    ...config,
  });
const direct = (): S3Client =>
  new S3Client({
    endpoint: store.url,
    region: 'us-east-1',
    credentials: store,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });

const read = async (s3: S3Client, Bucket: string, Key: string, Range?: string): Promise<Buffer> => {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ...(Range === undefined ? {} : { Range }) }));
  return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
};
const codeOf = async (sent: Promise<unknown>): Promise<string> =>
  sent.then(
    () => 'none',
    (error: unknown) => (error as Error).name,
  );

describe('a bucket without a rule passes unchanged', () => {
  const sizes = [0, 1, 1000, 65_536, 1024 * 1024, 1024 * 1024 + 1, 5_000_000];

  test.each(sizes)('an object of %i bytes goes in and comes out, and lies in the store as it is', async (size) => {
    const body = randomBytes(size);
    const key = `size/${size} ä+b/ü?&=%`;
    await client().send(
      new PutObjectCommand({
        Bucket: 'plain',
        Key: key,
        Body: body,
        ContentType: 'text/x',
        Metadata: { colour: 'blue' },
      }),
    );
    expect((await read(client(), 'plain', key)).equals(body)).toBe(true);
    expect((await read(direct(), 'plain', key)).equals(body)).toBe(true);
    const head = await client().send(new HeadObjectCommand({ Bucket: 'plain', Key: key }));
    expect([head.ContentLength, head.ContentType, head.Metadata]).toEqual([size, 'text/x', { colour: 'blue' }]);
  });

  test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'a stream with a trailing %s is verified and unframed',
    async (algorithm) => {
      const body = randomBytes(3_000_000);
      const secure = await overTls();
      await secure.client.send(
        new PutObjectCommand({
          Bucket: 'plain',
          Key: `stream-${algorithm}`,
          Body: Readable.from([body.subarray(0, 9), body.subarray(9)]),
          ContentLength: body.length,
          ChecksumAlgorithm: algorithm,
        }),
      );
      expect((await read(direct(), 'plain', `stream-${algorithm}`)).equals(body)).toBe(true);
    },
  );

  test('ranges, lists, copies, deletes and multipart uploads answer as the store does', async () => {
    const body = randomBytes(12 * 1024 * 1024);
    await new Upload({
      client: client(),
      params: { Bucket: 'plain', Key: 'multi', Body: body },
      partSize: 5 * 1024 * 1024,
      queueSize: 3,
    }).done();
    expect((await read(client(), 'plain', 'multi')).equals(body)).toBe(true);
    expect(
      (await read(client(), 'plain', 'multi', 'bytes=5000000-5999999')).equals(body.subarray(5_000_000, 6_000_000)),
    ).toBe(true);
    await client().send(new CopyObjectCommand({ Bucket: 'plain', Key: 'copy', CopySource: 'plain/multi' }));
    expect((await read(direct(), 'plain', 'copy')).equals(body)).toBe(true);
    const through = await client().send(new ListObjectsV2Command({ Bucket: 'plain' }));
    // s3rver does not accept the SDK's own signature of this operation: each row is compared with its object's head.
    const row = through.Contents?.find(({ Key }) => Key === 'multi');
    const beside = await direct().send(new HeadObjectCommand({ Bucket: 'plain', Key: 'multi' }));
    expect([row?.Size, row?.ETag]).toEqual([beside.ContentLength, beside.ETag]);
    await client().send(new DeleteObjectCommand({ Bucket: 'plain', Key: 'copy' }));
    expect(await codeOf(read(client(), 'plain', 'copy'))).toBe('NoSuchKey');
  });

  test('buckets can be made and listed', async () => {
    await client().send(new CreateBucketCommand({ Bucket: 'made-here' }));
    const { Buckets } = await client().send(new ListBucketsCommand({}));
    expect(Buckets?.map((bucket) => bucket.Name)).toContain('made-here');
  });
});

describe('presigned URLs', () => {
  test('read and write, until they expire', async () => {
    const put = await getSignedUrl(
      client(),
      new PutObjectCommand({ Bucket: 'plain', Key: 'presigned', Metadata: { who: 'me' } }),
      { expiresIn: 60 },
    );
    expect((await request(put, { method: 'PUT', body: 'hello' })).statusCode).toBe(200);
    const get = await getSignedUrl(client(), new GetObjectCommand({ Bucket: 'plain', Key: 'presigned' }), {
      expiresIn: 60,
    });
    const answer = await request(get);
    expect(await answer.body.text()).toBe('hello');
    const old = await getSignedUrl(client(), new GetObjectCommand({ Bucket: 'plain', Key: 'presigned' }), {
      expiresIn: 60,
      signingDate: new Date(Date.now() - 120_000),
    });
    const refused = await request(old);
    expect(refused.statusCode).toBe(403);
    expect(await refused.body.text()).toMatch(
      /<Code>AccessDenied<\/Code><Message>Request has expired<\/Message><X-Amz-Expires>60<\/X-Amz-Expires><Expires>20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ<\/Expires><ServerTime>20[\d:T-]+Z<\/ServerTime>/u,
    );
    const changed = await request(get.replace('presigned?', 'presignee?'));
    expect(await changed.body.text()).toContain('<Code>SignatureDoesNotMatch</Code>');
  });
});

describe('what must not pass is refused', () => {
  test('unknown access keys, wrong secrets, wrong regions and anonymous requests', async () => {
    const list = new ListBucketsCommand({});
    expect(await codeOf(client({ credentials: { accessKeyId: 'NOBODY', secretAccessKey: 'x' } }).send(list))).toBe(
      'InvalidAccessKeyId',
    );
    expect(await codeOf(client({ credentials: { ...CLIENT, secretAccessKey: 'x' } }).send(list))).toBe(
      'SignatureDoesNotMatch',
    );
    expect(await codeOf(client({ region: 'eu-west-1' }).send(list))).toBe('AuthorizationHeaderMalformed');
    expect(await codeOf(client({ systemClockOffset: 16 * 60_000, maxAttempts: 1 }).send(list))).toBe(
      'RequestTimeTooSkewed',
    );
    const anonymous = await request(`${edge.url}/plain/size`);
    expect([anonymous.statusCode, await anonymous.body.text()]).toEqual([
      403,
      expect.stringContaining('<Code>AccessDenied</Code>'),
    ]);
  });

  test('a bucket with a refusing rule, and operations on sealed keys that are not built', async () => {
    expect(await codeOf(read(client(), 'closed', 'a'))).toBe('AccessDenied');
    expect(await codeOf(client().send(new ListObjectsV2Command({ Bucket: 'closed' })))).toBe('AccessDenied');
    expect(await codeOf(client().send(new PutObjectCommand({ Bucket: 'sealed', Key: 'a', Body: 'x' })))).toBe(
      'NotImplemented',
    );
    expect(await codeOf(client().send(new CreateMultipartUploadCommand({ Bucket: 'mixed', Key: 'secret/a' })))).toBe(
      'NotImplemented',
    );
    expect(await codeOf(client().send(new GetBucketPolicyCommand({ Bucket: 'sealed' })))).toBe('NotImplemented');
    expect(await codeOf(client().send(new PutBucketAclCommand({ Bucket: 'mixed', ACL: 'public-read' })))).toBe(
      'NotImplemented',
    );
    await client().send(new PutObjectCommand({ Bucket: 'mixed', Key: 'open/a', Body: 'x' }));
    expect((await read(direct(), 'mixed', 'open/a')).toString()).toBe('x');
  });

  test('copies out of sealed and refused keys, however the source is spelled', async () => {
    const sources = [
      'sealed/a',
      '/sealed/a',
      'se%61led/a',
      'mixed/secret/a',
      'mixed/%73ecret%2Fa',
      'closed/a',
      'arn:aws:s3:::accesspoint/x/object/a',
      'plain/../sealed/a',
      'sealed/a?versionId=1?x',
    ];
    for (const CopySource of sources) {
      expect(
        await codeOf(client().send(new CopyObjectCommand({ Bucket: 'plain', Key: 'stolen', CopySource }))),
        CopySource,
      ).toMatch(/^(NotImplemented|AccessDenied|InvalidArgument|InvalidURI)$/u);
    }
    const hidden = await getSignedUrl(
      client(),
      new CopyObjectCommand({ Bucket: 'plain', Key: 'stolen', CopySource: 'sealed/a' }),
      { expiresIn: 60 },
    );
    expect((await request(hidden, { method: 'PUT' })).statusCode).toBe(403);
    expect(await codeOf(read(direct(), 'plain', 'stolen'))).toBe('NoSuchKey');
  });

  test('metadata names of ours are never set nor shown, in any bucket', async () => {
    expect(
      await codeOf(
        client().send(
          new PutObjectCommand({ Bucket: 'plain', Key: 'meta', Body: 'x', Metadata: { 'sealgate-envelope': 'x' } }),
        ),
      ),
    ).toBe('InvalidArgument');
    await direct().send(
      new PutObjectCommand({ Bucket: 'plain', Key: 'meta', Body: 'x', Metadata: { sealgate: 'x', other: 'y' } }),
    );
    expect((await client().send(new HeadObjectCommand({ Bucket: 'plain', Key: 'meta' }))).Metadata).toEqual({
      other: 'y',
    });
  });

  test('keys with dot segments, in any spelling', async () => {
    for (const path of ['/plain/../sealed/a', '/plain/%2e%2e/sealed/a', '/plain/..%2fsealed/a', '/%2e%2e/sealed/a']) {
      const socket = await import('../../support/s3/raw-s3.ts');
      expect(await socket.statusOf(edge.port, { method: 'GET', path })).toBe(400);
    }
  });
});

describe('virtual-host style', () => {
  test('names the bucket in the host', async () => {
    const toLoopback: typeof lookup = ((
      _name: string,
      options: object,
      done: (error: null, address: unknown, family?: number) => void,
    ) =>
      'all' in options && options.all === true
        ? done(null, [{ address: '127.0.0.1', family: 4 }])
        : done(null, '127.0.0.1', 4)) as never;
    const virtual = client({
      endpoint: `http://s3.test:${edge.port}`,
      forcePathStyle: false,
      requestHandler: new NodeHttpHandler({ httpAgent: new HttpAgent({ lookup: toLoopback }) }),
    });
    await virtual.send(new PutObjectCommand({ Bucket: 'plain', Key: 'virtual/key', Body: 'by host' }));
    expect((await read(direct(), 'plain', 'virtual/key')).toString()).toBe('by host');
    expect(await codeOf(virtual.send(new GetObjectCommand({ Bucket: 'closed', Key: 'a' })))).toBe('AccessDenied');
  });
});

type SecureEdge = { readonly edge: TestEdge; readonly store: TestStore; readonly client: S3Client };
let tlsEdge: Promise<SecureEdge> | undefined;

async function startTls(): Promise<SecureEdge> {
  const secureStore = await startS3rver({ buckets: ['plain'], tls: certificate });
  const secureEdge = await startEdge({ store: { ...secureStore, url: store.url }, tls: certificate });
  const s3 = client({
    endpoint: secureEdge.url,
    requestHandler: new NodeHttpHandler({ httpsAgent: new HttpsAgent({ ca: TEST_CA_PEM }) }),
  });
  return { edge: secureEdge, store: secureStore, client: s3 };
}
const overTls = (): Promise<SecureEdge> => (tlsEdge ??= startTls());

afterAll(async () => {
  const started = await tlsEdge;
  await started?.edge.close();
  await started?.store.close();
});

describe('TLS', () => {
  test('on both legs, with a CA of our own', async () => {
    const secureStore = await startS3rver({ buckets: ['plain'], tls: certificate });
    const secureEdge = await startEdge({ store: secureStore, tls: certificate, upstreamCa: TEST_CA_PEM });
    const dispatcher = new Agent({ connect: { ca: TEST_CA_PEM } });
    const s3 = client({ endpoint: secureEdge.url });
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket: 'plain', Key: 'tls' }), { expiresIn: 60 });
    expect((await request(url, { method: 'PUT', body: randomBytes(2_000_000), dispatcher })).statusCode).toBe(200);
    const untrusting = await startEdge({ store: secureStore });
    expect(await codeOf(client({ endpoint: untrusting.url }).send(new ListBucketsCommand({})))).toBe(
      'ServiceUnavailable',
    );
    await untrusting.close();
    await dispatcher.destroy();
    await secureEdge.close();
    await secureStore.close();
  });
});

describe('the aws command', () => {
  skipBecause(missing('aws'));

  test('copies, lists and syncs', async () => {
    const env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: CLIENT.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CLIENT.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_CONFIG_FILE: '/dev/null',
    };
    const { mkdtemp, readFile, writeFile, rm } = await import('node:fs/promises');
    const directory = await mkdtemp('/tmp/sealgate-aws-');
    const body = randomBytes(9 * 1024 * 1024);
    await writeFile(`${directory}/file`, body);
    const s3 = (...words: string[]): Promise<unknown> =>
      run('aws', ['--endpoint-url', edge.url, 's3', ...words], { env });
    await s3('cp', `${directory}/file`, 's3://plain/cli/file');
    await s3('sync', 's3://plain/cli', `${directory}/back`);
    const digest = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
    expect(digest(await readFile(`${directory}/back/file`))).toBe(digest(body));
    await rm(directory, { recursive: true });
  });
});
