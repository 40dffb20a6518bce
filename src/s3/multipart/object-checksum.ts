/**
 * The checksum of a whole multipart object, from the checksums of its parts that the client repeats on completion: combined where the
 * type is FULL_OBJECT (CRCs), hashed over where it is COMPOSITE. A value the client gives for the whole is held against it.
 */
import type { ChecksumChoice } from '../../envelope/object/object-envelope.ts';
import type { ObjectChecksum } from '../../envelope/object/footer.ts';
import { createDigest, sameDigest } from '../bodies/checksums.ts';
import { S3Error } from '../errors.ts';
import type { S3Headers } from '../operation.ts';
import type { NamedPart, PartChecksumAlgorithm } from './complete-document.ts';
import { combineCrcs, type CombinableCrc } from './crc-combine.ts';

type MeasuredPart = { readonly named: NamedPart; readonly plainLength: number };

/** Undefined where no checksum was asked for or parts came without. Throws ERR_S3_BAD_DIGEST, ERR_S3_INVALID_REQUEST. */
export async function objectChecksum(
  headers: S3Headers,
  choice: ChecksumChoice | undefined,
  parts: readonly MeasuredPart[],
): Promise<ObjectChecksum | undefined> {
  const claimed = claimedChecksum(headers, choice);
  const algorithm = claimed?.algorithm ?? choice?.algorithm;
  if (algorithm === undefined || algorithm === 'md5') return undefined;
  const type = typeOf(headers, choice);
  const value = await computed(algorithm, type, parts);
  if (claimed === undefined) return value && { algorithm, type, value };
  if (value === undefined) {
    throw new S3Error(
      'ERR_S3_INVALID_REQUEST',
      "The object's checksum can only be verified with a checksum of each part.",
    );
  }
  if (!sameDigest(value, claimed.value)) throw new S3Error('ERR_S3_BAD_DIGEST');
  return { algorithm, type, value };
}

const ALGORITHMS: readonly PartChecksumAlgorithm[] = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'];

function claimedChecksum(
  headers: S3Headers,
  choice: ChecksumChoice | undefined,
): { readonly algorithm: PartChecksumAlgorithm; readonly value: Uint8Array } | undefined {
  const algorithm = ALGORITHMS.find((name) => headers[`x-amz-checksum-${name}`] !== undefined);
  if (algorithm === undefined) return undefined;
  if (choice !== undefined && choice.algorithm !== algorithm) {
    throw new S3Error('ERR_S3_INVALID_REQUEST', 'The checksum is not of the algorithm the upload was created with.');
  }
  // A composite value may carry the number of parts.
  const text = (headers[`x-amz-checksum-${algorithm}`] ?? '').replace(/-[0-9]+$/u, '');
  return { algorithm, value: Buffer.from(text, 'base64') };
}

function typeOf(headers: S3Headers, choice: ChecksumChoice | undefined): 'FULL_OBJECT' | 'COMPOSITE' {
  const type = headers['x-amz-checksum-type']?.toUpperCase();
  if (choice !== undefined) return choice.type;
  return type === 'COMPOSITE' ? 'COMPOSITE' : 'FULL_OBJECT';
}

async function computed(
  algorithm: PartChecksumAlgorithm,
  type: 'FULL_OBJECT' | 'COMPOSITE',
  parts: readonly MeasuredPart[],
): Promise<Uint8Array | undefined> {
  const digests = parts.flatMap(({ named, plainLength }) => {
    const crc = named.checksums[algorithm];
    return crc === undefined ? [] : [{ crc, length: plainLength }];
  });
  if (digests.length !== parts.length) return undefined;
  if (type === 'FULL_OBJECT') return isCombinable(algorithm) ? combineCrcs(algorithm, digests) : undefined;
  const composite = await createDigest(algorithm);
  for (const { crc } of digests) composite.update(crc);
  return composite.digest();
}

const isCombinable = (algorithm: PartChecksumAlgorithm): algorithm is CombinableCrc => algorithm.startsWith('crc');
