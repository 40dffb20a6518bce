/** Objects that are replaced, in one layout by another, while they are read: each answer is of one of them, or an error. */
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterEach, expect, test } from 'vitest';
import { BUCKET, startBackend, startSealed } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
const Key = 'overwritten';
const WRITES = 30;

/** Bytes that say which write they are of and where they stand. */
function bodyOf(write: number, length: number): Buffer {
  const body = Buffer.alloc(length);
  for (let at = 0; at + 8 <= length; at += 8) {
    body.writeUInt32BE(write, at);
    body.writeUInt32BE(at, at + 4);
  }
  return body;
}

/** Small, long, in parts with a held end, in parts with a footer; as long as others, and not. */
const LENGTHS = [4096, 300_000, 70_000, 5 * MIB + 4096, 10 * MIB, 300_000];

async function write(s3: S3Client, count: number): Promise<void> {
  const length = LENGTHS[count % LENGTHS.length] ?? 8;
  const body = bodyOf(count, length);
  if (length <= 5 * MIB) {
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: body }));
    return;
  }
  const object = { Bucket: BUCKET, Key };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
  const Parts = [];
  for (const [index, Body] of [body.subarray(0, 5 * MIB), body.subarray(5 * MIB)].entries()) {
    const { ETag } = await s3.send(new UploadPartCommand({ ...object, UploadId, PartNumber: index + 1, Body }));
    Parts.push({ PartNumber: index + 1, ETag });
  }
  await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
}

/** `right`, what is wrong with the bytes, or the error's name: s3rver shows what is half written, and that does not open. */
async function readOne(s3: S3Client, Range: string | undefined): Promise<string> {
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key, Range }));
    const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    const from = Number(/^bytes (\d+)-/u.exec(answer.ContentRange ?? '')?.[1] ?? 0);
    const of = bytes.readUInt32BE(0);
    const length = LENGTHS[of % LENGTHS.length] ?? 0;
    const expected = bodyOf(of, length).subarray(from, from + bytes.length);
    const isWhole = Range !== undefined || bytes.length === length;
    return isWhole && expected.equals(bytes) ? 'right' : `wrong bytes of write ${of}, ${bytes.length} from ${from}`;
  } catch (error) {
    return (error as Error).name; // What the SDK throws is an Error.
  }
}

let close: () => Promise<void> = () => Promise.resolve();
afterEach(() => close());

/** Thirty writes with twelve readers beside them take minutes on a busy machine, where nothing is wrong. */
const PATIENCE_MS = 600_000;

test.for(['s3rver', 'radosgw'] as const)('in front of %s', { timeout: PATIENCE_MS }, async (name, { skip }) => {
  const backend = await startBackend(name);
  if (typeof backend === 'string') return skip(backend);
  const setup = await startSealed(backend);
  close = async () => {
    await setup.close();
    await backend.close();
  };
  const [s3, other] = setup.clients;
  if (name === 'radosgw') await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await write(s3, 0);
  let writing = true;
  const seen = new Map<string, number>();
  const sizes = new Set<number>();
  const reader = async (client: S3Client, Range: string | undefined): Promise<void> => {
    while (writing) {
      const outcome = await readOne(client, Range);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      // s3rver shows sizes of what is half written.
      if (name === 's3rver') continue;
      const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key })).catch(() => undefined);
      if (head?.ContentLength !== undefined) sizes.add(head.ContentLength);
    }
  };
  const readers = [undefined, 'bytes=0-7', 'bytes=2048-4095', 'bytes=65536-', 'bytes=-4096', 'bytes=5242880-'].flatMap(
    (range) => [reader(s3, range), reader(other, range)],
  );
  for (let count = 1; count <= WRITES; count += 1) {
    await write(count % 2 === 0 ? s3 : other, count);
    if (count % 10 === 0) await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
  }
  writing = false;
  await Promise.all(readers);
  const wrong = [...seen.keys()].filter((outcome) => outcome.startsWith('wrong'));
  expect([wrong, [...sizes].filter((size) => !LENGTHS.includes(size))]).toEqual([[], []]);
  expect(seen.get('right')).toBeGreaterThan(0);
});
