/**
 * Conditions on the source of a copy, alone and in every pair, as Amazon S3 documents them: what a pair decides, by the ETag and the date that
 * clients see of the plaintext. Of sources of every kind, copied whole and as a part.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const PLAIN = 'plain';
const PART_BYTES = 5 * 1024 * 1024;

function customer(): { readonly write: object; readonly source: object } {
  const key = randomBytes(32);
  const [text, md5] = [key.toString('base64'), createHash('md5').update(key).digest('base64')];
  return {
    write: { SSECustomerAlgorithm: 'AES256', SSECustomerKey: text, SSECustomerKeyMD5: md5 },
    source: {
      CopySourceSSECustomerAlgorithm: 'AES256',
      CopySourceSSECustomerKey: text,
      CopySourceSSECustomerKeyMD5: md5,
    },
  };
}
const KEY = customer();

type Source = {
  readonly bucket: string;
  readonly parts: readonly number[];
  readonly write?: object;
  readonly source?: object;
};
const SOURCES: Readonly<Record<string, Source>> = {
  sealed: { bucket: BUCKET, parts: [1000] },
  'sealed in parts': { bucket: BUCKET, parts: [PART_BYTES, 10] },
  'with a customer’s key': { bucket: BUCKET, parts: [1000], ...KEY },
  'in parts with a customer’s key': { bucket: BUCKET, parts: [PART_BYTES, 10], ...KEY },
  plain: { bucket: PLAIN, parts: [1000] },
  'plain in parts': { bucket: PLAIN, parts: [PART_BYTES, 10] },
};

/** What is asked, and whether it holds. */
type Asked = Readonly<Record<string, string | Date | undefined>>;
type Seen = { readonly etag: string; readonly modified: Date };
const HOUR_MS = 3_600_000;

const MATCH: readonly ((seen: Seen) => readonly [Asked, boolean])[] = [
  () => [{}, true],
  ({ etag }) => [{ CopySourceIfMatch: etag }, true],
  ({ etag }) => [{ CopySourceIfMatch: etag.replaceAll('"', '') }, true],
  () => [{ CopySourceIfMatch: `"${'0'.repeat(32)}-0"` }, false],
];
const UNMODIFIED: typeof MATCH = [
  () => [{}, true],
  ({ modified }) => [{ CopySourceIfUnmodifiedSince: modified }, true],
  ({ modified }) => [{ CopySourceIfUnmodifiedSince: new Date(modified.getTime() - HOUR_MS) }, false],
];
const NONE_MATCH: typeof MATCH = [
  () => [{}, true],
  ({ etag }) => [{ CopySourceIfNoneMatch: etag }, false],
  ({ etag }) => [{ CopySourceIfNoneMatch: `"x${etag.slice(2)}` }, true],
];
const MODIFIED: typeof MATCH = [
  () => [{}, true],
  ({ modified }) => [{ CopySourceIfModifiedSince: modified }, false],
  ({ modified }) => [{ CopySourceIfModifiedSince: new Date(modified.getTime() - HOUR_MS) }, true],
];

/**
 * None, each alone and each pair. Where both of a pair are about the same the one on the ETag decides. S3's reference: `if-match` true and
 * `if-unmodified-since` false copies; `if-none-match` false and `if-modified-since` true does not.
 */
const casesOf = (of: Seen): readonly (readonly [Asked, 'copied' | 'PreconditionFailed'])[] =>
  MATCH.flatMap((match) =>
    UNMODIFIED.flatMap((unmodified) =>
      NONE_MATCH.flatMap((none) =>
        MODIFIED.map((since) => {
          const [[byEtag, etagHolds], [byDate, dateHolds]] = [match(of), unmodified(of)];
          const [[byOther, otherHolds], [bySince, sinceHolds]] = [none(of), since(of)];
          const first = Object.keys(byEtag).length > 0 ? etagHolds : dateHolds;
          const second = Object.keys(byOther).length > 0 ? otherHolds : sinceHolds;
          const asked = { ...byEtag, ...byDate, ...byOther, ...bySince };
          return [asked, first && second ? 'copied' : 'PreconditionFailed'] as const;
        }),
      ),
    ),
  ).filter(([asked]) => Object.keys(asked).length <= 2);

describe.each(['s3rver', 'radosgw'] as const)('In front of %s', (name) => {
  let setup: SealedSetup;
  let client: S3Client;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend, undefined, undefined, {
      rules: [{ bucket: PLAIN, prefix: '', rule: { type: 'pass', name: 'plain' } }],
      options: { customerKeysWithoutTls: true },
    });
    [client] = setup.clients;
    await createBuckets(client, name, PLAIN);
    for (const [from, source] of Object.entries(SOURCES)) await make(from, source);
    return [setup];
  });

  async function make(Key: string, { bucket, parts, write = {} }: Source): Promise<void> {
    const place = { Bucket: bucket, Key };
    const [first = 0] = parts;
    if (parts.length === 1) {
      await client.send(new PutObjectCommand({ ...place, Body: randomBytes(first), ...write }));
      return;
    }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...place, ...write }));
    const Parts = [];
    for (const [index, length] of parts.entries()) {
      const part = { ...place, UploadId, PartNumber: index + 1, Body: randomBytes(length), ...write };
      const { ETag } = await client.send(new UploadPartCommand(part));
      Parts.push({ PartNumber: index + 1, ETag });
    }
    await client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts }, ...write }));
  }

  const outcome = (run: Promise<unknown>): Promise<string> =>
    run.then(
      () => 'copied',
      (error: { name: string }) => error.name,
    );

  async function seen(from: string): Promise<Seen> {
    const { bucket, write = {} } = SOURCES[from] ?? { bucket: '' };
    const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: from, ...write }));
    return { etag: head.ETag ?? '', modified: head.LastModified ?? new Date(0) };
  }

  describe.each(Object.keys(SOURCES))('a source that is %s', (from) => {
    const { bucket, source = {} } = SOURCES[from] ?? { bucket: '' };
    const CopySource = `${bucket}/${encodeURIComponent(from)}`;

    test('is copied where the conditions hold, and left alone where they do not', async () => {
      for (const [index, [asked, expected]] of casesOf(await seen(from)).entries()) {
        const Key = `copy of ${from} ${index}`;
        const copy = new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource, ...source, ...asked });
        expect([asked, await outcome(client.send(copy))]).toEqual([asked, expected]);
        const there = await outcome(client.send(new HeadObjectCommand({ Bucket: BUCKET, Key })));
        expect([asked, there]).toEqual([asked, expected === 'copied' ? 'copied' : 'NotFound']);
      }
    });

    test('is a part on the same conditions, whole and by a range', async () => {
      const place = { Bucket: BUCKET, Key: `parts of ${from}` };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
      for (const [index, [asked, expected]] of casesOf(await seen(from)).entries()) {
        const CopySourceRange = index % 2 === 0 ? 'bytes=10-90' : undefined;
        const part = { ...place, UploadId, PartNumber: 1, CopySource, CopySourceRange, ...source, ...asked };
        expect([asked, await outcome(client.send(new UploadPartCopyCommand(part)))]).toEqual([asked, expected]);
      }
    });
  });

  const sealed = Object.keys(SOURCES).filter((from) => SOURCES[from]?.bucket === BUCKET);

  test.each(sealed)('a source that is %s is read by no condition with the key of another', async (from) => {
    const { etag } = await seen(from);
    const { source: wrong } = customer();
    const place = { Bucket: BUCKET, Key: 'never' };
    const CopySource = `${BUCKET}/${encodeURIComponent(from)}`;
    const copy = new CopyObjectCommand({ ...place, CopySource, CopySourceIfMatch: etag, ...wrong });
    expect(await outcome(client.send(copy))).not.toBe('copied');
    expect(await outcome(client.send(new HeadObjectCommand(place)))).toBe('NotFound');
  });
});
