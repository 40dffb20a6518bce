/**
 * What S3's error documents say besides: the key, bucket, version or upload that was named. By the error's code, so that a backend's refusal
 * has them as well, in the client's names and not in ours. Clients read them (boto3 and minio-go show them as fields of the error).
 * Source: Amazon S3 API reference, "REST error responses", and answers of S3 as SDKs' own tests have recorded them.
 */
import type { S3Query } from '../operation.ts';

/** What the request named. */
export type AskedFor = {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: S3Query;
  /** It names two objects, and which of them is meant its error does not say. */
  readonly isCopy: boolean;
};

type Details = Readonly<Record<string, string>>;

/** Elements by the S3 code of an error; none where the request does not have them. */
export function errorDetails(s3Code: string, headers: Details, asked: AskedFor): Details {
  const { bucket, key, query, isCopy, method } = asked;
  const given = (name: string, value: string | undefined): Details => (value ? { [name]: value } : {});
  if (s3Code === 'NoSuchUpload' || s3Code === 'InvalidPart') return given('UploadId', query.get('uploadId'));
  if (s3Code === 'MethodNotAllowed') return { Method: method, ResourceType: resourceType(headers, asked) };
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
