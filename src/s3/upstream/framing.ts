/**
 * `aws-chunked` towards the upstream: chunks of fixed length cut from the stream without copying, so that the framed length is known
 * before the first byte. Signed chunks, or unsigned ones with a trailing checksum.
 */
import { createHash } from 'node:crypto';
import type { ChunkSignatures } from '../../sigv4/chunk-signature.ts';

/** Each chunk but the last. */
const CHUNK_BYTES = 64 * 1024;
/** `;chunk-signature=` and 64 digits. */
const SIGNATURE_BYTES = 17 + 64;
/** Two line ends. */
const LINE_ENDS_BYTES = 4;

export type Trailer = { readonly name: string; readonly valueBytes: number; readonly value: () => Promise<string> };

/** Bytes of the framed body of `length` bytes of data. */
export function framedLength(length: number, signed: boolean, trailer?: Trailer): number {
  const overhead = LINE_ENDS_BYTES + (signed ? SIGNATURE_BYTES : 0);
  const framed = (bytes: number): number => bytes.toString(16).length + overhead + bytes;
  const whole = Math.floor(length / CHUNK_BYTES);
  const rest = length % CHUNK_BYTES;
  const trailing = trailer === undefined ? 0 : trailer.name.length + 1 + trailer.valueBytes + 2;
  return whole * framed(CHUNK_BYTES) + (rest === 0 ? 0 : framed(rest)) + framed(0) + trailing;
}

/** Each chunk is held until it is whole, since its signature stands before it. */
export async function* signedChunks(
  body: AsyncIterable<Uint8Array>,
  signatures: ChunkSignatures,
): AsyncGenerator<Uint8Array> {
  let pending = Buffer.alloc(0);
  for await (const input of body) {
    pending = pending.length === 0 ? Buffer.from(input) : Buffer.concat([pending, input]);
    while (pending.length >= CHUNK_BYTES) {
      yield signedChunk(pending.subarray(0, CHUNK_BYTES), signatures);
      pending = pending.subarray(CHUNK_BYTES);
    }
  }
  if (pending.length > 0) yield signedChunk(pending, signatures);
  yield signedChunk(new Uint8Array(0), signatures);
}

function signedChunk(data: Uint8Array, signatures: ChunkSignatures): Uint8Array {
  const signature = signatures.sign(createHash('sha256').update(data).digest('hex'));
  const header = `${data.length.toString(16)};chunk-signature=${signature}\r\n`;
  return Buffer.concat([Buffer.from(header), data, Buffer.from('\r\n')]);
}

/** `length` is exact: chunk sizes follow from it, so pieces go out as they come. */
export async function* trailedChunks(
  body: AsyncIterable<Uint8Array>,
  length: number,
  trailer: Trailer,
): AsyncGenerator<Uint8Array> {
  let left = length;
  let inChunk = 0;
  for await (const input of body) {
    for (let at = 0; at < input.length;) {
      if (inChunk === 0) {
        inChunk = Math.min(CHUNK_BYTES, left);
        yield Buffer.from(`${inChunk.toString(16)}\r\n`);
      }
      const piece = input.subarray(at, at + inChunk);
      yield piece;
      at += piece.length;
      left -= piece.length;
      inChunk -= piece.length;
      if (inChunk === 0) yield Buffer.from('\r\n');
    }
  }
  yield Buffer.from(`0\r\n${trailer.name}:${await trailer.value()}\r\n\r\n`);
}
