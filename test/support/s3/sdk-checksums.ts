/** The checksums that the SDK for JavaScript has no code for, to be given to its clients: so it verifies them on reads as it does the others. */
import { createDigest, type ChecksumAlgorithm } from '../../../src/s3/bodies/checksums.ts';

const later = (algorithm: ChecksumAlgorithm) =>
  class {
    #bytes: Uint8Array[] = [];

    update(bytes: Uint8Array): void {
      this.#bytes.push(Uint8Array.from(bytes));
    }

    async digest(): Promise<Uint8Array> {
      const digest = await createDigest(algorithm);
      for (const bytes of this.#bytes) digest.update(bytes);
      return digest.digest();
    }

    reset(): void {
      this.#bytes = [];
    }
  };

export const SDK_CHECKSUMS = {
  SHA512: later('sha512'),
  XXHASH64: later('xxhash64'),
  XXHASH3: later('xxhash3'),
  XXHASH128: later('xxhash128'),
};
