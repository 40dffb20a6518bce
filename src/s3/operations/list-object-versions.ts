/**
 * ListObjectVersions: sizes of the plaintext, marked ETags, no hidden names. A page of the backend that holds hidden names only is followed by
 * the next. Markers are the last names of pages, as in the other lists.
 */
import { S3Error } from '../errors.ts';
import { isHiddenKey } from '../listing/hidden-names.ts';
import { askedEncoding, askedMaxKeys, listHeaders, MAX_KEYS } from '../listing/list-query.ts';
import { plaintextSize } from '../listing/plaintext-size.ts';
import { visibleGroups, type FirstKey } from '../listing/visible-groups.ts';
import {
  cutVersionPage,
  formatVersionPage,
  parseVersionPage,
  versionMarkerAfter,
  type VersionMarker,
  type VersionPage,
  type VersionRow,
  type VersionsRequest,
} from '../listing/version-page.ts';
import type { GatewayContext, S3Operation, S3Request } from '../operation.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import { clientEtag } from '../sealing/etag.ts';
import { MAX_LIST_BYTES, SIZE_LOOKUPS_AT_ONCE } from '../sealing/limits.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';

export const listObjectVersions: S3Operation = {
  name: 'ListObjectVersions',
  async handle(request, gateway) {
    const asked = parseRequest(request);
    const page = await firstVisiblePage(request, gateway, asked);
    const rows = await mapBounded(page.rows, SIZE_LOOKUPS_AT_ONCE, (row) => plainRow(row, request, gateway));
    const body = formatVersionPage(asked, { ...page, rows });
    return { status: 200, headers: { 'content-type': 'application/xml', 'content-length': String(body.length) }, body };
  },
};

function parseRequest({ bucket, query }: S3Request): VersionsRequest {
  const given = (name: string): string | undefined => query.get(name) || undefined;
  const [keyMarker, versionIdMarker] = [given('key-marker'), given('version-id-marker')];
  const asVersion = query.get('version-id-marker');
  if (asVersion !== undefined && keyMarker === undefined)
    throw wrongMarker('A version-id marker cannot be specified without a key marker.', asVersion);
  if (asVersion === '') throw wrongMarker('A version-id marker cannot be empty.', asVersion);
  return {
    bucket,
    prefix: query.get('prefix'),
    delimiter: given('delimiter'),
    keyMarker,
    versionIdMarker,
    maxKeys: askedMaxKeys(query),
    encodeKeys: askedEncoding(query),
  };
}

const wrongMarker = (message: string, given: string): S3Error =>
  new S3Error('ERR_S3_INVALID_ARGUMENT', message, {
    details: { ArgumentName: 'version-id-marker', ArgumentValue: given },
  });

async function firstVisiblePage(
  request: S3Request,
  gateway: GatewayContext,
  asked: VersionsRequest,
): Promise<VersionPage> {
  let from: VersionMarker | undefined =
    asked.keyMarker === undefined ? undefined : { key: asked.keyMarker, versionId: asked.versionIdMarker };
  // Behind a page of nothing to show as many rows as there may be: in pages of one a key's hundred versions would be a hundred requests.
  for (let { maxKeys } = asked; ; maxKeys = MAX_KEYS) {
    const page = await fetchPage(request, gateway, { ...asked, maxKeys }, from);
    const shown = withoutMarked(page, asked);
    const visible = await withoutHidden(shown, (prefix, marker) => firstKey(request, gateway, asked, prefix, marker));
    // Of nothing that was asked for no page has more.
    if (visible.rows.length + visible.commonPrefixes.length > 0 || !page.isTruncated || asked.maxKeys === 0)
      return cutVersionPage(visible, asked.maxKeys);
    const next = versionMarkerAfter(page);
    // A store that lists the same page again could keep us here for ever.
    if (next === undefined || (next.key === from?.key && next.versionId === from.versionId))
      throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
    from = next;
  }
}

async function fetchPage(
  request: S3Request,
  gateway: GatewayContext,
  { prefix, delimiter, maxKeys }: VersionsRequest,
  from: VersionMarker | undefined,
): Promise<VersionPage> {
  const query = new Map([
    ['versions', ''],
    ['max-keys', String(maxKeys)],
    // Encoded, any key survives XML; a backend that knows no encoding says so by not naming it.
    ['encoding-type', 'url'],
    ...(prefix === undefined ? [] : [['prefix', prefix] as const]),
    ...(delimiter === undefined ? [] : [['delimiter', delimiter] as const]),
    ...(from === undefined ? [] : [['key-marker', from.key] as const]),
    ...(from?.versionId === undefined ? [] : [['version-id-marker', from.versionId] as const]),
  ]);
  const { bucket, signal } = request;
  const response = await sendOrThrow(gateway, { method: 'GET', bucket, query, headers: listHeaders(request), signal });
  return parseVersionPage(await response.body.text(MAX_LIST_BYTES));
}

/** Behind a key alone come other keys, as on S3; Ceph RGW 16 begins with that key's own versions, so that who goes on by keys has them twice. */
const withoutMarked = (page: VersionPage, { keyMarker, versionIdMarker }: VersionsRequest): VersionPage =>
  versionIdMarker === undefined ? { ...page, rows: page.rows.filter(({ key }) => key !== keyMarker) } : page;

const withoutHidden = async (page: VersionPage, first: FirstKey): Promise<VersionPage> => ({
  ...page,
  rows: page.rows.filter((row) => !isHiddenKey(row.key)),
  commonPrefixes: await visibleGroups(page.commonPrefixes, first),
});

async function firstKey(
  request: S3Request,
  gateway: GatewayContext,
  asked: VersionsRequest,
  prefix: string,
  marker: string | undefined,
): Promise<string | undefined> {
  const first = { ...asked, prefix, delimiter: undefined, maxKeys: 1 };
  const from = marker === undefined ? undefined : { key: marker, versionId: undefined };
  return (await fetchPage(request, gateway, first, from)).rows[0]?.key;
}

async function plainRow(row: VersionRow, request: S3Request, gateway: GatewayContext): Promise<VersionRow> {
  const { stored } = row;
  if (stored === undefined || gateway.rules.forKey(request.bucket, row.key)?.type !== 'seal') return row;
  const size = await plaintextSize(stored, request, gateway);
  return { ...row, stored: { ...stored, etag: clientEtag(stored.etag), size } };
}
