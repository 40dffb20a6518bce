/** What is known of a request body once all of it was read and everything the client said of it was found true. */
import type { ChecksumAlgorithm } from './checksums.ts';

export type VerifiedBody = {
  readonly length: number;
  /** Digests of the plaintext that were computed: those the client sent (or signed the payload by: `sha256`), and the one asked for. */
  readonly digests: Readonly<Partial<Record<ChecksumAlgorithm, Uint8Array>>>;
  /** What clients are shown, algorithm and base64 value: the `x-amz-checksum-*` that came in a header or trailer, else the one asked for. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
};
