/** Whether a bucket keeps versions of its objects, as the store says now. */
import { childText, parseXml } from '../listing/xml-tree.ts';
import type { S3Request } from '../operation.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { MAX_LIST_BYTES } from './limits.ts';
import { upstreamError } from './upstream-errors.ts';

/** `never`: it never did, or the store knows no versions. `unknown`: the store does not tell us. */
export type VersioningState = 'never' | 'enabled' | 'suspended' | 'unknown';

/** Throws ERR_S3_NO_SUCH_BUCKET, and what a store's failure is. */
export async function versioningState(
  upstream: UpstreamClient,
  { bucket, signal }: Pick<S3Request, 'bucket' | 'signal'>,
): Promise<VersioningState> {
  const response = await upstream.send({ method: 'GET', bucket, query: new Map([['versioning', '']]), signal });
  if (response.status === 404 || (response.status >= 500 && response.status !== 501))
    throw await upstreamError(response);
  const text = await response.body.text(MAX_LIST_BYTES);
  if (response.status !== 200) return 'unknown';
  // A store that does not know the question answers another one: of its versions there are none.
  const status = childText(parseXml(text, 'VersioningConfiguration'), 'Status');
  if (status === undefined) return 'never';
  if (status === 'Enabled') return 'enabled';
  return status === 'Suspended' ? 'suspended' : 'unknown';
}
