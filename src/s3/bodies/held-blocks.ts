/**
 * A body that is held whole until its digests are known, and then sent. In blocks: a client that sends a byte at a time would else make as
 * many arrays, and one copy or digest of the whole would keep everybody waiting. Each block is freed when it is sent.
 */
import { createDigest } from './checksums.ts';
import { sourceOf, type ByteSource } from './byte-source.ts';
import { freeBytes } from './spent-bytes.ts';
import { S3Error } from '../errors.ts';

const BLOCK_BYTES = 64 * 1024;

export type HeldBody = {
  /** To be poured once. */
  readonly body: ByteSource;
  /** In base64, as Content-MD5 has it. */
  readonly md5: string;
  /** In hex, as signatures have it. */
  readonly sha256: string;
};

/** Throws ERR_S3_UPSTREAM_PROTOCOL where the source has not this length: then nothing may be sent. */
export async function holdWhole(source: ByteSource, length: number): Promise<HeldBody> {
  const md5 = await createDigest('md5');
  const sha256 = await createDigest('sha256');
  const blocks: Uint8Array[] = [];
  let block = new Uint8Array(0);
  let used = 0;
  let left = length;
  const keep = (piece: Uint8Array): void => {
    for (let at = 0; at < piece.length;) {
      if (used === block.length) {
        block = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, left));
        blocks.push(block);
        used = 0;
      }
      const kept = piece.subarray(at, at + block.length - used);
      block.set(kept, used);
      used += kept.length;
      at += kept.length;
      left -= kept.length;
    }
  };
  await source.pour((pieces) => {
    for (const piece of pieces) {
      if (piece.length > left) throw otherLength();
      md5.update(piece);
      sha256.update(piece);
      keep(piece);
      freeBytes(piece);
    }
    return undefined;
  });
  if (left !== 0) throw otherLength();
  return {
    body: sourceOf(blocks),
    md5: Buffer.from(md5.digest()).toString('base64'),
    sha256: Buffer.from(sha256.digest()).toString('hex'),
  };
}

const otherLength = (): S3Error =>
  new S3Error('ERR_S3_UPSTREAM_PROTOCOL', 'What was to be held has not the length that was said of it.');
