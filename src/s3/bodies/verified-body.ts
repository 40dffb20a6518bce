/** What is known of a request body once all of it was read and everything the client said of it was found true. */
import type { ChecksumAlgorithm } from './checksums.ts';

export type VerifiedBody = {
  readonly length: number;
  /** Digests of the plaintext that were computed because the client sent them (or signed the payload: `sha256`). */
  readonly digests: Readonly<Partial<Record<ChecksumAlgorithm, Uint8Array>>>;
  /** The `x-amz-checksum-*` the client sent, in a header or trailer, to be echoed: algorithm and base64 value. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
};
