/**
 * The checksum of a whole multipart object, from those of its parts: combined where the type is FULL_OBJECT (CRCs), hashed over where it is
 * COMPOSITE. A part's was verified when the part came; what the client says of it again on completion must be the same. A value the client
 * gives for the whole is held against it.
 */
import type { ChecksumChoice } from '../../envelope/object/object-envelope.ts';
import type { ObjectChecksum } from '../../envelope/object/footer.ts';
import type { BodyDigests, ChecksumName } from '../../envelope/object/record.ts';
import { decodeBase64 } from '../bodies/body-plan.ts';
import { checksumBytes, createDigest, sameDigest } from '../bodies/checksums.ts';
import { S3Error } from '../errors.ts';
import type { S3Headers } from '../operation.ts';
import { checksumType } from '../sealing/checksum-choice.ts';
import { CHECKSUM_ELEMENTS } from '../sealing/checksum-headers.ts';
import type { NamedPart } from './complete-document.ts';
import { combineCrcs, type CombinableCrc } from './crc-combine.ts';

export type MeasuredPart = {
  readonly named: NamedPart;
  readonly plainLength: number;
  /** What is known of it by itself. */
  readonly digests: BodyDigests;
};

/** What the upload was created with; else the gateway's default, which no client was told of. */
export type UploadChecksum = {
  readonly chosen: ChecksumChoice | undefined;
  readonly byDefault: ChecksumName | undefined;
};

/** Undefined where there is none to be had. Throws ERR_S3_BAD_DIGEST, ERR_S3_INVALID_REQUEST, ERR_S3_INVALID_PART. */
export async function objectChecksum(
  headers: S3Headers,
  upload: UploadChecksum,
  parts: readonly MeasuredPart[],
): Promise<ObjectChecksum | undefined> {
  const { chosen } = upload;
  agreeOnType(headers, chosen);
  for (const part of parts) refuseOtherChecksum(part, chosen);
  const claimed = claimedChecksum(headers, chosen);
  const algorithm = chosen?.algorithm ?? claimed?.algorithm ?? upload.byDefault;
  if (algorithm === undefined) return undefined;
  const type = chosen?.type ?? checksumType(headers) ?? 'FULL_OBJECT';
  const value = await computed(algorithm, type, parts);
  if (claimed !== undefined) verifyClaim(claimed, value);
  return value && { algorithm, type, value };
}

type Claim = { readonly algorithm: ChecksumName; readonly value: Uint8Array };

function verifyClaim({ algorithm, value }: Claim, calculated: Uint8Array | undefined): void {
  if (calculated === undefined) {
    throw invalid("The object's checksum can only be verified with a checksum of each part.");
  }
  if (sameDigest(calculated, value)) return;
  throw new S3Error('ERR_S3_BAD_DIGEST', `The ${algorithm} you specified did not match the calculated checksum.`);
}

function agreeOnType(headers: S3Headers, chosen: ChecksumChoice | undefined): void {
  const type = checksumType(headers);
  if (type === undefined || chosen === undefined || type === chosen.type) return;
  throw invalid(
    `The upload was created using the ${chosen.type} checksum mode. The complete request must use the same checksum mode.`,
  );
}

/** What the client says of a part is sealed as the object's: it must be what the part was verified by. */
function refuseOtherChecksum({ named, digests }: MeasuredPart, chosen: ChecksumChoice | undefined): void {
  const algorithm = NAMES.find((name) => named.checksums[name] !== undefined);
  const value = algorithm === undefined ? undefined : named.checksums[algorithm];
  if (algorithm === undefined || value === undefined) return;
  if (chosen !== undefined && chosen.algorithm !== algorithm) {
    throw new S3Error(
      'ERR_S3_BAD_DIGEST',
      `The ${algorithm} you specified for part ${named.number} did not match what we received.`,
    );
  }
  const known = digests[algorithm];
  if (known !== undefined && !sameDigest(known, value)) throw new S3Error('ERR_S3_INVALID_PART');
}

// Each key of the table is a name.
const NAMES = Object.keys(CHECKSUM_ELEMENTS) as readonly ChecksumName[];

const CLAIM = /^x-amz-checksum-(?!algorithm$|mode$|type$)/u;

function claimedChecksum(headers: S3Headers, chosen: ChecksumChoice | undefined): Claim | undefined {
  const claims = Object.keys(headers).filter((name) => CLAIM.test(name));
  if (claims.length === 0) return undefined;
  if (claims.length > 1) throw invalid('Expecting a single x-amz-checksum- header');
  const algorithm = NAMES.find((name) => claims[0] === `x-amz-checksum-${name}`);
  // What cannot be held against the parts is not passed over.
  if (algorithm === undefined) throw invalid('The algorithm type you specified in x-amz-checksum- header is invalid.');
  if (chosen !== undefined && chosen.algorithm !== algorithm) {
    throw invalid(
      `Checksum Type mismatch occurred, expected checksum Type: ${chosen.algorithm}, actual checksum Type: ${algorithm}`,
    );
  }
  // A composite value may carry the number of parts.
  const text = (headers[`x-amz-checksum-${algorithm}`] ?? '').replace(/-[0-9]+$/u, '');
  const value = decodeBase64(text, checksumBytes(algorithm));
  if (value === undefined) throw invalid(`Value for x-amz-checksum-${algorithm} header is invalid.`);
  return { algorithm, value };
}

async function computed(
  algorithm: ChecksumName,
  type: ObjectChecksum['type'],
  parts: readonly MeasuredPart[],
): Promise<Uint8Array | undefined> {
  const digests: { crc: Uint8Array; length: number }[] = [];
  for (const { named, plainLength, digests: known } of parts) {
    const crc = known[algorithm] ?? named.checksums[algorithm];
    if (crc === undefined) return missing(algorithm, type, named.number);
    digests.push({ crc, length: plainLength });
  }
  if (type === 'FULL_OBJECT') return isCombinable(algorithm) ? combineCrcs(algorithm, digests) : undefined;
  const composite = await createDigest(algorithm);
  for (const { crc } of digests) composite.update(crc);
  return composite.digest();
}

function missing(algorithm: ChecksumName, type: ObjectChecksum['type'], part: number): undefined {
  if (type === 'FULL_OBJECT') return undefined;
  throw invalid(
    `The upload was created using a ${algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${part} in the request.`,
  );
}

const isCombinable = (algorithm: ChecksumName): algorithm is CombinableCrc => algorithm.startsWith('crc');

const invalid = (message: string): S3Error => new S3Error('ERR_S3_INVALID_REQUEST', message);
