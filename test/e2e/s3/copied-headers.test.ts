/** Every header that S3 keeps with an object goes along with its copies, whichever way they are made, or is replaced whole. */
import { randomBytes } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  CompleteMultipartUploadCommand,
  type CopyObjectCommandInput,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { ProbedCapabilities } from '../../../src/s3/check.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';
import { MIB } from '../../support/s3/uploads.ts';

const PLACES = [BUCKET, 'other', 'plain'] as const;
const PAIRS = PLACES.flatMap((from) =>
  PLACES.filter((to) => from !== 'plain' || to !== 'plain').map((to) => [from, to] as const),
);
const RULES = [
  { bucket: 'other', prefix: '', rule: { type: 'seal', keyId: 'alias/b', name: 'other' } },
  { bucket: 'plain', prefix: '', rule: { type: 'pass', name: 'plain' } },
] as const;

const GIVEN = {
  CacheControl: 'no-store, max-age=0',
  ContentDisposition: 'attachment; filename="a b.txt"',
  ContentEncoding: 'gzip',
  ContentLanguage: 'de-CH',
  ContentType: 'text/x-given; charset=utf-8',
  Metadata: { colour: 'blue', 'x-y': 'z' },
};
const EXPIRES = 'Wed, 02 Jan 2030 03:04:05 GMT';
const REPLACED = { MetadataDirective: 'REPLACE', ContentLanguage: 'fr', Metadata: { other: '1' } } as const;

type Said = Pick<HeadObjectCommandOutput, keyof typeof GIVEN | 'ExpiresString'>;
const kept = ({ CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ...rest }: Said): Said => {
  const { ContentType, ExpiresString, Metadata } = rest;
  return { CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ContentType, ExpiresString, Metadata };
};

describe.each(['s3rver', 'radosgw'] as const)('Copies in front of %s', (name) => {
  let setup: SealedSetup;
  let client: S3Client;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend, undefined, undefined, { rules: RULES, aliases: ['alias/b'] });
    [client] = setup.clients;
    await createBuckets(client, name, 'other', 'plain');
    for (const Bucket of PLACES) {
      const headers = { ...GIVEN, Expires: new Date(EXPIRES) };
      await client.send(new PutObjectCommand({ Bucket, Key: 'put', Body: randomBytes(1000), ...headers }));
      await upload({ Bucket, Key: 'parts' }, headers);
    }
    return [setup];
  });

  async function upload(place: { readonly Bucket: string; readonly Key: string }, headers: object): Promise<void> {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...place, ...headers }));
    const Parts = [];
    for (const [index, length] of [5 * MIB, 10].entries()) {
      const part = { ...place, UploadId, PartNumber: index + 1, Body: randomBytes(length) };
      Parts.push({ PartNumber: index + 1, ETag: (await client.send(new UploadPartCommand(part))).ETag });
    }
    await client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }));
  }

  const copy = (from: string, to: string, Key: string, more: Partial<CopyObjectCommandInput> = {}) =>
    client.send(new CopyObjectCommand({ Bucket: to, Key, CopySource: from, ...more }));

  /** What HEAD and GET say of it beyond its size and encryption: the same. */
  async function said(Bucket: string, Key: string): Promise<Said | undefined> {
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    await got.Body?.transformToByteArray();
    const answers = [await client.send(new HeadObjectCommand({ Bucket, Key })), got].map(kept);
    expect(answers[1]).toEqual(answers[0]);
    return answers[0];
  }
  const all = { ...GIVEN, ExpiresString: EXPIRES };
  const nothingElse = {
    ...{ CacheControl: undefined, ContentDisposition: undefined, ContentEncoding: undefined, ExpiresString: undefined },
    ContentLanguage: 'fr',
    Metadata: { other: '1' },
  };

  test.each(PAIRS)('from %s to %s', async (from, to) => {
    for (const key of ['put', 'parts']) {
      await copy(`${from}/${key}`, to, `of-${from}`);
      expect(await said(to, `of-${from}`), key).toEqual(all);
      await copy(`${from}/${key}`, to, `of-${from}`, { ...GIVEN, Metadata: { not: 'taken' }, CacheControl: 'never' });
      expect(await said(to, `of-${from}`), `${key}, whatever is said without REPLACE`).toEqual(all);
      await copy(`${from}/${key}`, to, `of-${from}`, { ...REPLACED, ContentType: 'text/new' });
      expect(await said(to, `of-${from}`), `${key}, replaced`).toEqual({ ...nothingElse, ContentType: 'text/new' });
    }
  });

  test('of an object to itself, of its copy, and back again', async () => {
    for (const key of ['put', 'parts']) {
      await copy(`${BUCKET}/${key}`, BUCKET, 'itself');
      await copy(`${BUCKET}/itself`, BUCKET, 'itself', { StorageClass: 'STANDARD' });
      expect(await said(BUCKET, 'itself'), key).toEqual(all);
      await copy(`${BUCKET}/itself`, 'plain', 'there');
      await copy('plain/there', 'other', 'there');
      await copy('other/there', BUCKET, 'itself');
      expect(await said(BUCKET, 'itself'), key).toEqual(all);
    }
  });

  test('along the parts of an upload, in front of a store whose copies lose their number', async ({ skip }) => {
    skip(name === 's3rver', 's3rver copies nothing by itself');
    const { gateway } = setup.edges[0];
    const { backend } = gateway.caches;
    const found = await backend.learn(gateway, BUCKET);
    const learn = backend.learn.bind(backend);
    // The store's other properties are its own.
    const told = { ...found, copiesKeepPartCount: false, conditionalPartCopies: true } as ProbedCapabilities;
    backend.learn = () => Promise.resolve(told);
    try {
      await copy(`${BUCKET}/parts`, BUCKET, 'along');
      expect(await said(BUCKET, 'along')).toEqual(all);
      await copy(`${BUCKET}/parts`, BUCKET, 'along', { ...REPLACED, ContentType: 'text/new' });
      expect(await said(BUCKET, 'along')).toEqual({ ...nothingElse, ContentType: 'text/new' });
    } finally {
      backend.learn = learn;
    }
  });
});
