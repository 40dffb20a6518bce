/**
 * Operations on a bucket with rules that pass to the backend: an allow-list. Neither object data nor what could decide who gets it is among
 * them, but for those that a rule has to allow (`around.ts`). Everything else has code of its own in `operations/`, or is refused.
 */
import type { Around } from './around.ts';
import type { S3OperationName } from './operation-names.ts';

/** About the bucket as a whole: forwarded as they are. */
export const FORWARDED_BUCKET_OPERATIONS: ReadonlySet<S3OperationName> = new Set<S3OperationName>([
  'CreateBucket',
  'HeadBucket',
]);

/** Settings that the backend keeps (`operations/bucket-subresources.ts`). */
export const PASSED_SETTINGS: ReadonlySet<S3OperationName> = new Set<S3OperationName>([
  'DeleteBucketAnalyticsConfiguration',
  'DeleteBucketCors',
  'DeleteBucketIntelligentTieringConfiguration',
  'DeleteBucketInventoryConfiguration',
  'DeleteBucketLifecycle',
  'DeleteBucketMetricsConfiguration',
  'DeleteBucketOwnershipControls',
  'DeleteBucketReplication',
  'DeleteBucketTagging',
  'DeleteBucketWebsite',
  'GetBucketAccelerateConfiguration',
  'GetBucketAcl',
  'GetBucketAnalyticsConfiguration',
  'GetBucketCors',
  'GetBucketIntelligentTieringConfiguration',
  'GetBucketInventoryConfiguration',
  'GetBucketLifecycleConfiguration',
  'GetBucketLocation',
  'GetBucketLogging',
  'GetBucketMetricsConfiguration',
  'GetBucketNotificationConfiguration',
  'GetBucketOwnershipControls',
  'GetBucketPolicy',
  'GetBucketPolicyStatus',
  'GetBucketReplication',
  'GetBucketRequestPayment',
  'GetBucketTagging',
  'GetBucketVersioning',
  'GetBucketWebsite',
  'GetObjectLockConfiguration',
  'GetPublicAccessBlock',
  'ListBucketAnalyticsConfigurations',
  'ListBucketIntelligentTieringConfigurations',
  'ListBucketInventoryConfigurations',
  'ListBucketMetricsConfigurations',
  'PutBucketAccelerateConfiguration',
  'PutBucketCors',
  'PutBucketIntelligentTieringConfiguration',
  'PutBucketLifecycleConfiguration',
  'PutBucketMetricsConfiguration',
  'PutBucketNotificationConfiguration',
  'PutBucketOwnershipControls',
  'PutBucketRequestPayment',
  'PutBucketTagging',
  'PutBucketVersioning',
  'PutObjectLockConfiguration',
]);

/** Passed where the bucket's rules allow it by this name. Taking a policy or a block away may open what it closed. */
export const BUCKET_OPERATIONS_AROUND: Readonly<Partial<Record<S3OperationName, Around>>> = {
  DeleteBucketPolicy: 'policy',
  DeletePublicAccessBlock: 'publicAccess',
  PutBucketAnalyticsConfiguration: 'analytics',
  PutBucketInventoryConfiguration: 'inventory',
  PutBucketPolicy: 'policy',
  PutBucketReplication: 'replication',
  PutBucketWebsite: 'website',
};
