/**
 * `?versionId=` as S3 reads it: an empty one is no version (who leaves it empty by mistake would get, or delete, another than was meant), and what
 * makes an object or is about an upload takes none. In S3's words, as recorded of it. Whether a version is there the store says.
 */
import { S3Error } from '../errors.ts';
import type { S3Query } from '../operation.ts';
import type { S3OperationName } from '../operation-names.ts';

const WITHOUT_VERSION: ReadonlySet<S3OperationName> = new Set<S3OperationName>([
  'AbortMultipartUpload',
  'CompleteMultipartUpload',
  'CopyObject',
  'CreateMultipartUpload',
  'ListParts',
  'PutObject',
  'UploadPart',
  'UploadPartCopy',
]);

/** Throws ERR_S3_INVALID_ARGUMENT. For operations on objects. */
export function checkVersionId(operation: S3OperationName, query: S3Query): void {
  const versionId = query.get('versionId');
  if (versionId === undefined) return;
  if (WITHOUT_VERSION.has(operation)) throw invalid('This operation does not accept a version-id.', versionId);
  if (versionId === '') throw invalid(EMPTY_VERSION, versionId);
}

export const EMPTY_VERSION = 'Version id cannot be the empty string';

const invalid = (message: string, versionId: string): S3Error =>
  new S3Error('ERR_S3_INVALID_ARGUMENT', message, {
    details: { ArgumentName: 'versionId', ArgumentValue: versionId },
  });
