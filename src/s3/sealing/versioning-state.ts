/** Whether a bucket keeps versions of its objects, as the store says now. */
import { S3Error } from '../errors.ts';
import { childText, parseXml } from '../listing/xml-tree.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { MAX_LIST_BYTES } from './limits.ts';
import { upstreamError } from './upstream-errors.ts';

/** `never`: it never did, or the store knows no versions. */
export type VersioningState = 'never' | 'enabled' | 'suspended';

/** What stores say that do not know the question, or keep no versions at all (versitygw: 501 VersioningNotConfigured). */
const NO_VERSIONS: ReadonlySet<string> = new Set(['NotImplemented', 'MethodNotAllowed', 'NoSuchKey']);

/** `signal`: of the request that asks, if it is for one alone. */
export type AskedBucket = { readonly bucket: string; readonly signal?: AbortSignal };

/** Throws ERR_S3_NOT_IMPLEMENTED where it may not be asked, and otherwise what the store refuses with. */
export async function versioningState(
  upstream: UpstreamClient,
  { bucket, signal }: AskedBucket,
): Promise<VersioningState> {
  const query = new Map([['versioning', '']]);
  const response = await upstream.send({ method: 'GET', bucket, query, ...(signal === undefined ? {} : { signal }) });
  if (response.status !== 200) return refused(await upstreamError(response));
  // A store that does not know the question answers another one: of its versions there are none.
  const root = parseXml(await response.body.text(MAX_LIST_BYTES), 'VersioningConfiguration');
  switch (childText(root, 'Status')) {
    case undefined:
    case '':
      return 'never';
    case 'Enabled':
      return 'enabled';
    case 'Suspended':
      return 'suspended';
    default:
      throw new S3Error(
        'ERR_S3_UPSTREAM_PROTOCOL',
        'Whether the bucket keeps versions, the storage says in words of its own.',
      );
  }
}

function refused(error: S3Error): 'never' {
  if (error.status === 501 || error.status === 405 || NO_VERSIONS.has(error.s3Code)) return 'never';
  if (error.status !== 403) throw error;
  throw new S3Error(
    'ERR_S3_NOT_IMPLEMENTED',
    'Whether this condition is decided on depends on whether the bucket keeps versions, and the gateway may not ask the storage for that: its credentials need s3:GetBucketVersioning.',
    { cause: error },
  );
}
