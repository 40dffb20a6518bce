/** What lists say beside names and sizes, and names that XML cannot hold. */
import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  type ObjectIdentifier,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { AWS_CAPABILITIES } from '../../../src/s3/upstream/capabilities.ts';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { startRecordingStore } from '../../support/s3/recording-store.ts';
import { CLIENT, startEdge } from '../../support/s3/edge.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

describe('Of a backend that says more', () => {
  const sealed = (plain: number): number => plain + 8488 * 2;
  const row = `<Contents><Key>k</Key><LastModified>2026-11-26T14:00:00.000Z</LastModified><ETag>"0123456789abcdef0123456789abcdef-2"</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><Size>${sealed(6_000_000)}</Size><Owner><ID>id &amp; 1</ID><DisplayName>name</DisplayName></Owner><StorageClass>GLACIER</StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2026-12-24T00:00:00.000Z</RestoreExpiryDate></RestoreStatus></Contents>`;
  const page = (root: string, content: string): string =>
    `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${BUCKET}</Name><IsTruncated>false</IsTruncated>${content}</${root}>`;
  const shown = {
    Key: 'k',
    Size: 6_000_000,
    ETag: '"0123456789abcdef0123456789abcdef-2"',
    StorageClass: 'GLACIER',
    Owner: { ID: 'id & 1', DisplayName: 'name' },
    RestoreStatus: { IsRestoreInProgress: false, RestoreExpiryDate: new Date('2026-12-24T00:00:00Z') },
  };

  test.each([
    ['ListObjects', new ListObjectsCommand({ Bucket: BUCKET, OptionalObjectAttributes: ['RestoreStatus'] })],
    [
      'ListObjectsV2',
      new ListObjectsV2Command({ Bucket: BUCKET, OptionalObjectAttributes: ['RestoreStatus'], FetchOwner: true }),
    ],
    [
      'ListObjectVersions',
      new ListObjectVersionsCommand({ Bucket: BUCKET, OptionalObjectAttributes: ['RestoreStatus'] }),
    ],
  ] as const)(
    '%s asks for the optional attributes, and shows them with owner and storage class',
    async (name, command) => {
      const store = await startRecordingStore();
      const edge = await startEdge({
        store,
        rules: [{ bucket: BUCKET, prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } }],
        capabilities: AWS_CAPABILITIES,
        operations: SEALED_OPERATIONS,
      });
      const s3 = new S3Client({ endpoint: edge.url, region: 'us-east-1', credentials: CLIENT, forcePathStyle: true });
      try {
        const version = row.replace('</Key>', '</Key><VersionId>v</VersionId><IsLatest>true</IsLatest>');
        const body =
          name === 'ListObjectVersions'
            ? page('ListVersionsResult', version.replaceAll('Contents>', 'Version>'))
            : page('ListBucketResult', row);
        store.reply = { status: 200, headers: { 'content-type': 'application/xml' }, body };
        // One of three kinds of answers, all of which have rows.
        const answer = (await s3.send(command)) as { Contents?: object[]; Versions?: object[] };
        const [found] = answer.Contents ?? answer.Versions ?? [];
        expect(found).toMatchObject(shown);
        // It says how the ciphertext was checked.
        expect(found).not.toHaveProperty('ChecksumAlgorithm');
        expect(store.seen.map(({ headers }) => headers['x-amz-optional-object-attributes'])).toEqual(['RestoreStatus']);
      } finally {
        s3.destroy();
        await edge.close();
        await store.close();
      }
    },
  );
});

describe('Of a backend whose lists do not end', () => {
  const hidden = '<Key>.sealgate/x</Key><VersionId>v</VersionId><Size>1</Size><ETag>"e"</ETag>';
  const page = (root: string, rows: string): string =>
    `<${root}><IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>${rows}</${root}>`;

  test.each([
    [
      'ListObjects',
      page('ListBucketResult', `<Contents>${hidden}</Contents>`),
      new ListObjectsCommand({ Bucket: BUCKET }),
    ],
    ['ListObjectsV2', page('ListBucketResult', ''), new ListObjectsV2Command({ Bucket: BUCKET })],
    [
      'ListObjectVersions',
      page('ListVersionsResult', `<Version>${hidden}</Version>`),
      new ListObjectVersionsCommand({ Bucket: BUCKET }),
    ],
  ] as const)('%s is refused, and of no rows there is one page', async (name, body, command) => {
    const store = await startRecordingStore();
    const edge = await startEdge({
      store,
      rules: [{ bucket: BUCKET, prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } }],
      capabilities: AWS_CAPABILITIES,
      operations: SEALED_OPERATIONS,
    });
    const client = {
      endpoint: edge.url,
      region: 'us-east-1',
      credentials: CLIENT,
      forcePathStyle: true,
      maxAttempts: 1,
    };
    const s3 = new S3Client(client);
    try {
      store.reply = { status: 200, headers: { 'content-type': 'application/xml' }, body };
      await expect(s3.send(command)).rejects.toMatchObject({ $fault: 'server' });
      expect(store.seen.length, name).toBe(2);
      command.input.MaxKeys = 0;
      await s3.send(command);
      expect(store.seen.length).toBe(3);
    } finally {
      s3.destroy();
      await edge.close();
      await store.close();
    }
  });
});

describe.each(['s3rver', 'radosgw'] as const)('Names with control characters, in front of %s', (name) => {
  let setup: SealedSetup;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend);
    await createBuckets(setup.clients[0], name);
    return [setup];
  });

  test('are not read out of a document that is not UTF-8', async () => {
    const [edge] = setup.edges;
    const body = Buffer.from('<Delete><Object><Key>caf\u00e9</Key></Object></Delete>', 'latin1');
    const headers = { 'content-length': String(body.length) };
    const { head } = sign(edge.port, { method: 'POST', path: `/${BUCKET}`, query: 'delete=', headers });
    const answer = await talk(edge.port, [head, body]);
    expect([statusIn(answer), /<Code>(\w+)/u.exec(answer)?.[1]]).toEqual([400, 'MalformedXML']);
  });

  test('are written, listed in both ways, read, copied and deleted', async () => {
    const [client] = setup.clients;
    const Bucket = BUCKET;
    const keys = ['a\u0001b', 'a\tb', 'a\nb', 'a\u007fb'];
    for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    for (const Key of keys) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      expect(await Body?.transformToString()).toBe(Key);
    }
    // Encoded they survive every reader; as references they do those that know more than XML 1.0.
    for (const EncodingType of ['url', undefined] as const) {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, EncodingType }));
      const found = Contents.map(({ Key = '' }) => (EncodingType === 'url' ? decodeURIComponent(Key) : Key));
      expect(found.toSorted()).toEqual(keys.toSorted());
      expect(new Set(Contents.map(({ Size }) => Size))).toEqual(new Set([3]));
    }
    const CopySource = `${Bucket}/${encodeURIComponent('a\u0001b')}`;
    await client.send(new CopyObjectCommand({ Bucket, Key: 'c\u0002', CopySource }));
    const Objects = [...keys, 'c\u0002'].map((Key) => ({ Key }));
    const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Errors).toEqual([]);
    expect((await client.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).toEqual([]);
  });

  test('are deleted like any other where there are versions: by a marker, and by version', async ({ skip }) => {
    if (name === 's3rver') skip('s3rver has no versions');
    const [client] = setup.clients;
    const Bucket = BUCKET;
    const Key = 'v\u0001';
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const remove = async (Objects: ObjectIdentifier[]) =>
      (await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))).Deleted ?? [];
    const [marked] = await remove([{ Key }]);
    expect(marked).toMatchObject({ Key, DeleteMarker: true });
    const marker = { Key, VersionId: marked?.DeleteMarkerVersionId };
    expect(await remove([{ Key, VersionId }, marker])).toEqual([
      { Key, VersionId },
      { ...marker, DeleteMarker: true, DeleteMarkerVersionId: marker.VersionId },
    ]);
    const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect([...Versions, ...DeleteMarkers].filter((row) => row.Key === Key)).toEqual([]);
  });
});
