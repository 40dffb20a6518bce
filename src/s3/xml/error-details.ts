/**
 * What S3's error documents say besides: the key, bucket, version or upload that was named. By the error's code, so that a backend's refusal
 * has them as well, in the client's names and not in ours. Clients read them (boto3 and minio-go show them as fields of the error).
 * Source: Amazon S3 API reference, "REST error responses", and answers of S3 as SDKs' own tests have recorded them.
 */
import type { S3Headers, S3Query } from '../operation.ts';

/** What the request named. */
export type AskedFor = {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: S3Query;
  /** It names two objects, and which of them is meant its error does not say. */
  readonly isCopy: boolean;
  /** Of the object, or of what is copied. */
  readonly hasVersion: boolean;
  /** As S3 spells it; undefined where there are several, and which of them failed the error has to say. */
  readonly condition: string | undefined;
};

export function askedFor(
  { method, bucket, key, query }: Pick<AskedFor, 'method' | 'bucket' | 'key' | 'query'>,
  headers: S3Headers,
): AskedFor {
  const source = headers['x-amz-copy-source'];
  const conditions = Object.keys(headers).filter((name) => CONDITION.test(name));
  return {
    ...{ method, bucket, key, query },
    isCopy: source !== undefined,
    hasVersion: query.has('versionId') || /\?versionId=/u.test(source ?? ''),
    condition: conditions.length === 1 ? conditions.map(spelled)[0] : undefined,
  };
}

const CONDITION = /^(?:x-amz-copy-source-)?if-(?:none-match|match|modified-since|unmodified-since)$/u;

/** `if-none-match` as `If-None-Match`; the beginning of a copy's names stays small. */
const spelled = (name: string): string =>
  name.replace(/(?<=^|x-amz-copy-source-)if-.*$/u, (condition) =>
    condition.replace(/(?:^|-)[a-z]/gu, (letter) => letter.toUpperCase()),
  );

type Details = Readonly<Record<string, string>>;

/** Of a version that is not there Ceph RGW says that the key is not; S3 names the version. An error that says itself which key is missing means that. */
export const codeFor = (s3Code: string, details: Details, asked: AskedFor | undefined): string =>
  s3Code === 'NoSuchKey' && asked?.hasVersion === true && details['Key'] === undefined ? 'NoSuchVersion' : s3Code;

/** Elements by the S3 code of an error; none where the request does not have them. */
export function errorDetails(s3Code: string, headers: Details, asked: AskedFor): Details {
  const { bucket, key, query, isCopy, method, condition } = asked;
  const given = (name: string, value: string | undefined): Details => (value ? { [name]: value } : {});
  if (s3Code === 'NoSuchUpload' || s3Code === 'InvalidPart') return given('UploadId', query.get('uploadId'));
  if (s3Code === 'MethodNotAllowed') return { Method: method, ResourceType: resourceType(headers, asked) };
  if (s3Code === 'PreconditionFailed') return given('Condition', condition);
  if (isCopy) return {};
  if (s3Code === 'NoSuchKey') return given('Key', key);
  if (s3Code === 'NoSuchVersion') return { ...given('Key', key), ...given('VersionId', query.get('versionId')) };
  return OF_BUCKETS.has(s3Code) ? given('BucketName', bucket) : {};
}

const OF_BUCKETS: ReadonlySet<string> = new Set([
  'BucketAlreadyExists',
  'BucketAlreadyOwnedByYou',
  'BucketNotEmpty',
  'InvalidBucketName',
  'NoSuchBucket',
  'ServerSideEncryptionConfigurationNotFoundError',
]);

function resourceType(headers: Details, { bucket, key }: AskedFor): string {
  if (headers['x-amz-delete-marker'] === 'true') return 'DeleteMarker';
  return key !== '' ? 'OBJECT' : bucket !== '' ? 'BUCKET' : 'SERVICE';
}
