/**
 * What S3 says to the codes that stores answer with: for those that say no more than the code (Ceph RGW). Source: Amazon S3 API reference, "List of
 * error codes", and answers of S3 as SDKs' own tests have recorded them.
 */
import { S3_ERRORS } from './error-catalogue.ts';

export const S3_WORDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    BadDigest: 'The Content-MD5 or checksum value that you specified did not match what the server received.',
    BucketAlreadyExists:
      'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
    BucketAlreadyOwnedByYou: 'Your previous request to create the named bucket succeeded and you already own it.',
    BucketNotEmpty: 'The bucket you tried to delete is not empty',
    EntityTooLarge: S3_ERRORS.ERR_S3_ENTITY_TOO_LARGE.says,
    EntityTooSmall: S3_ERRORS.ERR_S3_ENTITY_TOO_SMALL.says,
    IllegalLocationConstraintException:
      'The specified location constraint is incompatible for the region specific endpoint this request was sent to.',
    InvalidArgument: S3_ERRORS.ERR_S3_INVALID_ARGUMENT.says,
    InvalidBucketName: S3_ERRORS.ERR_S3_INVALID_BUCKET_NAME.says,
    InvalidBucketState: 'The request is not valid with the current state of the bucket.',
    InvalidDigest: 'The Content-MD5 you specified was invalid.',
    InvalidLocationConstraint: 'The specified location-constraint is not valid',
    InvalidObjectState: "The operation is not valid for the object's storage class",
    InvalidPart: S3_ERRORS.ERR_S3_INVALID_PART.says,
    InvalidPartOrder: S3_ERRORS.ERR_S3_INVALID_PART_ORDER.says,
    InvalidRequest: 'Invalid Request',
    InvalidStorageClass: 'The storage class you specified is not valid',
    InvalidTag: S3_ERRORS.ERR_S3_INVALID_TAG.says,
    MalformedACLError: S3_ERRORS.ERR_S3_MALFORMED_XML.says,
    MalformedPolicy: "Policies must be valid JSON and the first byte must be '{'",
    MalformedXML: S3_ERRORS.ERR_S3_MALFORMED_XML.says,
    NoSuchBucket: S3_ERRORS.ERR_S3_NO_SUCH_BUCKET.says,
    NoSuchBucketPolicy: 'The bucket policy does not exist',
    NoSuchCORSConfiguration: 'The CORS configuration does not exist',
    NoSuchConfiguration: 'The specified configuration does not exist.',
    NoSuchLifecycleConfiguration: 'The lifecycle configuration does not exist',
    NoSuchObjectLockConfiguration: 'The specified object does not have a ObjectLock configuration',
    NoSuchPublicAccessBlockConfiguration: 'The public access block configuration was not found',
    NoSuchTagSet: 'The TagSet does not exist',
    NoSuchUpload: S3_ERRORS.ERR_S3_NO_SUCH_UPLOAD.says,
    NoSuchVersion: 'The specified version does not exist.',
    NoSuchWebsiteConfiguration: 'The specified bucket does not have a website configuration',
    ObjectLockConfigurationNotFoundError: 'Object Lock configuration does not exist for this bucket',
    OperationAborted:
      'A conflicting conditional operation is currently in progress against this resource. Please try again.',
    OwnershipControlsNotFoundError: 'The bucket ownership controls were not found',
    ReplicationConfigurationNotFoundError: 'The replication configuration was not found',
    ServerSideEncryptionConfigurationNotFoundError: 'The server side encryption configuration was not found',
    SlowDown: 'Please reduce your request rate.',
    TooManyBuckets: 'You have attempted to create more buckets than allowed',
  }),
);
