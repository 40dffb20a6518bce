/**
 * `aws-chunked` towards the upstream: chunks of fixed length cut from the stream without copying, so that the framed length is known
 * before the first byte. Signed chunks, or unsigned ones with a trailing checksum.
 */
import { createHash } from 'node:crypto';
import type { ByteSource } from '../bodies/byte-source.ts';
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
export const signedChunks = (body: ByteSource, signatures: ChunkSignatures): ByteSource => ({
  pour: async (take) => {
    let pending = Buffer.alloc(0);
    await body.pour((pieces) => {
      pending = Buffer.concat([pending, ...pieces]);
      const chunks: Uint8Array[] = [];
      for (; pending.length >= CHUNK_BYTES; pending = pending.subarray(CHUNK_BYTES))
        chunks.push(signedChunk(pending.subarray(0, CHUNK_BYTES), signatures));
      return chunks.length === 0 ? undefined : take(chunks);
    });
    const last = pending.length > 0 ? [signedChunk(pending, signatures)] : [];
    await take([...last, signedChunk(new Uint8Array(0), signatures)]);
  },
});

function signedChunk(data: Uint8Array, signatures: ChunkSignatures): Uint8Array {
  const signature = signatures.sign(createHash('sha256').update(data).digest('hex'));
  const header = `${data.length.toString(16)};chunk-signature=${signature}\r\n`;
  return Buffer.concat([Buffer.from(header), data, Buffer.from('\r\n')]);
}

/** `length` is exact: chunk sizes follow from it, so pieces go out as they come. */
export const trailedChunks = (body: ByteSource, length: number, trailer: Trailer): ByteSource => ({
  pour: async (take) => {
    const cutter = new ChunkCutter(length);
    await body.pour((pieces) => take(pieces.flatMap((piece) => cutter.cut(piece))));
    await take([Buffer.from(`0\r\n${trailer.name}:${await trailer.value()}\r\n\r\n`)]);
  },
});

/** Puts the frames of unsigned chunks between the bytes of a body of known length. */
class ChunkCutter {
  #left: number;
  #inChunk = 0;

  constructor(length: number) {
    this.#left = length;
  }

  cut(input: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (let at = 0; at < input.length;) {
      if (this.#inChunk === 0) {
        this.#inChunk = Math.min(CHUNK_BYTES, this.#left);
        out.push(Buffer.from(`${this.#inChunk.toString(16)}\r\n`));
      }
      const piece = input.subarray(at, at + this.#inChunk);
      out.push(piece);
      at += piece.length;
      this.#left -= piece.length;
      this.#inChunk -= piece.length;
      if (this.#inChunk === 0) out.push(Buffer.from('\r\n'));
    }
    return out;
  }
}
