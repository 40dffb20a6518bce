/**
 * Two gateways that share a key store and nothing else, one upload: what the one does not know of parts that the other took is right or is not
 * said, and never made up.
 */
import { randomBytes } from 'node:crypto';
import {
  ChecksumType,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { createDigest } from '../../../src/s3/bodies/checksums.ts';
import { BUCKET } from '../../support/s3/sealed.ts';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';

const MIB = 1024 * 1024;

const ceph = sealedOnRadosgw();

async function digestOf(...pieces: readonly Uint8Array[]): Promise<Buffer> {
  const digest = await createDigest('crc32c');
  for (const piece of pieces) digest.update(piece);
  return Buffer.from(digest.digest());
}
const base64 = async (digest: Promise<Buffer>): Promise<string> => (await digest).toString('base64');

/** Parts 1 and 4 were taken by the first gateway, 2 by the second; the last is a short one. */
const TAKEN_BY = [
  [1, 0, 5 * MIB + 1],
  [2, 1, 5 * MIB],
  [4, 0, 11],
] as const;

type Started = {
  readonly upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string | undefined };
  readonly bodies: readonly Buffer[];
  readonly crcs: readonly string[];
  readonly parts: readonly CompletedPart[];
};

async function start(Key: string, type: ChecksumType): Promise<Started> {
  const place = { Bucket: BUCKET, Key };
  const create = new CreateMultipartUploadCommand({ ...place, ChecksumAlgorithm: 'CRC32C', ChecksumType: type });
  const { UploadId } = await ceph.setup.clients[0].send(create);
  const upload = { ...place, UploadId };
  const parts: CompletedPart[] = [];
  const bodies: Buffer[] = [];
  for (const [PartNumber, by, length] of TAKEN_BY) {
    const Body = randomBytes(length);
    const part = { ...upload, PartNumber, Body, ChecksumAlgorithm: 'CRC32C' } as const;
    const { ETag } = await ceph.setup.clients[by].send(new UploadPartCommand(part));
    parts.push({ PartNumber, ETag });
    bodies.push(Body);
  }
  const crcs = await Promise.all(bodies.map((body) => base64(digestOf(body))));
  return { upload, bodies, crcs, parts };
}

const complete = ({ upload }: Started, by: 0 | 1, Parts: readonly CompletedPart[]) =>
  ceph.setup.clients[by].send(
    new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [...Parts] } }),
  );
const repeated = ({ parts, crcs }: Started): CompletedPart[] =>
  parts.map((part, index) => ({ ...part, ChecksumCRC32C: crcs[index] }));

/** Whether its bytes are these, and the checksum that the gateway shows of it. */
async function served(
  Key: string,
  by: 0 | 1,
  bodies: readonly Buffer[],
): Promise<readonly [boolean, string | undefined]> {
  const got = await ceph.setup.clients[by].send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  const head = await ceph.setup.clients[by].send(
    new HeadObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: 'ENABLED' }),
  );
  const body = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
  return [body.equals(Buffer.concat(bodies)), head.ChecksumCRC32C];
}

test('parts are listed by each with their sizes and ETags, and with checksums by who took them', async () => {
  const started = await start('listed', 'COMPOSITE');
  for (const by of [0, 1] as const) {
    const { Parts = [] } = await ceph.setup.clients[by].send(new ListPartsCommand(started.upload));
    expect(Parts.map((part) => [part.PartNumber, part.Size, part.ETag, part.ChecksumCRC32C])).toEqual(
      TAKEN_BY.map(([number, taker, length], index) => [
        number,
        length,
        started.parts[index]?.ETag,
        taker === by ? started.crcs[index] : undefined,
      ]),
    );
  }
});

test.each([0, 1] as const)(
  'a composite that gateway %i completes is the one of all parts, as their client repeats them',
  async (by) => {
    const started = await start(`composite-${by}`, 'COMPOSITE');
    const { Key } = started.upload;
    // Nobody knows them all: without the client's word there would be none, and S3 refuses that too.
    await expect(complete(started, by, started.parts)).rejects.toMatchObject({ name: 'InvalidRequest' });
    const digests = await Promise.all(started.bodies.map((body) => digestOf(body)));
    const expected = `${await base64(digestOf(...digests))}-${digests.length}`;
    const completed = await complete(started, by, repeated(started));
    expect(completed.ChecksumCRC32C).toBe(expected);
    for (const other of [0, 1] as const) {
      expect(await served(Key, other, started.bodies)).toEqual([true, expected]);
      const attributes = new GetObjectAttributesCommand({ Bucket: BUCKET, Key, ObjectAttributes: ['ObjectParts'] });
      const { ObjectParts } = await ceph.setup.clients[other].send(attributes);
      expect(ObjectParts?.Parts?.map((part) => part.ChecksumCRC32C)).toEqual(started.crcs);
    }
  },
);

test('the checksum of a whole object is the right one, or none where nobody says its parts’', async () => {
  const said = await start('whole-said', 'FULL_OBJECT');
  const expected = await base64(digestOf(...said.bodies));
  expect((await complete(said, 1, repeated(said))).ChecksumCRC32C).toBe(expected);
  const silent = await start('whole-silent', 'FULL_OBJECT');
  expect((await complete(silent, 1, silent.parts)).ChecksumCRC32C).toBe(undefined);
  for (const by of [0, 1] as const) {
    expect(await served('whole-said', by, said.bodies)).toEqual([true, expected]);
    expect(await served('whole-silent', by, silent.bodies)).toEqual([true, undefined]);
  }
});

test('a checksum that is not the part’s is found out by who took the part', async () => {
  const started = await start('misstated', 'COMPOSITE');
  const wrong = await base64(digestOf(Buffer.from('another')));
  const misstated = (number: number): CompletedPart[] =>
    repeated(started).map((part) => (part.PartNumber === number ? { ...part, ChecksumCRC32C: wrong } : part));
  await expect(complete(started, 0, misstated(1))).rejects.toMatchObject({ name: 'InvalidPart' });
  await expect(complete(started, 1, misstated(2))).rejects.toMatchObject({ name: 'InvalidPart' });
  // A held part is read by whoever completes.
  await expect(complete(started, 1, misstated(4))).rejects.toMatchObject({ name: 'InvalidPart' });
  await complete(started, 1, repeated(started));
});
