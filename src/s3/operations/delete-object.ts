/** DeleteObject: nothing to open; the condition's ETag is the one clients were given. */
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import type { S3Operation } from '../operation.ts';
import { upstreamConditions } from '../sealing/conditions.ts';
import { pick } from '../sealing/request-headers.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';

const FORWARDED = [
  'x-amz-mfa',
  'x-amz-request-payer',
  'x-amz-bypass-governance-retention',
  'x-amz-expected-bucket-owner',
  'x-amz-if-match-last-modified-time',
] as const;

const ANSWERED = ['x-amz-delete-marker', 'x-amz-version-id', 'x-amz-request-charged'] as const;

export const deleteObject: S3Operation = {
  name: 'DeleteObject',
  async handle(request, gateway) {
    const { bucket, key, query, signal } = request;
    refuseHiddenKey(key);
    const headers = { ...pick(request.headers, FORWARDED), ...upstreamConditions(request.headers) };
    const response = await sendOrThrow(gateway, { method: 'DELETE', bucket, key, query, headers, signal });
    await response.body.release();
    return { status: 204, headers: pick(response.headers, ANSWERED) };
  },
};
