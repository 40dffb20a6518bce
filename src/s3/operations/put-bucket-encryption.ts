/** PutBucketEncryption: where a rule seals the bucket, what says the same as the rule is taken, and nothing changes. */
import { MAX_ENCRYPTION_DOCUMENT_BYTES } from '../limits.ts';
import type { S3Operation } from '../operation.ts';
import { documentText } from '../request/document-text.ts';
import { agreeWithRule, bucketSealRule, refuseMissingBucket } from '../sse/bucket-encryption.ts';

export const putBucketEncryption: S3Operation = {
  name: 'PutBucketEncryption',
  async handle(request, gateway) {
    const rule = bucketSealRule(request, gateway);
    if (rule === undefined) return gateway.forward(request);
    await refuseMissingBucket(request, gateway);
    const document = await request.body.bytes(MAX_ENCRYPTION_DOCUMENT_BYTES);
    await agreeWithRule(documentText(document), rule, gateway);
    return { status: 200, headers: {} };
  },
};
