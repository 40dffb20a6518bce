/**
 * DeleteObject: nothing to open; the condition's ETag is the one clients were given, and the backend decides on it or it is refused. What S3 has
 * for directory buckets alone is refused: who ignores it deletes.
 */
import { S3Error } from '../errors.ts';
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import type { S3Operation } from '../operation.ts';
import { pick } from '../sealing/request-headers.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';
import { writeConditions } from '../sealing/write-conditions.ts';

const FORWARDED = [
  'x-amz-mfa',
  'x-amz-request-payer',
  'x-amz-bypass-governance-retention',
  'x-amz-expected-bucket-owner',
] as const;

const DIRECTORY_BUCKETS = ['x-amz-if-match-last-modified-time', 'x-amz-if-match-size'] as const;

const ANSWERED = ['x-amz-delete-marker', 'x-amz-version-id', 'x-amz-request-charged'] as const;

export const deleteObject: S3Operation = {
  name: 'DeleteObject',
  async handle(request, gateway) {
    const { bucket, key, query, signal } = request;
    refuseHiddenKey(key);
    if (DIRECTORY_BUCKETS.some((name) => request.headers[name] !== undefined))
      throw new S3Error('ERR_S3_NOT_IMPLEMENTED');
    const headers = { ...pick(request.headers, FORWARDED), ...(await writeConditions(request, gateway)) };
    const response = await sendOrThrow(gateway, { method: 'DELETE', bucket, key, query, headers, signal });
    await response.body.release();
    return { status: 204, headers: pick(response.headers, ANSWERED) };
  },
};
