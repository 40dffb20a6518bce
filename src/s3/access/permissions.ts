/**
 * What a request needs to be allowed: actions of the policy language, each on a bucket or an object. All must be. What a request does
 * besides its main action (an ACL, tags, a lock) needs its own, as with S3.
 */
import type { S3Headers, S3Query } from '../operation.ts';
import type { OBJECT_OPERATIONS, S3OperationName } from '../operation-names.ts';
import { parseCopySources } from '../request/copy-source.ts';
import { pathReading, type Place } from '../request/target.ts';
import { BUCKET_ACTIONS } from './bucket-actions.ts';

export type Permission = { readonly action: string; readonly resource: string };

export type Asked = Place & {
  readonly operation: S3OperationName;
  readonly query: S3Query;
  readonly headers: S3Headers;
};

export const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;

/** The object, in each way a store may read its key: a policy about `secret/` is about `//secret` too. */
export function objectArns({ bucket, key }: Place): readonly string[] {
  const reading = pathReading(key);
  const arn = `${bucketArn(bucket)}/${key}`;
  return reading === undefined ? [arn] : [arn, `${bucketArn(bucket)}/${reading}`];
}

export const ALL_BUCKETS: Permission = { action: 's3:ListAllMyBuckets', resource: bucketArn('*') };

/** What is decided before the request is handled: not DeleteObjects (each key) and PostObject (its form), nor ListBuckets. */
export function permissionsFor(asked: Asked): readonly Permission[] {
  const { operation, bucket, key } = asked;
  if (bucket === '')
    return operation === 'ListBuckets' ? [] : [{ action: `s3:${operation}`, resource: bucketArn('*') }];
  if (key !== '') return [...objectPermissions(asked), ...sourcePermissions(asked)];
  if (operation === 'DeleteObjects' || operation === 'PostObject') return [];
  const action = operation in BUCKET_ACTIONS ? BUCKET_ACTIONS[operation as keyof typeof BUCKET_ACTIONS] : 's3:Unknown';
  const resource = bucketArn(bucket);
  return [{ action, resource }, ...besides(asked, bucketExtras).map((extra) => ({ action: extra, resource }))];
}

/** What deleting a key takes; DeleteObjects asks it for each. */
export function deletePermissions(
  place: Place,
  versionId: string | undefined,
  headers: S3Headers,
): readonly Permission[] {
  const { main, version } = OBJECT_ACTIONS.DeleteObject;
  return on(place, [
    ...ofVersion(versionId, main, version),
    ...(bypasses(headers) ? ['s3:BypassGovernanceRetention'] : []),
  ]);
}

type ObjectOperation = (typeof OBJECT_OPERATIONS)[number];
/** `version`: of a request that names one. */
type ObjectActions = { readonly main: readonly string[]; readonly version?: readonly string[]; readonly writes?: true };

const PUT: ObjectActions = { main: ['s3:PutObject'], writes: true };
const READ: ObjectActions = { main: ['s3:GetObject'], version: ['s3:GetObjectVersion'] };
const versioned = (before: string, after: string): ObjectActions => ({
  main: [`s3:${before}${after}`],
  version: [`s3:${before}Version${after}`],
});

const OBJECT_ACTIONS = {
  GetObject: READ,
  HeadObject: READ,
  SelectObjectContent: READ,
  GetObjectAttributes: {
    main: ['s3:GetObject', 's3:GetObjectAttributes'],
    version: ['s3:GetObjectVersion', 's3:GetObjectVersionAttributes'],
  },
  PutObject: PUT,
  CopyObject: PUT,
  CreateMultipartUpload: PUT,
  UploadPart: PUT,
  UploadPartCopy: PUT,
  CompleteMultipartUpload: PUT,
  RenameObject: PUT,
  AbortMultipartUpload: { main: ['s3:AbortMultipartUpload'] },
  ListParts: { main: ['s3:ListMultipartUploadParts'] },
  DeleteObject: versioned('DeleteObject', ''),
  GetObjectAcl: versioned('GetObject', 'Acl'),
  PutObjectAcl: versioned('PutObject', 'Acl'),
  GetObjectTagging: versioned('GetObject', 'Tagging'),
  PutObjectTagging: versioned('PutObject', 'Tagging'),
  DeleteObjectTagging: versioned('DeleteObject', 'Tagging'),
  GetObjectTorrent: versioned('GetObject', 'Torrent'),
  GetObjectLegalHold: { main: ['s3:GetObjectLegalHold'] },
  PutObjectLegalHold: { main: ['s3:PutObjectLegalHold'] },
  GetObjectRetention: { main: ['s3:GetObjectRetention'] },
  PutObjectRetention: { main: ['s3:PutObjectRetention'] },
  RestoreObject: { main: ['s3:RestoreObject'] },
  UpdateObjectEncryption: { main: ['s3:UpdateObjectEncryption', 's3:PutObject'] },
} as const satisfies Record<ObjectOperation, ObjectActions>;

function objectPermissions(asked: Asked): readonly Permission[] {
  const { operation, query, headers } = asked;
  if (!isObjectOperation(operation)) return on(asked, ['s3:Unknown']);
  const { main, version, writes }: ObjectActions = OBJECT_ACTIONS[operation];
  const actions = ofVersion(query.get('versionId'), main, version);
  const changes = operation === 'DeleteObject' || operation === 'PutObjectRetention';
  const bypass = changes && bypasses(headers) ? ['s3:BypassGovernanceRetention'] : [];
  return on(asked, [...actions, ...bypass, ...(writes === true ? besides(asked, objectExtras) : [])]);
}

/** Some stores take a version without a name for none named: who asks for it needs the right to either. */
function ofVersion(
  versionId: string | undefined,
  main: readonly string[],
  version: readonly string[] = main,
): readonly string[] {
  if (versionId === undefined) return main;
  return versionId === '' ? [...new Set([...main, ...version])] : version;
}

const isObjectOperation = (operation: S3OperationName): operation is ObjectOperation =>
  Object.hasOwn(OBJECT_ACTIONS, operation);

/** Who copies reads the source, in whichever way a store may read its name; who renames takes it away as well. */
function sourcePermissions({ headers, bucket }: Asked): readonly Permission[] {
  const renames = headers['x-amz-rename-source'] !== undefined;
  return parseCopySources(headers, bucket).flatMap((source) =>
    on(source, [
      source.versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion',
      ...(renames ? ['s3:DeleteObject'] : []),
    ]),
  );
}

const on = (place: Place, actions: readonly string[]): readonly Permission[] =>
  objectArns(place).flatMap((resource) => actions.map((action) => ({ action, resource })));

const bypasses = (headers: S3Headers): boolean => /^true$/iu.test(headers['x-amz-bypass-governance-retention'] ?? '');

/** Header (or the beginning of several), and what it takes. */
type Extra = readonly [header: RegExp, action: string];

const objectExtras: readonly Extra[] = [
  [/^x-amz-(?:acl$|grant-)/u, 's3:PutObjectAcl'],
  [/^x-amz-tagging$/u, 's3:PutObjectTagging'],
  [/^x-amz-object-lock-(?:mode|retain-until-date)$/u, 's3:PutObjectRetention'],
  [/^x-amz-object-lock-legal-hold$/u, 's3:PutObjectLegalHold'],
];
const bucketExtras: readonly Extra[] = [
  [/^x-amz-(?:acl$|grant-)/u, 's3:PutBucketAcl'],
  [/^x-amz-bucket-object-lock-enabled$/u, 's3:PutBucketObjectLockConfiguration'],
  [/^x-amz-object-ownership$/u, 's3:PutBucketOwnershipControls'],
];

function besides({ headers, operation }: Asked, extras: readonly Extra[]): readonly string[] {
  const isOwn = operation === 'PutBucketAcl';
  const found = extras.filter(([header]) => Object.keys(headers).some((name) => header.test(name)));
  return isOwn ? [] : found.map(([, action]) => action);
}
