/**
 * Clearing what the gateway kept beside objects: of an upload that is over, of a probe, or of all of a bucket that goes. Where the bucket
 * keeps versions a deletion hides only: then the versions are deleted one by one, or they would pile up unseen.
 */
import { HIDDEN_PREFIX } from '../../envelope/object/hidden-object.ts';
import { S3Error } from '../errors.ts';
import type { S3Headers } from '../operation.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import { MAX_LIST_BYTES, SIZE_LOOKUPS_AT_ONCE } from '../sealing/limits.ts';
import { upstreamError } from '../sealing/upstream-errors.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { isHiddenKey } from './hidden-names.ts';
import { markerAfter, parseListPage, type ListRow } from './list-page.ts';
import { versionPages, type KeyVersion } from './version-list.ts';

/** Where hidden objects lie. */
export type HiddenPlace = { readonly upstream: UpstreamClient; readonly bucket: string };

/** Hidden objects whose names begin with `prefix`. */
export async function listHidden(place: HiddenPlace, prefix: string): Promise<readonly ListRow[]> {
  const rows: ListRow[] = [];
  for await (const page of objectPages(place, prefix)) rows.push(...page);
  return rows;
}

/** Likewise page by page. */
export async function* objectPages(
  { upstream, bucket }: HiddenPlace,
  prefix: string,
): AsyncGenerator<readonly ListRow[]> {
  for (let marker = ''; ;) {
    const query = new Map([['prefix', prefix], ...(marker === '' ? [] : [['marker', marker] as const])]);
    const response = await upstream.send({ method: 'GET', bucket, query });
    if (response.status !== 200) throw await upstreamError(response);
    const page = parseListPage(await response.body.text(MAX_LIST_BYTES));
    yield page.rows.filter((row) => row.key.startsWith(prefix));
    const last = markerAfter(page);
    if (!page.isTruncated || last === undefined) return;
    // Else a store could keep us here for ever.
    if (last === marker) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL', 'The storage lists the same page again.');
    marker = last;
  }
}

/** Deletes all hidden objects whose names begin with `prefix`, versions included. */
export async function deleteHidden(place: HiddenPlace, prefix: string): Promise<void> {
  const rows = await listHidden(place, prefix);
  const remove = (row: ListRow): Promise<S3Headers> => deleteOne(place, row.key);
  // The last one by itself: s3rver removes the emptied folder once for each deletion that finds it empty, and breaks down.
  const most = await mapBounded(rows.slice(0, -1), SIZE_LOOKUPS_AT_ONCE, remove);
  const last = await mapBounded(rows.slice(-1), 1, remove);
  if ([...most, ...last].some(leftVersions)) await deleteVersions(place, prefix);
}

/** Likewise one whose name is known. */
export async function deleteHiddenKey(place: HiddenPlace, key: string): Promise<void> {
  await deleteLeftVersions(place, key, await deleteOne(place, key));
}

/** What a deletion left that was answered so. */
export async function deleteLeftVersions(place: HiddenPlace, key: string, deleted: S3Headers): Promise<void> {
  if (leftVersions(deleted)) await deleteVersions(place, key);
}

/** A bucket that never had versions answers without a version id. */
const leftVersions = (deleted: S3Headers): boolean => deleted['x-amz-version-id'] !== undefined;

async function deleteVersions(place: HiddenPlace, prefix: string): Promise<void> {
  for await (const page of versionPages(place, prefix)) {
    await mapBounded(page ?? [], SIZE_LOOKUPS_AT_ONCE, (version) => deleteVersion(place, version));
  }
}

/** Where the bucket retains all that is written, so are these: hidden by their delete markers, until a lifecycle rule may take them. */
async function deleteVersion(place: HiddenPlace, { key, versionId }: KeyVersion): Promise<void> {
  try {
    await deleteOne(place, key, versionId);
  } catch (error) {
    if (!(error instanceof S3Error && error.status === 403)) throw error;
  }
}

/** That it is not there is no error. */
async function deleteOne({ upstream, bucket }: HiddenPlace, key: string, versionId?: string): Promise<S3Headers> {
  const query = versionId === undefined ? {} : { query: new Map([['versionId', versionId]]) };
  const response = await upstream.send({ method: 'DELETE', bucket, key, ...query });
  if (response.status >= 300 && response.status !== 404) throw await upstreamError(response);
  await response.body.release();
  return response.headers;
}

/** True where the bucket holds nothing but hidden objects; they are deleted then. */
export async function deleteOnlyHidden(place: HiddenPlace): Promise<boolean> {
  let found = false;
  for await (const page of allPages(place)) {
    if (page.some(({ key }) => !isHiddenKey(key))) return false;
    found ||= page.length > 0;
  }
  if (!found) return false;
  await deleteHidden(place, HIDDEN_PREFIX);
  await deleteVersions(place, HIDDEN_PREFIX);
  return true;
}

/** All that the bucket holds, as versions where the backend knows them. */
async function* allPages(place: HiddenPlace): AsyncGenerator<readonly { readonly key: string }[]> {
  for await (const page of versionPages(place, '')) {
    if (page === undefined) yield* objectPages(place, '');
    else yield page;
  }
}
