/** Clearing what the gateway kept of uploads: of one that is over, or of all of a bucket that goes. */
import { HIDDEN_PREFIX } from '../../envelope/object/hidden-object.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import { MAX_LIST_BYTES, SIZE_LOOKUPS_AT_ONCE } from '../sealing/limits.ts';
import { sendOrThrow, upstreamError } from '../sealing/upstream-errors.ts';
import { isHiddenKey } from './hidden-names.ts';
import { parseListPage, type ListRow } from './list-page.ts';

/** Hidden objects whose names begin with `prefix`. */
export async function listHidden(
  request: S3Request,
  gateway: GatewayContext,
  prefix: string,
): Promise<readonly ListRow[]> {
  const { bucket, signal } = request;
  const rows: ListRow[] = [];
  for (let marker = ''; ;) {
    const query = new Map([['prefix', prefix], ...(marker === '' ? [] : [['marker', marker] as const])]);
    const response = await sendOrThrow(gateway, { method: 'GET', bucket, query, signal });
    const page = parseListPage(await response.body.text(MAX_LIST_BYTES));
    rows.push(...page.rows.filter((row) => row.key.startsWith(prefix)));
    const last = page.nextMarker ?? page.rows.at(-1)?.key;
    if (!page.isTruncated || last === undefined) return rows;
    marker = last;
  }
}

/** Deletes one hidden object; that it is not there is no error. */
export async function deleteHidden({ bucket }: S3Request, gateway: GatewayContext, key: string): Promise<void> {
  const response = await gateway.upstream.send({ method: 'DELETE', bucket, key });
  if (response.status >= 300 && response.status !== 404) throw await upstreamError(response);
  await response.body.release();
}

/** True where the bucket holds nothing but hidden objects; they are deleted then. */
export async function deleteHiddenObjects(request: S3Request, gateway: GatewayContext): Promise<boolean> {
  const query = new Map([['max-keys', '1000']]);
  const response = await sendOrThrow(gateway, { method: 'GET', bucket: request.bucket, query, signal: request.signal });
  const page = parseListPage(await response.body.text(MAX_LIST_BYTES));
  if (page.rows.length === 0 || page.rows.some((row) => !isHiddenKey(row.key))) return false;
  const hidden = page.isTruncated ? await listHidden(request, gateway, HIDDEN_PREFIX) : page.rows;
  await mapBounded(hidden, SIZE_LOOKUPS_AT_ONCE, (row) => deleteHidden(request, gateway, row.key));
  return true;
}
