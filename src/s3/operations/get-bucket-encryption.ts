/** GetBucketEncryption: where a rule seals the bucket, what the rule says; elsewhere the backend has the word. */
import type { S3Operation } from '../operation.ts';
import { bucketSealRule, formatBucketEncryption, refuseMissingBucket } from '../sse/bucket-encryption.ts';

export const getBucketEncryption: S3Operation = {
  name: 'GetBucketEncryption',
  async handle(request, gateway) {
    const rule = bucketSealRule(request, gateway);
    if (rule === undefined) return gateway.forward(request);
    await refuseMissingBucket(request, gateway);
    const body = await formatBucketEncryption(rule, gateway);
    return { status: 200, headers: { 'content-type': 'application/xml' }, body };
  },
};
