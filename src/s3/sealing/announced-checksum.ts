/** Checksums of a body as clients announce them, and as they are told that it was verified. */
import type { ChecksumChoice } from '../../envelope/object/object-envelope.ts';
import { CHECKSUMS } from '../../envelope/object/record.ts';
import type { VerifiedBody } from '../bodies/verified-body.ts';
import type { S3Headers } from '../operation.ts';

/** The checksum a PUT will bring, in a header or a trailer, where the envelope has a place for it. */
export function announcedChecksum(headers: S3Headers): ChecksumChoice | undefined {
  const algorithm = headers['x-amz-sdk-checksum-algorithm'] ?? headers['x-amz-checksum-algorithm'];
  const row = CHECKSUMS.find(
    ({ name }) => headers[`x-amz-checksum-${name}`] !== undefined || algorithm?.toLowerCase() === name,
  );
  return row === undefined ? undefined : { algorithm: row.name, type: 'FULL_OBJECT' };
}

/** What S3 says back of a checksum that it verified. */
export function echoedChecksum({ checksum }: VerifiedBody): S3Headers {
  if (checksum === undefined) return {};
  return { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value, 'x-amz-checksum-type': 'FULL_OBJECT' };
}
