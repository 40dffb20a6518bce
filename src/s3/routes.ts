/**
 * The routes of all S3 operations: scope, method and the query parameters that select one. The first row whose parameters are all
 * there wins, so the more specific stand first. Source: Amazon S3 API reference, each operation's request syntax.
 */
import type { S3OperationName } from './operation-names.ts';

export type Route = {
  readonly method: string;
  /** All must be there; `name=value` asks for a value. */
  readonly query: readonly string[];
  /** A header that must be there. */
  readonly header?: string;
  readonly operation: S3OperationName;
};

const route = (method: string, query: string, operation: S3OperationName, header?: string): Route => ({
  method,
  query: query === '' ? [] : query.split('&'),
  operation,
  ...(header === undefined ? {} : { header }),
});

export const SERVICE_ROUTES: readonly Route[] = [route('GET', '', 'ListBuckets')];

/** Configurations that have GET, PUT and DELETE under one parameter: parameter, name, and which of the three exist. */
const CONFIGURATIONS: readonly (readonly [parameter: string, name: string, methods: string, getName?: string])[] = [
  ['abac', 'BucketAbac', 'GP'],
  ['accelerate', 'BucketAccelerateConfiguration', 'GP'],
  ['acl', 'BucketAcl', 'GP'],
  ['cors', 'BucketCors', 'GPD'],
  ['encryption', 'BucketEncryption', 'GPD'],
  ['lifecycle', 'BucketLifecycleConfiguration', 'GP'],
  ['logging', 'BucketLogging', 'GP'],
  ['notification', 'BucketNotificationConfiguration', 'GP'],
  ['object-lock', 'ObjectLockConfiguration', 'GP'],
  ['ownershipControls', 'BucketOwnershipControls', 'GPD'],
  ['policyStatus', 'BucketPolicyStatus', 'G'],
  ['policy', 'BucketPolicy', 'GPD'],
  ['publicAccessBlock', 'PublicAccessBlock', 'GPD'],
  ['replication', 'BucketReplication', 'GPD'],
  ['requestPayment', 'BucketRequestPayment', 'GP'],
  ['tagging', 'BucketTagging', 'GPD'],
  ['versioning', 'BucketVersioning', 'GP'],
  ['website', 'BucketWebsite', 'GPD'],
];

/** Configurations of which a bucket has several: a list without `id`. */
const NUMBERED: readonly (readonly [parameter: string, name: string])[] = [
  ['analytics', 'BucketAnalyticsConfiguration'],
  ['intelligent-tiering', 'BucketIntelligentTieringConfiguration'],
  ['inventory', 'BucketInventoryConfiguration'],
  ['metrics', 'BucketMetricsConfiguration'],
];

const VERBS = { G: ['GET', 'Get'], P: ['PUT', 'Put'], D: ['DELETE', 'Delete'] } as const;

function configurationRoutes(): readonly Route[] {
  return CONFIGURATIONS.flatMap(([parameter, name, methods]) =>
    [...methods].map((letter) => {
      const [method, verb] = VERBS[letter as keyof typeof VERBS]; // the table above has these letters alone
      return route(method, parameter, `${verb}${name}` as S3OperationName); // and these names: routes.test.ts checks each
    }),
  );
}

function numberedRoutes(): readonly Route[] {
  return NUMBERED.flatMap(([parameter, name]) => [
    route('GET', `${parameter}&id`, `Get${name}` as S3OperationName), // as above
    route('GET', parameter, `List${name}s` as S3OperationName),
    route('PUT', `${parameter}&id`, `Put${name}` as S3OperationName),
    route('DELETE', `${parameter}&id`, `Delete${name}` as S3OperationName),
  ]);
}

export const BUCKET_ROUTES: readonly Route[] = [
  ...configurationRoutes(),
  ...numberedRoutes(),
  route('DELETE', 'lifecycle', 'DeleteBucketLifecycle'),
  route('GET', 'session', 'CreateSession'),
  route('GET', 'location', 'GetBucketLocation'),
  route('GET', 'uploads', 'ListMultipartUploads'),
  route('GET', 'versions', 'ListObjectVersions'),
  route('GET', 'list-type=2', 'ListObjectsV2'),
  route('GET', 'list-type=1', 'ListObjects'),
  route('GET', 'metadataConfiguration', 'GetBucketMetadataConfiguration'),
  route('POST', 'metadataConfiguration', 'CreateBucketMetadataConfiguration'),
  route('DELETE', 'metadataConfiguration', 'DeleteBucketMetadataConfiguration'),
  route('GET', 'metadataTable', 'GetBucketMetadataTableConfiguration'),
  route('POST', 'metadataTable', 'CreateBucketMetadataTableConfiguration'),
  route('DELETE', 'metadataTable', 'DeleteBucketMetadataTableConfiguration'),
  route('PUT', 'metadataInventoryTable', 'UpdateBucketMetadataInventoryTableConfiguration'),
  route('PUT', 'metadataJournalTable', 'UpdateBucketMetadataJournalTableConfiguration'),
  route('POST', 'delete', 'DeleteObjects'),
  route('GET', '', 'ListObjects'),
  route('HEAD', '', 'HeadBucket'),
  route('PUT', '', 'CreateBucket'),
  route('DELETE', '', 'DeleteBucket'),
  route('POST', '', 'PostObject'),
];

export const OBJECT_ROUTES: readonly Route[] = [
  route('GET', 'acl', 'GetObjectAcl'),
  route('PUT', 'acl', 'PutObjectAcl'),
  route('GET', 'attributes', 'GetObjectAttributes'),
  route('GET', 'legal-hold', 'GetObjectLegalHold'),
  route('PUT', 'legal-hold', 'PutObjectLegalHold'),
  route('GET', 'retention', 'GetObjectRetention'),
  route('PUT', 'retention', 'PutObjectRetention'),
  route('GET', 'tagging', 'GetObjectTagging'),
  route('PUT', 'tagging', 'PutObjectTagging'),
  route('DELETE', 'tagging', 'DeleteObjectTagging'),
  route('GET', 'torrent', 'GetObjectTorrent'),
  route('PUT', 'renameObject', 'RenameObject'),
  route('PUT', 'encryption', 'UpdateObjectEncryption'),
  route('POST', 'restore', 'RestoreObject'),
  route('POST', 'select', 'SelectObjectContent'),
  route('POST', 'uploads', 'CreateMultipartUpload'),
  route('PUT', 'uploadId&partNumber', 'UploadPartCopy', 'x-amz-copy-source'),
  route('PUT', 'uploadId&partNumber', 'UploadPart'),
  route('GET', 'uploadId', 'ListParts'),
  route('POST', 'uploadId', 'CompleteMultipartUpload'),
  route('DELETE', 'uploadId', 'AbortMultipartUpload'),
  route('PUT', '', 'CopyObject', 'x-amz-copy-source'),
  route('GET', 'partNumber', 'GetObject'),
  route('HEAD', 'partNumber', 'HeadObject'),
  route('GET', '', 'GetObject'),
  route('HEAD', '', 'HeadObject'),
  route('PUT', '', 'PutObject'),
  route('DELETE', '', 'DeleteObject'),
];

/** Parameters that select an operation somewhere: under any other method they must not fall through to a plain read or write. */
export const SUBRESOURCES: ReadonlySet<string> = new Set(
  [...BUCKET_ROUTES, ...OBJECT_ROUTES].flatMap((row) => row.query.map((name) => name.split('=')[0] ?? '')),
);

/** Parameters of operations that select none. One that also selects (`uploadId`) counts only in the rows that name it. */
export const PARAMETERS: ReadonlySet<string> = new Set([
  'bucket-region',
  'continuation-token',
  'delimiter',
  'encoding-type',
  'fetch-owner',
  'key-marker',
  'marker',
  'max-buckets',
  'max-keys',
  'max-parts',
  'max-uploads',
  'metadata',
  'part-number-marker',
  'prefix',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'select-type',
  'start-after',
  'upload-id-marker',
  'version-id-marker',
  'versionId',
]);
