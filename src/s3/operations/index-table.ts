/** Operation name to handler: the operations that exist on sealed keys and in buckets with a sealing rule. */
import { answeringLate } from '../edge/late-answer.ts';
import type { S3Operation } from '../operation.ts';
import type { S3OperationName } from '../operation-names.ts';
import { abortMultipartUpload } from './abort-multipart-upload.ts';
import { SETTING_OPERATIONS } from './bucket-subresources.ts';
import { completeMultipartUpload } from './complete-multipart-upload.ts';
import { copyObject } from './copy-object.ts';
import { createMultipartUpload } from './create-multipart-upload.ts';
import { deleteBucketEncryption } from './delete-bucket-encryption.ts';
import { deleteBucket } from './delete-bucket.ts';
import { deleteObject } from './delete-object.ts';
import { deleteObjects } from './delete-objects.ts';
import { getBucketEncryption } from './get-bucket-encryption.ts';
import { getObject } from './get-object.ts';
import { getObjectAttributes } from './get-object-attributes.ts';
import { headObject } from './head-object.ts';
import { listBuckets } from './list-buckets.ts';
import { listMultipartUploads } from './list-multipart-uploads.ts';
import { listObjectVersions } from './list-object-versions.ts';
import { listObjects } from './list-objects.ts';
import { listObjectsV2 } from './list-objects-v2.ts';
import { listParts } from './list-parts.ts';
import { SUBRESOURCE_OPERATIONS } from './object-subresources.ts';
import { putBucketAcl, putObjectAcl } from './put-acl.ts';
import { putBucketEncryption } from './put-bucket-encryption.ts';
import { putBucketLogging } from './put-bucket-logging.ts';
import { putObject } from './put-object.ts';
import { putPublicAccessBlock } from './put-public-access-block.ts';
import { restoreObject } from './restore-object.ts';
import { uploadPart } from './upload-part.ts';
import { uploadPartCopy } from './upload-part-copy.ts';

export const SEALED_OPERATIONS: Readonly<Partial<Record<S3OperationName, S3Operation>>> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: answeringLate(completeMultipartUpload),
  CopyObject: answeringLate(copyObject),
  CreateMultipartUpload: createMultipartUpload,
  DeleteBucket: deleteBucket,
  DeleteBucketEncryption: deleteBucketEncryption,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  GetBucketEncryption: getBucketEncryption,
  GetObject: getObject,
  GetObjectAttributes: getObjectAttributes,
  HeadObject: headObject,
  ListBuckets: listBuckets,
  ListMultipartUploads: listMultipartUploads,
  ListObjectVersions: listObjectVersions,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListParts: listParts,
  PutBucketAcl: putBucketAcl,
  PutBucketEncryption: putBucketEncryption,
  PutBucketLogging: putBucketLogging,
  PutObject: putObject,
  PutObjectAcl: putObjectAcl,
  PutPublicAccessBlock: putPublicAccessBlock,
  RestoreObject: restoreObject,
  UploadPart: uploadPart,
  UploadPartCopy: answeringLate(uploadPartCopy),
  ...Object.fromEntries(
    [...SETTING_OPERATIONS, ...SUBRESOURCE_OPERATIONS].map((operation) => [operation.name, operation]),
  ),
};
