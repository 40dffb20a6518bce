/**
 * Decodes an `aws-chunked` body: `size[;chunk-signature=hex]CRLF data CRLF`, a last chunk of size 0, then trailer lines. Signed
 * chunks are verified as their end is reached, the trailer at the end of the body. Any split of the input decodes the same.
 *
 * Threats: forged or cut chunks, headers or trailers without end, framing that ends up inside objects.
 * Source: AWS, "Signature Calculations: Transferring Payload in Multiple Chunks" (and "including trailing headers").
 */
import { createHash, type Hash } from 'node:crypto';
import { sameSignature, type ChunkSignatures } from '../../sigv4/chunk-signature.ts';
import { S3Error } from '../errors.ts';
import { MAX_CHUNK_HEADER_BYTES, MAX_TRAILER_BYTES } from '../limits.ts';
import { tooLong } from './too-long.ts';
import { parseTrailer, type Trailer } from './trailer.ts';

const LF = 10;
const CR = 13;

/** 13 hex digits stay a safe integer; the decoded length bounds the sum anyway. */
const CHUNK_HEADER = /^([0-9a-f]{1,13})(?:;chunk-signature=([0-9a-f]{64}))?$/iu;

type State = 'header' | 'data' | 'end-of-data' | 'trailer';

export class ChunkDecoder {
  readonly #signatures: ChunkSignatures | undefined;
  readonly #signedTrailer: boolean;
  /** Bytes of data that may still be announced. */
  #left: number;
  #state: State = 'header';
  /** Bytes of the current header line, line end or trailer. */
  #line: number[] = [];
  #remaining = 0;
  #claimed = '';
  #hash: Hash | undefined;

  /** For `length` bytes of data; `signatures` for the signed forms; `signedTrailer` where the trailer is signed as well. */
  constructor(length: number, signatures: ChunkSignatures | undefined, signedTrailer: boolean) {
    this.#left = length;
    this.#signatures = signatures;
    this.#signedTrailer = signedTrailer;
  }

  /**
   * Data bytes of the next input, as views of it. Throws ERR_S3_MALFORMED_CHUNK, ERR_S3_SIGNATURE_DOES_NOT_MATCH, and
   * ERR_S3_INCOMPLETE_BODY for a chunk beyond the length: by its header, so that what follows it has no say in the error.
   */
  push(input: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = [];
    let at = 0;
    while (at < input.length) at = this.#step(input, at, out);
    return out;
  }

  /** The trailer, once the body has ended. Throws ERR_S3_INCOMPLETE_BODY, ERR_S3_MALFORMED_TRAILER, ERR_S3_SIGNATURE_DOES_NOT_MATCH. */
  finish(): Trailer {
    if (this.#state !== 'trailer') throw new S3Error('ERR_S3_INCOMPLETE_BODY');
    return parseTrailer(Buffer.from(this.#line).toString('latin1'), this.#signedTrailer ? this.#signatures : undefined);
  }

  #step(input: Uint8Array, at: number, out: Uint8Array[]): number {
    switch (this.#state) {
      case 'data':
        return this.#takeData(input, at, out);
      case 'header':
        return this.#takeLine(input, at, MAX_CHUNK_HEADER_BYTES, () => this.#startChunk());
      case 'end-of-data':
        return this.#takeLine(input, at, 2, () => this.#endChunk());
      case 'trailer':
        return this.#takeTrailer(input, at);
    }
  }

  #takeData(input: Uint8Array, at: number, out: Uint8Array[]): number {
    const data = input.subarray(at, at + this.#remaining);
    this.#hash?.update(data);
    this.#remaining -= data.length;
    out.push(data);
    if (this.#remaining === 0) this.#enter('end-of-data');
    return at + data.length;
  }

  /** Takes bytes up to a line feed, at most `limit` of them. */
  #takeLine(input: Uint8Array, at: number, limit: number, done: () => void): number {
    const feed = input.indexOf(LF, at);
    const end = feed < 0 ? input.length : feed + 1;
    if (this.#line.length + (end - at) > limit) throw malformed();
    this.#line.push(...input.subarray(at, end));
    if (feed >= 0) done();
    return end;
  }

  #takeTrailer(input: Uint8Array, at: number): number {
    if (this.#line.length + (input.length - at) > MAX_TRAILER_BYTES) {
      throw new S3Error('ERR_S3_MALFORMED_TRAILER', 'The trailer is too long.');
    }
    this.#line.push(...input.subarray(at));
    return input.length;
  }

  #startChunk(): void {
    const match = CHUNK_HEADER.exec(this.#takenLine());
    const [, size, signature] = match ?? [];
    if (size === undefined || (this.#signatures === undefined) !== (signature === undefined)) throw malformed();
    this.#remaining = Number.parseInt(size, 16);
    if (this.#remaining > this.#left) throw tooLong();
    this.#left -= this.#remaining;
    this.#claimed = signature ?? '';
    this.#hash = this.#signatures === undefined ? undefined : createHash('sha256');
    if (this.#remaining > 0) return this.#enter('data');
    this.#verifyChunk();
    this.#enter('trailer');
  }

  #endChunk(): void {
    if (this.#takenLine() !== '') throw malformed();
    this.#verifyChunk();
    this.#enter('header');
  }

  #verifyChunk(): void {
    if (this.#signatures === undefined || this.#hash === undefined) return;
    const expected = this.#signatures.sign(this.#hash.digest('hex'));
    if (!sameSignature(expected, this.#claimed)) throw new S3Error('ERR_S3_SIGNATURE_DOES_NOT_MATCH');
  }

  /** The finished line without its CR LF. A bare LF is no line end here: what is signed is exact. */
  #takenLine(): string {
    if (this.#line.at(-2) !== CR) throw malformed();
    return Buffer.from(this.#line.slice(0, -2)).toString('latin1');
  }

  #enter(state: State): void {
    this.#state = state;
    this.#line = [];
  }
}

const malformed = (): S3Error => new S3Error('ERR_S3_MALFORMED_CHUNK');
