/** Where lists of versions begin: behind a key, or behind one of its versions, as on S3. */
import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
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
