/** `x-amz-copy-source` as it is sent to the backend: in S3's encoding, in which a `+` is `%2B`. */
import { encodePath, encodeUri } from '../../sigv4/percent-encoding.ts';
import type { CopySource } from '../request/copy-source.ts';

export function formatCopySource({ bucket, key, versionId }: CopySource): string {
  const path = `${encodeUri(bucket)}/${encodePath(key)}`;
  return versionId === undefined ? path : `${path}?versionId=${encodeUri(versionId)}`;
}
