/**
 * User metadata, sealed, up to S3's 2 KB: by every way in which an object is made or copied. What is taken is read back as it was given, and what
 * is not taken is refused with nothing stored.
 */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { describe, expect, test } from 'vitest';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { isWhole, sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';
import { AWS_CAPABILITIES } from '../../../src/s3/upstream/capabilities.ts';

const S3_BYTES = 2048;

type Metadata = Readonly<Record<string, string>>;

/** Names and values of so many bytes in all: one pair, or as many as there can be. */
const onePair = (bytes: number): Metadata => ({ note: 'n'.repeat(bytes - 4) });
const manyPairs = (bytes: number): Metadata =>
  Object.fromEntries(
    Array.from({ length: 32 }, (_, index) => {
      const name = `k${String(index).padStart(3, '0')}`;
      return [name, 'v'.repeat(Math.floor(bytes / 32) + (index < bytes % 32 ? 1 : 0) - name.length)] as const;
    }),
  );

describe.each(['s3rver', 'radosgw'] as const)('Metadata in front of %s', (name) => {
  let setup: SealedSetup;
  let client: S3Client;

  inFrontOf(name, async (backend) => {
    const capabilities = { ...AWS_CAPABILITIES, metadataBytes: 8192 };
    setup = await startSealed(backend, undefined, undefined, { capabilities });
    [client] = setup.clients;
    await createBuckets(client, name);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'bare', Body: 'bare' }));
    return [setup];
  });

  const put = (Key: string, Metadata: Metadata) =>
    client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x', Metadata }));
  const upload = async (Key: string, Metadata: Metadata): Promise<void> => {
    const place = { Bucket: BUCKET, Key };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...place, Metadata }));
    const { ETag } = await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: 'x' }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload }));
  };
  const post = async (Key: string, metadata: Metadata): Promise<void> => {
    const Fields = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`x-amz-meta-${key}`, value]));
    const form = await createPresignedPost(client, { Bucket: BUCKET, Key, Expires: 600, Fields });
    const data = new FormData();
    for (const [field, value] of Object.entries(form.fields)) data.append(field, value);
    data.append('file', new Blob(['x']), 'f');
    const answer = await fetch(form.url, { method: 'POST', body: data });
    const text = await answer.text();
    if (!answer.ok) throw Object.assign(new Error(text), { name: /<Code>(\w+)/u.exec(text)?.[1] });
  };
  const copy = (CopySource: string, Key: string, more: object = {}) =>
    client.send(
      new CopyObjectCommand({
        Bucket: BUCKET,
        Key,
        CopySource: `${BUCKET}/${encodeURIComponent(CopySource)}`,
        ...more,
      }),
    );
  const replacing = (Key: string, Metadata: Metadata) => copy('bare', Key, { MetadataDirective: 'REPLACE', Metadata });

  const WAYS = { PUT: put, upload, form: post, 'copy that replaces it': replacing };
  const outcome = (run: Promise<unknown>): Promise<string> =>
    run.then(
      () => 'taken',
      (error: { name: string }) => error.name,
    );
  const metadataOf = async (Key: string): Promise<unknown> => {
    const got = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    await got.Body?.transformToByteArray();
    const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
    expect(head.Metadata).toEqual(got.Metadata);
    return head.Metadata;
  };

  describe.each(Object.entries(WAYS))('of a %s', (way, make) => {
    test.each([
      ['one pair', onePair],
      ['many pairs', manyPairs],
    ] as const)('has 2048 bytes in %s, and not one more', async (pairs, metadata) => {
      const Key = `${way} of ${pairs}`;
      expect(await outcome(make(Key, metadata(S3_BYTES + 1)))).toBe('MetadataTooLarge');
      expect(await outcome(client.send(new HeadObjectCommand({ Bucket: BUCKET, Key })))).toBe('NotFound');
      expect(await outcome(make(Key, metadata(S3_BYTES)))).toBe('taken');
      expect(await metadataOf(Key)).toEqual(metadata(S3_BYTES));
    });
  });

  test('that fills its room goes along with copies of copies', async () => {
    for (const [way, make] of Object.entries({ PUT: put, upload })) {
      await make(`full ${way}`, manyPairs(S3_BYTES));
      await copy(`full ${way}`, `full copy ${way}`);
      await copy(`full copy ${way}`, `full copy of copy ${way}`);
      expect(await metadataOf(`full copy of copy ${way}`)).toEqual(manyPairs(S3_BYTES));
    }
  });

  const raw = async (method: string, key: string, headers: Record<string, string>): Promise<string> => {
    const { port } = setup.edges[0];
    const { head } = sign(port, { method, path: `/${BUCKET}/${key}`, headers });
    return talk(port, [Buffer.from(head, 'latin1')], method === 'HEAD' ? (text) => text.includes('\r\n\r\n') : isWhole);
  };
  const shown = async (key: string): Promise<string | undefined> =>
    /^x-amz-meta-word: (.*)\r$/imu.exec(await raw('HEAD', key, {}))?.[1];
  /** As S3 shows the bytes of UTF-8, which it reads as latin1. */
  const word = (text: string): string =>
    `=?UTF-8?B?${Buffer.from(Buffer.from(text).toString('latin1'), 'utf8').toString('base64')}?=`;

  test.each([
    ['a word', 'ÄMÄZÕÑ S3'],
    ['a kilobyte', 'ü'.repeat(510)],
    ['all there is room for', `${'ü'.repeat(1021)}zz`],
  ])('beyond ASCII, %s, is shown encoded once, and copies of copies have it as it was given', async (of, text) => {
    const headers = { 'x-amz-meta-word': Buffer.from(text).toString('latin1') };
    const key = `beyond/${of.replaceAll(' ', '-')}`;
    expect(statusIn(await raw('PUT', key, { 'content-length': '0', ...headers }))).toBe(200);
    expect(await shown(key)).toBe(word(text));
    for (const times of [1, 2]) {
      const source = `/${BUCKET}/${times === 1 ? key : `${key}-copied-1`}`;
      const made = await raw('PUT', `${key}-copied-${times}`, { 'content-length': '0', 'x-amz-copy-source': source });
      expect([statusIn(made), made]).toEqual([200, made]);
      expect(await shown(`${key}-copied-${times}`)).toBe(word(text));
    }
    const itself = {
      'content-length': '0',
      'x-amz-copy-source': `/${BUCKET}/${key}`,
      'x-amz-storage-class': 'STANDARD',
    };
    expect(statusIn(await raw('PUT', key, itself))).toBe(200);
    expect(await shown(key)).toBe(word(text));
  });

  test('beyond ASCII in a form is what it is in a header', async () => {
    await post('form/word', { word: 'ÄMÄZÕÑ S3' });
    expect(await shown('form/word')).toBe(word('ÄMÄZÕÑ S3'));
  });
});
