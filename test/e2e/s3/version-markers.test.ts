/** Where lists of versions begin: behind a key, or behind one of its versions, as on S3. */
import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';
import { BUCKET } from '../../support/s3/sealed.ts';

const sealed = sealedOnRadosgw(async ({ clients: [client] }) => {
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
  for (const Key of ['a', 'b', 'b', 'b', 'c'])
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Key }));
  await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'b' }));
});

async function keysFrom(asked: object): Promise<readonly (string | undefined)[]> {
  const page = await sealed.setup.clients[0].send(new ListObjectVersionsCommand({ Bucket: BUCKET, ...asked }));
  return [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key }) => Key).sort();
}

test.each([
  ['', ['a', 'b', 'b', 'b', 'b', 'c']],
  ['a', ['b', 'b', 'b', 'b', 'c']],
  ['aa', ['b', 'b', 'b', 'b', 'c']],
  ['b', ['c']],
  ['c', []],
])('behind the key %j', async (KeyMarker, keys) => {
  expect(await keysFrom({ KeyMarker })).toEqual(keys);
});

test('however few a page may have', async () => {
  expect(await keysFrom({ KeyMarker: 'b', MaxKeys: 1 })).toEqual(['c']);
});

test('behind a version come the older ones of its key', async () => {
  const { Versions = [] } = await sealed.setup.clients[0].send(new ListObjectVersionsCommand({ Bucket: BUCKET }));
  const [newest] = Versions.filter(({ Key }) => Key === 'b');
  expect(await keysFrom({ KeyMarker: 'b', VersionIdMarker: newest?.VersionId })).toEqual(['b', 'b', 'c']);
});

test.each([
  ['g/1', ['h/', 'i/']],
  ['g/2', ['h/', 'i/']],
  ['h/2', ['i/']],
  ['h/', ['i/']],
  ['i/1', []],
])('behind %j no name shows that a delimiter puts together of keys up to it alone', async (KeyMarker, groups) => {
  const [client] = sealed.setup.clients;
  for (const Key of ['g/1', 'g/1', 'h/1', 'h/1', 'h/2', 'i/1'])
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Key }));
  const query = { Bucket: BUCKET, Delimiter: '/', KeyMarker };
  const page = await client.send(new ListObjectVersionsCommand(query));
  expect([page.Versions, page.CommonPrefixes?.map(({ Prefix }) => Prefix) ?? []]).toEqual([undefined, groups]);
});

test.each([
  [{ KeyMarker: 'b', VersionIdMarker: '' }, 'A version-id marker cannot be empty.'],
  [{ VersionIdMarker: '' }, 'A version-id marker cannot be specified without a key marker.'],
  [{ VersionIdMarker: 'x' }, 'A version-id marker cannot be specified without a key marker.'],
])('%j is refused', async (asked, message) => {
  await expect(keysFrom(asked)).rejects.toMatchObject({
    name: 'InvalidArgument',
    message,
    ArgumentName: 'version-id-marker',
  });
});

test('a key with many versions costs one page more, however few a page may have, and nothing behind it is lost', async () => {
  const [client] = sealed.setup.clients;
  for (const Key of [...Array<string>(12).fill('m'), 'n', 'n', 'o/1', 'o/2', 'p'])
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Key }));
  await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'n' }));
  const asked: (string | undefined)[] = [];
  using _counting = hookUpstream(sealed.setup.edges[0].gateway, (request, send) => {
    asked.push(request.query?.get('max-keys'));
    return send(request);
  });
  const query = { Bucket: BUCKET, Delimiter: '/', MaxKeys: 1 };
  const seen: unknown[] = [];
  let from: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = { KeyMarker: 'm' };
  while (from !== undefined && seen.length < 20) {
    const page: ListObjectVersionsCommandOutput = await client.send(
      new ListObjectVersionsCommand({ ...query, ...from }),
    );
    const rows = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    seen.push([...rows.map(({ Key }) => Key), ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix)]);
    if (seen.length === 1) {
      expect(asked).toEqual(['1', '1000']);
      expect([page.NextKeyMarker, page.NextVersionIdMarker]).toEqual(['n', rows[0]?.VersionId]);
    }
    const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page;
    from = page.IsTruncated === true ? { KeyMarker, VersionIdMarker } : undefined;
  }
  expect(seen).toEqual([['n'], ['n'], ['n'], ['o/'], ['p']]);
});
