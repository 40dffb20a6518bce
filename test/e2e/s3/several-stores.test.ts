/**
 * One gateway in front of two stores, as `sealgate up` with `otherUpstreams`: what lies where, and copies between them, of every kind of
 * source to every kind of destination. No store can read from another, so all of them go through the gateway.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { MIB } from '../../support/s3/uploads.ts';
import { CONTENTS, lengthOf, REPLACED, SAID, sha, type Content } from '../../support/s3/copied-contents.ts';
import { install, type Installation } from '../../support/installation.ts';
import { inFrontOf } from '../../support/s3/in-front-of.ts';
import { startS3rver, type TestStore } from '../../support/s3/s3rver.ts';
import type { Backend } from '../../support/s3/sealed.ts';

const TRIES: readonly (readonly [Content, 'COPY' | 'REPLACE'])[] = [
  ['empty', 'COPY'],
  ['small', 'COPY'],
  ['small', 'REPLACE'],
  ['large', 'COPY'],
  ['parts', 'COPY'],
  ['parts', 'REPLACE'],
];

const KEY = randomBytes(32);
const SSE_C = {
  SSECustomerAlgorithm: 'AES256',
  SSECustomerKey: KEY.toString('base64'),
  SSECustomerKeyMD5: createHash('md5').update(KEY).digest('base64'),
};
const SOURCE_SSE_C = {
  CopySourceSSECustomerAlgorithm: SSE_C.SSECustomerAlgorithm,
  CopySourceSSECustomerKey: SSE_C.SSECustomerKey,
  CopySourceSSECustomerKeyMD5: SSE_C.SSECustomerKeyMD5,
};

/** A bucket of the near store that is none, since its name belongs to the far one. */
const HIDDEN = 'far-hidden';

const KINDS = ['passed', 'ruled', 'sealed', 'SSE-C'] as const;
type Kind = (typeof KINDS)[number];
type Side = 'near' | 'far';
/** `passed`: in a bucket that no rule knows; `ruled`: where a rule says that plaintext may lie. */
const bucketOf = (side: Side, kind: Kind): string => `${side}-${kind === 'SSE-C' ? 'sealed' : kind}`;
const isPlain = (kind: Kind): boolean => kind === 'passed' || kind === 'ruled';
const keyOf = (kind: Kind): object => (kind === 'SSE-C' ? SSE_C : {});

const CASES = (['near', 'far'] as const).flatMap((from) =>
  KINDS.flatMap((source) =>
    KINDS.map((destination) => ({ from, source, to: from === 'near' ? 'far' : 'near', destination }) as const),
  ),
);
/** A sealed source is opened only to where a rule says that plaintext may lie. */
const isAllowed = ({ source, destination }: { source: Kind; destination: Kind }): boolean =>
  isPlain(source) || destination !== 'passed';

describe.each(['s3rver', 'radosgw'] as const)('s3rver and, for some buckets, %s', (name) => {
  let near: TestStore;
  let installation: Installation;
  let client: S3Client;
  let direct: Readonly<Record<Side, S3Client>>;
  let url: string;

  inFrontOf(name, async (far) => {
    near = await startS3rver({ buckets: [HIDDEN] });
    installation = await install(config(near, far), ['stores']);
    const { ports } = await installation.up();
    url = `http://127.0.0.1:${ports['s3']}`;
    client = clientOf({ url, accessKeyId: 'CLIENTKEY', secretAccessKey: 'client-secret' });
    direct = { near: clientOf(near), far: clientOf(far) };
    for (const side of ['near', 'far'] as const) {
      for (const kind of ['passed', 'ruled', 'sealed'] as const)
        await client.send(new CreateBucketCommand({ Bucket: bucketOf(side, kind) }));
      for (const kind of KINDS) for (const content of Object.keys(CONTENTS)) await fill(side, kind, content as Content);
    }
    const clients = [client, direct.near, direct.far];
    return [
      { close: () => clients.forEach((one) => one.destroy()) },
      { close: () => installation.remove() },
      { close: () => closeNear() },
    ];
  });

  let isNearOpen = true;
  async function closeNear(): Promise<void> {
    if (isNearOpen) await near.close();
    isNearOpen = false;
  }

  async function fill(side: Side, kind: Kind, content: Content): Promise<void> {
    const place = { Bucket: bucketOf(side, kind), Key: `from/${kind}/${content}` };
    const parts = CONTENTS[content];
    if (content !== 'parts') {
      await client.send(new PutObjectCommand({ ...place, ...SAID, ...keyOf(kind), Body: parts[0] }));
      return;
    }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...place, ...SAID, ...keyOf(kind) }));
    const Parts = [];
    for (const [index, Body] of parts.entries()) {
      const part = { ...place, UploadId, PartNumber: index + 1, Body, ...keyOf(kind) };
      Parts.push({ PartNumber: index + 1, ETag: (await client.send(new UploadPartCommand(part))).ETag });
    }
    const done = { ...place, UploadId, MultipartUpload: { Parts }, ...keyOf(kind) };
    await client.send(new CompleteMultipartUploadCommand(done));
  }

  const bytesAt = async (through: S3Client, place: { Bucket: string; Key: string }): Promise<Buffer> => {
    const { Body } = await through.send(new GetObjectCommand(place));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };

  const names = async (through: S3Client): Promise<readonly (string | undefined)[]> =>
    ((await through.send(new ListBucketsCommand({}))).Buckets ?? []).map((bucket) => bucket.Name);

  test('each bucket was made in its own store, and the list of buckets is that of both', async () => {
    const buckets = (side: Side): readonly string[] => ['passed', 'ruled', 'sealed'].map((kind) => `${side}-${kind}`);
    expect(await names(direct.near)).toEqual([HIDDEN, ...buckets('near')]);
    expect((await names(direct.far)).filter((found) => found?.startsWith('near'))).toEqual([]);
    expect(await names(direct.far)).toEqual(expect.arrayContaining([...buckets('far')]));
    expect(await names(client)).toEqual([...buckets('far'), ...buckets('near')]);
  });

  test('the list comes in pages', async () => {
    const found: (string | undefined)[] = [];
    const lengths: number[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(
        new ListBucketsCommand({ MaxBuckets: 4, ...(ContinuationToken !== undefined && { ContinuationToken }) }),
      );
      found.push(...(page.Buckets ?? []).map((bucket) => bucket.Name));
      lengths.push(page.Buckets?.length ?? 0);
      ({ ContinuationToken } = page);
    } while (ContinuationToken !== undefined);
    expect(lengths).toEqual([4, 2]);
    const far = await client.send(new ListBucketsCommand({ Prefix: 'far-s' }));
    expect([far.Prefix, far.Buckets?.map((bucket) => bucket.Name)]).toEqual(['far-s', ['far-sealed']]);
    expect(found).toEqual(await names(client));
    for (const wrong of [{ MaxBuckets: 0 }, { MaxBuckets: 10_001 }, { ContinuationToken: '!' }])
      await expect(client.send(new ListBucketsCommand(wrong))).rejects.toMatchObject({ name: 'InvalidArgument' });
  });

  test.each(CASES.filter(isAllowed))('from $from $source to $to $destination', async (way) => {
    const { from, source, to, destination } = way;
    for (const [index, [content, MetadataDirective]] of TRIES.entries()) {
      const place = { Bucket: bucketOf(to, destination), Key: `to/${source}/${destination}/${index}` };
      const copy = {
        ...place,
        ...(MetadataDirective === 'COPY' ? {} : REPLACED),
        ...keyOf(destination),
        ...(source === 'SSE-C' ? SOURCE_SSE_C : {}),
        CopySource: `${bucketOf(from, source)}/from/${source}/${content}`,
        MetadataDirective,
      };
      const { CopyObjectResult } = await client.send(new CopyObjectCommand(copy));
      const read = { ...place, ...keyOf(destination) };
      expect(sha(await bytesAt(client, read))).toBe(sha(...CONTENTS[content]));
      const head = await client.send(new HeadObjectCommand(read));
      expect(head.ETag).toBe(CopyObjectResult?.ETag);
      const length = lengthOf(content);
      const said = MetadataDirective === 'COPY' ? SAID : { ...REPLACED, CacheControl: undefined };
      expect(head).toMatchObject({ ContentLength: length, ContentType: said.ContentType, Metadata: said.Metadata });
      expect(head.CacheControl).toBe(said.CacheControl);
      const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: place.Bucket, Prefix: place.Key }));
      expect(Contents?.[0]?.Size).toBe(length);
      const stored = await bytesAt(direct[to], place);
      expect(stored.includes('CANARY')).toBe(isPlain(destination) && length > 0);
    }
  });

  test.each(CASES.filter(isAllowed))('a part with a range, from $from $source to $to $destination', async (way) => {
    const { from, source, to, destination } = way;
    const place = { Bucket: bucketOf(to, destination), Key: `parts/${source}/${destination}` };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...place, ...keyOf(destination) }));
    const [first, last] = [5 * MIB - 100, 5 * MIB + 60_000];
    const { CopyPartResult } = await client.send(
      new UploadPartCopyCommand({
        ...place,
        ...keyOf(destination),
        ...(source === 'SSE-C' ? SOURCE_SSE_C : {}),
        UploadId,
        PartNumber: 1,
        CopySource: `${bucketOf(from, source)}/from/${source}/parts`,
        CopySourceRange: `bytes=${first}-${last}`,
      }),
    );
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: CopyPartResult?.ETag }] };
    const done = { ...place, UploadId, MultipartUpload, ...keyOf(destination) };
    await client.send(new CompleteMultipartUploadCommand(done));
    const expected = Buffer.concat(CONTENTS.parts).subarray(first, last + 1);
    expect(sha(await bytesAt(client, { ...place, ...keyOf(destination) }))).toBe(sha(expected));
  });

  test.each(CASES.filter((way) => !isAllowed(way)))('not from $from $source to $to $destination', async (way) => {
    const { from, source, to, destination } = way;
    const place = { Bucket: bucketOf(to, destination), Key: 'never' };
    const CopySource = `${bucketOf(from, source)}/from/${source}/small`;
    const copy = { ...place, CopySource, ...(source === 'SSE-C' ? SOURCE_SSE_C : {}) };
    await expect(client.send(new CopyObjectCommand(copy))).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(bytesAt(direct[to], place)).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('conditions on the source of a copy between plain buckets are looked at', async () => {
    const source = { Bucket: 'near-passed', Key: 'from/passed/small' };
    const { ETag } = await client.send(new HeadObjectCommand(source));
    const copy = { Bucket: 'far-passed', Key: 'conditional', CopySource: `${source.Bucket}/${source.Key}` };
    for (const wrong of [{ CopySourceIfNoneMatch: ETag }, { CopySourceIfMatch: `"${'0'.repeat(32)}"` }])
      await expect(client.send(new CopyObjectCommand({ ...copy, ...wrong }))).rejects.toMatchObject({
        name: 'PreconditionFailed',
      });
    await expect(bytesAt(direct.far, copy)).rejects.toMatchObject({ name: 'NoSuchKey' });
    await client.send(new CopyObjectCommand({ ...copy, CopySourceIfMatch: ETag }));
    expect(sha(await bytesAt(direct.far, copy))).toBe(sha(...CONTENTS.small));
  });

  test('a bucket of the same name in the other store is none', async () => {
    const hidden = { Bucket: HIDDEN, Key: 'k' };
    await direct.near.send(new PutObjectCommand({ ...hidden, Body: 'not to be had' }));
    await expect(bytesAt(client, hidden)).rejects.toMatchObject({ name: 'NoSuchBucket' });
    expect(await names(client)).not.toContain(hidden.Bucket);
    const copy = { Bucket: 'near-passed', Key: 'had', CopySource: `${HIDDEN}/k` };
    await expect(client.send(new CopyObjectCommand(copy))).rejects.toMatchObject({ name: 'NoSuchBucket' });
    await expect(bytesAt(direct.near, copy)).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('a sealed object that lies in a plain bucket is not copied without what opens it', async () => {
    const sealed = await direct.near.send(new GetObjectCommand({ Bucket: 'near-sealed', Key: 'from/sealed/small' }));
    const Body = (await sealed.Body?.transformToByteArray()) ?? new Uint8Array();
    await direct.near.send(
      new PutObjectCommand({ Bucket: 'near-passed', Key: 'laid', Body, Metadata: sealed.Metadata }),
    );
    const copy = { Bucket: 'far-passed', Key: 'laid', CopySource: 'near-passed/laid' };
    await expect(client.send(new CopyObjectCommand(copy))).rejects.toMatchObject({ name: 'InvalidRequest' });
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(copy));
    const part = { ...copy, UploadId, PartNumber: 1 };
    for (const range of [{}, { CopySourceRange: 'bytes=0-9' }])
      await expect(client.send(new UploadPartCopyCommand({ ...part, ...range }))).rejects.toMatchObject({
        name: 'InvalidRequest',
      });
    await expect(bytesAt(direct.far, copy)).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('`check` says of each store what it can do, and which of them does not answer', async () => {
    const { code, stdout } = await installation.run('check');
    expect(code, stdout).toBe(0);
    expect(stdout.match(/^.*can do .*$/gmu)).toHaveLength(2);
    for (const said of ['bucket near-sealed', 'bucket far-sealed', 's3.otherUpstreams[0].capabilities'])
      expect(stdout).toContain(said);
    await closeNear();
    const without = await installation.run('check');
    expect(without.code).toBe(4);
    expect(without.stdout).toMatch(new RegExp(`s3 upstream ${near.url}.*UNREACHABLE`, 'u'));
    expect(without.stdout).toContain('bucket far-sealed');
    // What is missing would be taken for gone.
    await expect(client.send(new ListBucketsCommand({}))).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
    const read = { Bucket: 'far-sealed', Key: 'from/sealed/small' };
    expect(sha(await bytesAt(client, read))).toBe(sha(...CONTENTS.small));
  });
});

const clientOf = ({
  url: endpoint,
  ...credentials
}: Pick<Backend, 'url' | 'accessKeyId' | 'secretAccessKey'>): S3Client =>
  new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts: 1 });

const config = (near: TestStore, far: Pick<Backend, 'url' | 'accessKeyId' | 'secretAccessKey'>): string => `
s3:
  listen: { host: 127.0.0.1, port: 0 }
  customerKeysWithoutTls: true
  upstream:
    endpoint: ${near.url}
    credentials: { type: static, accessKeyId: ${near.accessKeyId}, secretAccessKey: ${near.secretAccessKey} }
  otherUpstreams:
    - buckets: ['far-*']
      endpoint: ${far.url}
      credentials: { type: static, accessKeyId: ${far.accessKeyId}, secretAccessKey: ${far.secretAccessKey} }
  clients: [{ name: app, accessKeyId: CLIENTKEY, secretAccessKey: client-secret }]
  buckets:
    - { bucket: near-sealed, seal: alias/stores }
    - { bucket: far-sealed, seal: alias/stores }
    - { bucket: near-ruled, pass: true }
    - { bucket: far-ruled, pass: true }
`;
