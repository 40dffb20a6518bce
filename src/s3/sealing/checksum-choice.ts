/**
 * Which checksum an object is to have: of a PUT the one its body comes with, of an upload the one it is created with. Which algorithm may
 * be of the whole object and which of the parts' checksums: Amazon S3 User Guide, "Checking object integrity"; the texts are S3's.
 */
import type { ChecksumChoice } from '../../envelope/object/object-envelope.ts';
import { CHECKSUMS, type ChecksumName } from '../../envelope/object/record.ts';
import type { ChecksumAlgorithm } from '../bodies/checksums.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Body, S3Headers } from '../operation.ts';

type ChecksumType = ChecksumChoice['type'];

/** CRCs of parts can be combined to the object's; hashes cannot. S3 has no composite CRC64NVME. The first is what S3 takes where none is named. */
const MULTIPART_TYPES: Readonly<Record<ChecksumName, readonly ChecksumType[]>> = {
  crc32: ['COMPOSITE', 'FULL_OBJECT'],
  crc32c: ['COMPOSITE', 'FULL_OBJECT'],
  crc64nvme: ['FULL_OBJECT'],
  md5: ['COMPOSITE'],
  sha1: ['COMPOSITE'],
  sha256: ['COMPOSITE'],
  sha512: ['COMPOSITE'],
  xxhash64: ['COMPOSITE'],
  xxhash3: ['COMPOSITE'],
  xxhash128: ['COMPOSITE'],
};

/** The checksum a PUT will have; where the client brings none, the default is computed as the body flows. */
export function checksumOfPut(body: S3Body, { options }: GatewayContext): ChecksumChoice | undefined {
  const algorithm = body.announced ?? defaultFor(body, options.defaultChecksum);
  return algorithm === undefined ? undefined : { algorithm, type: 'FULL_OBJECT' };
}

function defaultFor(body: S3Body, choice: 'none' | 'crc64nvme'): ChecksumAlgorithm | undefined {
  if (choice === 'none') return undefined;
  body.computeToo(choice);
  return choice;
}

/** What CreateMultipartUpload names; undefined where it names nothing. Throws ERR_S3_INVALID_REQUEST. */
export function checksumOfUpload(headers: S3Headers): ChecksumChoice | undefined {
  const type = checksumType(headers);
  const algorithm = namedChecksum(headers);
  if (algorithm === undefined) {
    if (type === undefined) return undefined;
    throw invalid('The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.');
  }
  const types = MULTIPART_TYPES[algorithm];
  const chosen = type ?? types[0] ?? 'COMPOSITE';
  if (types.includes(chosen)) return { algorithm, type: chosen };
  throw invalid(`The ${chosen} checksum type cannot be used with the ${algorithm} checksum algorithm.`);
}

/** `x-amz-checksum-algorithm`: what an upload or a copy is to have. Throws ERR_S3_INVALID_REQUEST. */
export function namedChecksum(headers: S3Headers): ChecksumName | undefined {
  const named = headers['x-amz-checksum-algorithm'];
  if (named === undefined) return undefined;
  const algorithm = CHECKSUMS.find(({ name }) => name === named.toLowerCase())?.name;
  if (algorithm !== undefined) return algorithm;
  const valid = CHECKSUMS.map(({ name }) => name.toUpperCase()).join(', ');
  throw invalid(`Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${valid}]`);
}

/** Throws ERR_S3_INVALID_REQUEST for what is no type. */
export function checksumType(headers: S3Headers): ChecksumType | undefined {
  const text = headers['x-amz-checksum-type'];
  const type = text?.toUpperCase();
  if (type === undefined || type === 'FULL_OBJECT' || type === 'COMPOSITE') return type;
  throw invalid('Value for x-amz-checksum-type header is invalid.');
}

/**
 * A part comes with the checksum its upload was created with. Where the object's is of the whole, a missing one is computed here, as S3 does;
 * a composite one is made of what the client says, so there it must be said.
 */
export function agreeWithUpload(body: S3Body, choice: ChecksumChoice | undefined, { options }: GatewayContext): void {
  if (choice === undefined) {
    if (options.defaultChecksum !== 'none') body.computeToo(options.defaultChecksum);
    return;
  }
  const { algorithm, type } = choice;
  if (body.announced === algorithm) return;
  if (body.announced !== undefined || type === 'COMPOSITE') {
    throw mismatch(algorithm, body);
  }
  body.computeToo(algorithm);
}

const mismatch = (expected: string, { announced }: S3Body): S3Error =>
  invalid(
    `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${announced ?? 'null'}`,
  );

const invalid = (message: string): S3Error => new S3Error('ERR_S3_INVALID_REQUEST', message);
