/**
 * What a copy reads of its source, as the body of what it writes: counted, so that it ends normally only with all its bytes, and with the
 * checksum that the copy is to be stored with.
 */
import { gather, sourceOf, type ByteSource, type Take } from '../bodies/byte-source.ts';
import { createDigest, type ChecksumAlgorithm, type Digest } from '../bodies/checksums.ts';
import { freeBytes } from '../bodies/spent-bytes.ts';
import type { VerifiedBody } from '../bodies/verified-body.ts';
import { S3Error } from '../errors.ts';
import type { S3Body } from '../operation.ts';

export type CopiedContent = {
  readonly body: Uint8Array | ByteSource;
  readonly length: number;
  /** Computed on the way. */
  readonly algorithm?: ChecksumAlgorithm | undefined;
};

export class CopiedBody implements S3Body {
  readonly length: number;
  readonly announced: ChecksumAlgorithm | undefined;
  readonly trailing: ChecksumAlgorithm | undefined;
  readonly verified: Promise<VerifiedBody>;
  readonly #source: ByteSource;
  readonly #settle: (verified: VerifiedBody) => void;
  #algorithm: ChecksumAlgorithm | undefined;

  constructor({ body, length, algorithm }: CopiedContent) {
    const { promise, resolve } = Promise.withResolvers<VerifiedBody>();
    this.length = length;
    this.announced = algorithm;
    this.trailing = algorithm;
    this.verified = promise;
    this.#source = body instanceof Uint8Array ? sourceOf([body]) : body;
    this.#settle = resolve;
    this.#algorithm = algorithm;
  }

  computeToo(algorithm: ChecksumAlgorithm): void {
    this.#algorithm ??= algorithm;
  }

  async pour(take: Take): Promise<void> {
    const digest = this.#algorithm === undefined ? undefined : await createDigest(this.#algorithm);
    let left = this.length;
    await this.#source.pour((pieces) => {
      for (const piece of pieces) {
        left -= piece.length;
        digest?.update(piece);
      }
      if (left < 0) throw otherLength();
      return take(pieces);
    });
    if (left !== 0) throw otherLength();
    this.#settle(this.#verifiedBy(digest));
  }

  lend(take: Take): Promise<void> {
    return this.pour((pieces) => {
      const taking = take(pieces);
      for (const piece of pieces) freeBytes(piece);
      return taking;
    });
  }

  async bytes(maxBytes: number): Promise<Uint8Array> {
    if (this.length > maxBytes) throw new S3Error('ERR_S3_ENTITY_TOO_LARGE');
    return gather(this);
  }

  #verifiedBy(digest: Digest | undefined): VerifiedBody {
    const { length } = this;
    const algorithm = this.#algorithm;
    if (algorithm === undefined || digest === undefined) return { length, digests: {}, checksum: undefined };
    const value = Uint8Array.from(digest.digest());
    const checksum = { algorithm, value: Buffer.from(value).toString('base64') };
    return { length, digests: { [algorithm]: value }, checksum };
  }
}

const otherLength = (): S3Error =>
  new S3Error('ERR_S3_UPSTREAM_PROTOCOL', 'The source of the copy has not the length that was said of it.');

export const noBody = (): S3Body => new CopiedBody({ body: new Uint8Array(0), length: 0 });
