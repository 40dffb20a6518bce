/**
 * The chain of signatures inside an `aws-chunked` body: each chunk's signature covers the one before, the first one the request's.
 * Source: AWS, "Signature Calculations: Transferring Payload in Multiple Chunks" and "... including trailing headers".
 */
import { timingSafeEqual, type KeyObject } from 'node:crypto';
import { hashText } from './canonical-request.ts';
import { formatScope, signText, type CredentialScope } from './signing-key.ts';

const EMPTY_HASH = hashText('');

export type SignatureSeed = {
  readonly signature: string;
  readonly signingKey: KeyObject;
  readonly scope: CredentialScope;
  readonly timestamp: string;
};

/** One body's chain; each call moves it on by one chunk. */
export class ChunkSignatures {
  readonly #seed: SignatureSeed;
  #previous: string;

  constructor(seed: SignatureSeed) {
    this.#seed = seed;
    this.#previous = seed.signature;
  }

  /** The signature of the next chunk, from the hex SHA-256 of its data. */
  sign(dataHash: string): string {
    return this.#next(`AWS4-HMAC-SHA256-PAYLOAD\n${this.#place()}\n${this.#previous}\n${EMPTY_HASH}\n${dataHash}`);
  }

  /** The signature of the trailer: `name:value\n` for each of its headers but the signature itself, in lower case. */
  signTrailer(trailer: string): string {
    return this.#next(`AWS4-HMAC-SHA256-TRAILER\n${this.#place()}\n${this.#previous}\n${hashText(trailer)}`);
  }

  #place(): string {
    return `${this.#seed.timestamp}\n${formatScope(this.#seed.scope)}`;
  }

  #next(stringToSign: string): string {
    this.#previous = signText(this.#seed.signingKey, stringToSign);
    return this.#previous;
  }
}

/** Constant-time comparison of two hex signatures. */
export function sameSignature(expected: string, given: string): boolean {
  const a = Buffer.from(expected, 'hex');
  const b = Buffer.from(given, 'hex');
  return a.length === b.length && timingSafeEqual(a, b);
}
