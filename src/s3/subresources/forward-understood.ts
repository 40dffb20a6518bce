/**
 * What policies allow of a bucket's settings, forwarded where no rule is about the bucket. A store that does not know a setting lists the
 * bucket in its place, or deletes it (Ceph RGW 16 does, for `?ownershipControls`): whom policies limit must not get that for another right.
 */
import { gather } from '../bodies/byte-source.ts';
import { S3Error } from '../errors.ts';
import type { S3Operation, S3Response } from '../operation.ts';
import type { S3OperationName } from '../operation-names.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { checkUnderstood, refuseListing } from './understood.ts';

export const forwardUnderstood = (name: S3OperationName): S3Operation => ({
  name,
  async handle(request, gateway) {
    if (request.method !== 'GET') {
      await checkUnderstood(request, gateway);
      return gateway.forward(request);
    }
    const response = await gateway.forward(request);
    if (response.status >= 300) return response;
    const body = await bytesOf(response);
    refuseListing(body);
    return { ...response, headers: { ...response.headers, 'content-length': String(body.length) }, body };
  },
});

async function bytesOf({ body }: S3Response): Promise<Uint8Array> {
  if (body === undefined || body instanceof Uint8Array) return body ?? new Uint8Array(0);
  return gather(body, (length) => {
    if (length > MAX_LIST_BYTES)
      throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL', 'The answer of the storage is too long.');
  });
}
