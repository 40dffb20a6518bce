/**
 * DeleteBucketEncryption: back to the default. Where a rule seals the bucket that is what the rule says, and what was in force all along: it
 * succeeds and changes nothing, as on S3 for a bucket that nobody configured.
 */
import type { S3Operation } from '../operation.ts';
import { bucketSealRule, refuseMissingBucket } from '../sse/bucket-encryption.ts';

export const deleteBucketEncryption: S3Operation = {
  name: 'DeleteBucketEncryption',
  async handle(request, gateway) {
    if (bucketSealRule(request, gateway) === undefined) return gateway.forward(request);
    await refuseMissingBucket(request, gateway);
    return { status: 204, headers: {} };
  },
};
