/**
 * The one way a request body is read: unframed, counted, hashed, and verified before its end is told. Whoever stores it withholds
 * what completes the object until then, so a body that does not verify is not stored.
 */
import { S3Error } from '../errors.ts';
import type { S3Body } from '../operation.ts';
import { parseChecksum, type BodyPlan, type ExpectedDigest } from './body-plan.ts';
import { gather, type ByteSource, type Take } from './byte-source.ts';
import { createDigest, sameDigest, type ChecksumAlgorithm, type Digest } from './checksums.ts';
import { ChunkDecoder } from './chunk-decoder.ts';
import { freeBytes } from './spent-bytes.ts';
import { tooLong } from './too-long.ts';
import type { Trailer } from './trailer.ts';
import type { VerifiedBody } from './verified-body.ts';

/** Unframes synchronously: many small chunks may lie in one read. */
interface Unframer {
  push(input: Uint8Array): readonly Uint8Array[];
  finish(): Trailer;
}

type Read = { readonly input: Uint8Array; readonly pieces: readonly Uint8Array[] };

const PLAIN: Unframer = { push: (input) => [input], finish: () => new Map() };

export class VerifyingBody implements S3Body {
  readonly length: number;
  readonly trailing: ChecksumAlgorithm | undefined;
  readonly announced: ChecksumAlgorithm | undefined;
  readonly verified: Promise<VerifiedBody>;
  readonly #source: ByteSource;
  readonly #plan: BodyPlan;
  readonly #settle: (verified: VerifiedBody) => void;
  #started = false;
  #own: ChecksumAlgorithm | undefined;

  constructor(source: ByteSource, plan: BodyPlan) {
    const { promise, resolve } = Promise.withResolvers<VerifiedBody>();
    this.length = plan.length;
    this.trailing = plan.trailing;
    this.announced = plan.trailing ?? plan.expected.find(({ source }) => source === 'checksum')?.algorithm;
    this.verified = promise;
    this.#settle = resolve;
    this.#source = source;
    this.#plan = plan;
  }

  pour(take: Take): Promise<void> {
    return this.#read((reads) => take(reads.map(owned)));
  }

  lend(take: Take): Promise<void> {
    return this.#read((reads) => {
      const [only] = reads;
      const taking = take(reads.length === 1 && only ? only.pieces : reads.flatMap(({ pieces }) => pieces));
      for (const { input } of reads) freeBytes(input);
      return taking;
    });
  }

  /** Each read of the socket, and the pieces of the body in it. */
  async #read(each: (reads: readonly Read[]) => ReturnType<Take>): Promise<void> {
    if (this.#started) throw new TypeError('a request body is read once');
    this.#started = true;
    const digests = await createDigests(this.#plan, this.#own);
    const unframer = unframerFor(this.#plan);
    let length = 0;
    const unframed = (input: Uint8Array): Read => {
      const pieces = unframer.push(input);
      for (const piece of pieces) {
        length += piece.length;
        if (length > this.length) throw tooLong();
        for (const digest of digests.values()) digest.update(piece);
      }
      return { input, pieces };
    };
    await this.#source.pour((inputs) => {
      const reads = inputs.map(unframed).filter(({ pieces }) => pieces.length > 0);
      return reads.length === 0 ? undefined : each(reads);
    });
    const trailer = unframer.finish();
    if (length !== this.length) throw new S3Error('ERR_S3_INCOMPLETE_BODY');
    this.#settle(verify(this.#plan, digests, trailer, this.#own));
  }

  computeToo(algorithm: ChecksumAlgorithm): void {
    if (this.#started) throw new TypeError('what is to be computed is said before the body is read');
    this.#own = algorithm;
  }

  async bytes(maxBytes: number): Promise<Uint8Array> {
    if (this.length > maxBytes) throw new S3Error('ERR_S3_ENTITY_TOO_LARGE');
    return gather(this);
  }
}

/** What was cut out of a frame is joined, so that it shares its memory with nothing. */
function owned({ input, pieces }: Read): Uint8Array {
  const [piece] = pieces;
  if (pieces.length === 1 && piece === input) return piece;
  const whole = Buffer.concat(pieces);
  freeBytes(input);
  return whole;
}

function unframerFor(plan: BodyPlan): Unframer {
  const { framing, length } = plan;
  return framing.type === 'plain' ? PLAIN : new ChunkDecoder(length, framing.signatures, framing.signedTrailer);
}

async function createDigests(
  plan: BodyPlan,
  own: ChecksumAlgorithm | undefined,
): Promise<ReadonlyMap<ChecksumAlgorithm, Digest>> {
  const digests = new Map<ChecksumAlgorithm, Digest>();
  const wanted = new Set(plan.expected.map((expected) => expected.algorithm));
  if (plan.trailing !== undefined) wanted.add(plan.trailing);
  if (own !== undefined) wanted.add(own);
  for (const algorithm of wanted) digests.set(algorithm, await createDigest(algorithm));
  return digests;
}

function verify(
  plan: BodyPlan,
  running: ReadonlyMap<ChecksumAlgorithm, Digest>,
  trailer: Trailer,
  own: ChecksumAlgorithm | undefined,
): VerifiedBody {
  const expected = [...plan.expected, ...trailingDigests(plan, trailer)];
  const digests: Partial<Record<ChecksumAlgorithm, Uint8Array>> = {};
  for (const [algorithm, digest] of running) digests[algorithm] = Uint8Array.from(digest.digest());
  for (const claim of expected) {
    const calculated = digests[claim.algorithm] ?? new Uint8Array(0);
    if (!sameDigest(calculated, claim.value)) throw mismatch(claim, calculated);
  }
  const shown = expected.find((claim) => claim.source === 'checksum')?.algorithm ?? own;
  return { length: plan.length, digests, checksum: shown && shownDigest(shown, digests) };
}

const shownDigest = (
  algorithm: ChecksumAlgorithm,
  digests: VerifiedBody['digests'],
): { algorithm: ChecksumAlgorithm; value: string } => ({
  algorithm,
  value: Buffer.from(digests[algorithm] ?? new Uint8Array(0)).toString('base64'),
});

/** Exactly the announced checksum must have come. */
function trailingDigests(plan: BodyPlan, trailer: Trailer): readonly ExpectedDigest[] {
  const name = `x-amz-checksum-${plan.trailing ?? ''}`;
  const text = trailer.get(name);
  if (trailer.size !== (plan.trailing === undefined ? 0 : 1)) throw new S3Error('ERR_S3_MALFORMED_TRAILER');
  if (plan.trailing === undefined) return [];
  if (text === undefined) throw new S3Error('ERR_S3_MALFORMED_TRAILER');
  return [
    { algorithm: plan.trailing, value: parseChecksum(plan.trailing, text, 'trailing header'), source: 'checksum' },
  ];
}

/** S3 says what it received, as the caller's own bytes have it, in hex and base64 just as here. */
function mismatch(claim: ExpectedDigest, calculated: Uint8Array): S3Error {
  const hex = (digest: Uint8Array): string => Buffer.from(digest).toString('hex');
  switch (claim.source) {
    case 'payload-hash':
      return new S3Error('ERR_S3_CONTENT_SHA256_MISMATCH', undefined, {
        details: { ClientComputedContentSHA256: hex(claim.value), S3ComputedContentSHA256: hex(calculated) },
      });
    case 'content-md5':
      return new S3Error('ERR_S3_BAD_DIGEST', 'The Content-MD5 you specified did not match what we received.', {
        details: { ExpectedDigest: hex(claim.value), CalculatedDigest: Buffer.from(calculated).toString('base64') },
      });
    case 'checksum':
      return new S3Error(
        'ERR_S3_BAD_DIGEST',
        `The ${claim.algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
      );
  }
}
