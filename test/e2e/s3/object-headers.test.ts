/** What clients say of their objects in headers: user metadata, sealed and within S3's 2 KB; system headers; names that are ours. */
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { isWhole, sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { S3RVER_CAPABILITIES } from '../../support/s3/edge.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

describe.each(['s3rver', 'radosgw'] as const)('Headers of sealed objects in front of %s', (name) => {
  let setup: SealedSetup;
  let roomy: SealedSetup;
  let client: S3Client;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend);
    const capabilities = { ...S3RVER_CAPABILITIES, metadataBytes: 8192 };
    roomy = await startSealed(backend, undefined, undefined, { capabilities });
    [client] = setup.clients;
    await createBuckets(client, name);
    return [setup, roomy];
  });

  const raw = (method: string, key: string, headers: Record<string, string>): Promise<string> => {
    const { port } = setup.edges[0];
    const whole = method === 'HEAD' ? (text: string) => text.includes('\r\n\r\n') : isWhole;
    const { head } = sign(port, { method, path: `/${BUCKET}/${key}`, headers });
    return talk(port, [Buffer.from(head, 'latin1')], whole);
  };
  const codeIn = (answer: string): string | undefined => /<Code>([^<]*)/u.exec(answer)?.[1];

  const SYSTEM = {
    ContentType: 'text/plain; charset=utf-8',
    CacheControl: 'no-store, max-age=0',
    ContentDisposition: 'attachment; filename="a b.txt"',
    ContentLanguage: 'de-CH',
    ContentEncoding: 'gzip',
    WebsiteRedirectLocation: '/elsewhere',
  } as const;

  test('system headers come back as they were given, of a PUT and of an upload', async () => {
    const Expires = new Date('2030-01-02T03:04:05Z');
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'system', Body: 'x', Expires, ...SYSTEM }));
    const Key = 'system-in-parts';
    // s3rver takes no redirect with an upload, and says so.
    const { WebsiteRedirectLocation, ...others } = SYSTEM;
    const ofUpload = name === 's3rver' ? others : { WebsiteRedirectLocation, ...others };
    const made = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, Expires, ...ofUpload }));
    const { UploadId } = made;
    const part = await client.send(new UploadPartCommand({ Bucket: BUCKET, Key, UploadId, PartNumber: 1, Body: 'x' }));
    const Parts = [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }];
    await client.send(
      new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId, MultipartUpload: { Parts } }),
    );
    for (const [key, given] of [
      ['system', SYSTEM],
      [Key, ofUpload],
    ] as const) {
      const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }));
      expect(head).toMatchObject({ ...given, ExpiresString: 'Wed, 02 Jan 2030 03:04:05 GMT' });
      expect(await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))).toMatchObject(given);
    }
  });

  test('a website redirect that is none is told so, and one is not taken from the store', async () => {
    const answer = await raw('PUT', 'redirect', {
      'content-length': '0',
      'x-amz-website-redirect-location': 'javascript:alert(1)',
    });
    expect([statusIn(answer), codeIn(answer)]).toEqual([400, 'InvalidRedirectLocation']);
  });

  test('user metadata has S3’s 2 KB, or what the store has room for, to the byte', async () => {
    const put = (at: S3Client, bytes: number) =>
      at
        .send(
          new PutObjectCommand({ Bucket: BUCKET, Key: 'metadata', Body: 'x', Metadata: { k: 'v'.repeat(bytes - 1) } }),
        )
        .then(
          () => ({ name: 'ok', room: 0 }),
          (error: { name: string; MaxSizeAllowed?: string }) => ({
            name: error.name,
            room: Number(error.MaxSizeAllowed),
          }),
        );
    expect(await put(client, 2049)).toEqual({ name: 'MetadataTooLarge', room: 2048 });
    const refused = await put(client, 2048);
    expect(refused.name).toBe('MetadataTooLarge');
    expect(refused.room).toBeGreaterThan(1000);
    expect((await put(client, refused.room)).name).toBe('ok');
    expect((await put(client, refused.room + 4)).name).toBe('MetadataTooLarge');
    // Where the store takes more, clients have all of theirs.
    const [large] = roomy.clients;
    expect(await put(large, 2049)).toEqual({ name: 'MetadataTooLarge', room: 2048 });
    expect((await put(large, 2048)).name).toBe('ok');
    const head = await large.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'metadata' }));
    expect(head.Metadata?.['k']?.length).toBe(2047);
    const [small] = setup.clients;
    await expect(small.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'metadata' }))).rejects.toThrow();
  });

  test('what is beyond ASCII comes back as an encoded word, as from S3', async () => {
    // The example of S3's own documentation: the bytes of UTF-8, read as latin1.
    const value = Buffer.from('ÄMÄZÕÑ S3', 'utf8').toString('latin1');
    const headers = { 'content-length': '0', 'x-amz-meta-word': value, 'x-amz-meta-plain': 'AMAZONS3' };
    const made = await raw('PUT', 'words', headers);
    expect([statusIn(made), made]).toEqual([200, made]);
    const answer = await raw('HEAD', 'words', {});
    expect(answer.toLowerCase()).toContain('x-amz-meta-plain: amazons3');
    expect(answer).toContain('=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=');
  });

  test('clients neither set nor see the names that are ours, in whatever spelling', async () => {
    for (const spelled of [
      'x-amz-meta-sealgate',
      'X-Amz-Meta-SEALGATE',
      'x-amz-meta-sealgate-upload',
      'x_amz_meta_sealgate',
      'x-amz-meta_sealgate',
    ]) {
      const lower = spelled.toLowerCase();
      const { port } = setup.edges[0];
      const headers = { 'content-length': '0', [lower]: 'sg1.forged' };
      const { head } = sign(port, { method: 'PUT', path: `/${BUCKET}/ours`, headers });
      const answer = await talk(port, [head.replace(`${lower}: sg1`, `${spelled}: sg1`)]);
      expect([spelled, statusIn(answer), codeIn(answer)]).toEqual([spelled, 400, 'InvalidArgument']);
    }
    await client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: 'ours', Body: 'x', Metadata: { seal_gate: 'mine' } }),
    );
    const answer = await raw('HEAD', 'ours', {});
    expect(answer.toLowerCase()).toContain('x-amz-meta-seal_gate: mine');
    expect(answer.toLowerCase()).not.toContain('x-amz-meta-sealgate');
  });
});
