/** Checksums as S3's headers and XML elements have them. */
import type { ObjectChecksum } from '../../envelope/object/footer.ts';
import type { ChecksumChoice } from '../../envelope/object/object-envelope.ts';
import type { ChecksumName } from '../../envelope/object/record.ts';
import type { VerifiedBody } from '../bodies/verified-body.ts';
import type { S3Headers } from '../operation.ts';

export const CHECKSUM_ELEMENTS = {
  crc32: 'ChecksumCRC32',
  crc32c: 'ChecksumCRC32C',
  crc64nvme: 'ChecksumCRC64NVME',
  md5: 'ChecksumMD5',
  sha1: 'ChecksumSHA1',
  sha256: 'ChecksumSHA256',
  sha512: 'ChecksumSHA512',
  xxhash64: 'ChecksumXXHASH64',
  xxhash3: 'ChecksumXXHASH3',
  xxhash128: 'ChecksumXXHASH128',
} as const satisfies Readonly<Record<ChecksumName, string>>;

export const toBase64 = (digest: Uint8Array): string => Buffer.from(digest).toString('base64');

/** What S3 says back of the checksum a body was verified by. */
export const bodyChecksumHeader = ({ checksum }: VerifiedBody): S3Headers =>
  checksum === undefined ? {} : { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value };

/** Of an object. A composite one says of how many parts: `parts`, those of the client. */
export function objectChecksumHeaders({ algorithm, type, value }: ObjectChecksum, parts: number): S3Headers {
  const text = toBase64(value);
  return {
    [`x-amz-checksum-${algorithm}`]: type === 'COMPOSITE' ? `${text}-${parts}` : text,
    'x-amz-checksum-type': type,
  };
}

/** Likewise as elements; GetObjectAttributes leaves the number of parts out, completing an upload does not. */
export function objectChecksumContent(
  { algorithm, type, value }: ObjectChecksum,
  parts: number | undefined,
): Readonly<Record<string, string>> {
  const text = toBase64(value);
  return {
    [CHECKSUM_ELEMENTS[algorithm]]: type === 'COMPOSITE' && parts !== undefined ? `${text}-${parts}` : text,
    ChecksumType: type,
  };
}

/** What an upload was created with, in listings of it. */
export const checksumChoiceContent = (choice: ChecksumChoice | undefined): Readonly<Record<string, string>> =>
  choice === undefined ? {} : { ChecksumAlgorithm: choice.algorithm.toUpperCase(), ChecksumType: choice.type };
