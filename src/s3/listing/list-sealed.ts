/**
 * A listing of a bucket with sealed keys: sizes of the plaintext, marked ETags, no hidden names. A page of the backend that holds hidden
 * names only is followed by the next, since clients take an empty page for the end.
 */
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Request, S3Response } from '../operation.ts';
import { readsPlain } from '../plain/plain-mode.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import { clientEtag } from '../sealing/etag.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';
import { MAX_LIST_BYTES, SIZE_LOOKUPS_AT_ONCE } from '../sealing/limits.ts';
import { readToken, tokenFor } from './continuation-token.ts';
import { isHiddenKey } from './hidden-names.ts';
import { askedEncoding, askedMaxKeys, listHeaders } from './list-query.ts';
import {
  formatListPage,
  markerAfter,
  parseListPage,
  type ListPage,
  type ListRequest,
  type ListRow,
} from './list-page.ts';
import { plaintextSize, sizeAtHand } from './plaintext-size.ts';
import { visibleGroups, type FirstKey } from './visible-groups.ts';

/** Answers ListObjects (version 1) and ListObjectsV2. */
export async function listSealed(request: S3Request, gateway: GatewayContext, version: 1 | 2): Promise<S3Response> {
  const list = parseListRequest(request, version);
  const page = await firstVisiblePage(request, gateway, list);
  const rows = await plainRows(page.rows, request, gateway);
  const next = page.nextContinuationToken;
  const nextContinuationToken = next === undefined ? undefined : tokenFor(next);
  const body = formatListPage(list, { ...page, rows, nextContinuationToken });
  return { status: 200, headers: { 'content-type': 'application/xml', 'content-length': String(body.length) }, body };
}

function parseListRequest({ bucket, query }: S3Request, version: 1 | 2): ListRequest {
  return {
    version,
    bucket,
    prefix: query.get('prefix'),
    delimiter: query.get('delimiter') === '' ? undefined : query.get('delimiter'),
    maxKeys: askedMaxKeys(query),
    marker: query.get('marker'),
    continuationToken: version === 2 ? query.get('continuation-token') : undefined,
    startAfter: query.get('start-after'),
    encodeKeys: askedEncoding(query),
  };
}

async function firstVisiblePage(request: S3Request, gateway: GatewayContext, list: ListRequest): Promise<ListPage> {
  // Encoded, any key survives XML; a backend that knows no encoding says so by not naming it.
  let query: ReadonlyMap<string, string> = new Map([
    ...request.query,
    // An empty one is none, and repeated.
    ...(list.continuationToken ? [['continuation-token', readToken(list.continuationToken)] as const] : []),
    ['encoding-type', 'url'],
  ]);
  for (;;) {
    const page = await fetchPage(request, gateway, query);
    const visible = await withoutHidden(page, (prefix, marker) => firstKey(request, gateway, prefix, marker));
    // Of nothing that was asked for no page has more.
    if (visible.rows.length + visible.commonPrefixes.length > 0 || !page.isTruncated || list.maxKeys === 0)
      return visible;
    query = nextPageQuery(query, page, list);
  }
}

async function fetchPage(
  request: S3Request,
  gateway: GatewayContext,
  query: ReadonlyMap<string, string>,
): Promise<ListPage> {
  const { bucket, signal } = request;
  const response = await sendOrThrow(gateway, { method: 'GET', bucket, query, headers: listHeaders(request), signal });
  return parseListPage(await response.body.text(MAX_LIST_BYTES));
}

const withoutHidden = async (page: ListPage, first: FirstKey): Promise<ListPage> => ({
  ...page,
  rows: page.rows.filter((row) => !isHiddenKey(row.key)),
  commonPrefixes: await visibleGroups(page.commonPrefixes, first),
});

async function firstKey(
  request: S3Request,
  gateway: GatewayContext,
  prefix: string,
  marker: string | undefined,
): Promise<string | undefined> {
  const query = new Map([
    ['prefix', prefix],
    ['max-keys', '1'],
    ['encoding-type', 'url'],
    ...(marker === undefined ? [] : [['marker', marker] as const]),
  ]);
  return (await fetchPage(request, gateway, query)).rows[0]?.key;
}

function nextPageQuery(
  query: ReadonlyMap<string, string>,
  page: ListPage,
  list: ListRequest,
): ReadonlyMap<string, string> {
  const token = page.nextContinuationToken;
  if (list.version === 2 && token !== undefined && token !== query.get('continuation-token')) {
    return new Map([...query, ['continuation-token', token]]);
  }
  const last = markerAfter(page);
  // A store that lists the same page again could keep us here for ever.
  if (list.version === 2 || last === undefined || last === query.get('marker'))
    throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return new Map([...query, ['marker', last]]);
}

/** A thousand rows a page: only those wait that must. */
async function plainRows(
  rows: readonly ListRow[],
  request: S3Request,
  gateway: GatewayContext,
): Promise<readonly ListRow[]> {
  const shown = rows.map((row) => rowAtHand(row, request, gateway));
  const waiting = rows.flatMap((row, index) => (shown[index] === undefined ? [{ row, index }] : []));
  await mapBounded(waiting, SIZE_LOOKUPS_AT_ONCE, async ({ row, index }) => {
    shown[index] = { ...row, etag: clientEtag(row.etag), size: await plaintextSize(row, request, gateway) };
  });
  return rows.map((row, index) => shown[index] ?? row);
}

function rowAtHand(row: ListRow, request: S3Request, gateway: GatewayContext): ListRow | undefined {
  const rule = gateway.rules.forKey(request.bucket, row.key);
  if (rule?.type !== 'seal') return row;
  const size = sizeAtHand(row, readsPlain(rule, gateway));
  return size === undefined ? undefined : { ...row, etag: clientEtag(row.etag), size };
}
