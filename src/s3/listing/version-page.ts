/** One page of ListObjectVersions as data: what the backend's document says, and the document clients get. */
import { S3Error } from '../errors.ts';
import {
  decodeKey,
  encodeKey,
  ownerContent,
  parseOwner,
  parseRow,
  storedContent,
  type Encode,
  type ListRow,
} from './list-page.ts';
import { childrenOf, childText, formatXmlEntries, parseXml, type XmlContent, type XmlTree } from './xml-tree.ts';

/** A delete marker has no size; `stored` is what a version has. */
export type VersionRow = {
  readonly key: string;
  readonly versionId: string;
  readonly isLatest: string;
  readonly lastModified: string;
  readonly owner: ListRow['owner'];
  readonly stored: ListRow | undefined;
};

export type VersionPage = {
  /** Versions and delete markers as they stand among each other: by key, the newest first. */
  readonly rows: readonly VersionRow[];
  readonly commonPrefixes: readonly string[];
  readonly isTruncated: boolean;
};

export type VersionsRequest = {
  readonly bucket: string;
  readonly prefix: string | undefined;
  readonly delimiter: string | undefined;
  readonly keyMarker: string | undefined;
  readonly versionIdMarker: string | undefined;
  readonly maxKeys: number;
  readonly encodeKeys: boolean;
};

/** Where a list of versions goes on. */
export type VersionMarker = { readonly key: string; readonly versionId: string | undefined };

/** Throws ERR_S3_UPSTREAM_PROTOCOL for anything but a ListVersionsResult. */
export function parseVersionPage(xml: string): VersionPage {
  const root = parseXml(xml, 'ListVersionsResult');
  if (root === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  const decode: Encode = childText(root, 'EncodingType') === 'url' ? decodeKey : (text) => text;
  return {
    rows: inOrder(xml, root).map(([row, isVersion]) => parseVersionRow(row, isVersion, decode)),
    commonPrefixes: childrenOf(root, 'CommonPrefixes').map((prefix) => decode(childText(prefix, 'Prefix') ?? '')),
    isTruncated: childText(root, 'IsTruncated') === 'true',
  };
}

/** A tree keeps elements by name; how those of two names stand among each other, their opening tags say. */
function inOrder(xml: string, root: XmlTree): readonly (readonly [row: XmlTree, isVersion: boolean])[] {
  const versions = childrenOf(root, 'Version').values();
  const markers = childrenOf(root, 'DeleteMarker').values();
  const rows = [...xml.matchAll(/<(?:\w+:)?(Version|DeleteMarker)[\s>]/gu)].map(([, name]) => {
    const isVersion = name === 'Version';
    const { value } = (isVersion ? versions : markers).next();
    if (value === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
    return [value, isVersion] as const;
  });
  if (versions.next().done !== true || markers.next().done !== true) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return rows;
}

function parseVersionRow(row: XmlTree, isVersion: boolean, decode: Encode): VersionRow {
  const [key, versionId] = [childText(row, 'Key'), childText(row, 'VersionId')];
  if (key === undefined || versionId === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return {
    key: decode(key),
    versionId,
    isLatest: childText(row, 'IsLatest') ?? 'false',
    lastModified: childText(row, 'LastModified') ?? '',
    owner: parseOwner(row),
    stored: isVersion ? { ...parseRow(row, decode), versionId } : undefined,
  };
}

/** The last name of a page; undefined where it is empty. */
export function versionMarkerAfter({ rows, commonPrefixes }: VersionPage): VersionMarker | undefined {
  const [row, prefix] = [rows.at(-1), commonPrefixes.at(-1)];
  const rowMarker = row && { key: row.key, versionId: row.versionId };
  const prefixMarker = prefix === undefined ? undefined : { key: prefix, versionId: undefined };
  if (rowMarker === undefined || prefixMarker === undefined) return rowMarker ?? prefixMarker;
  return isBefore(rowMarker.key, prefixMarker.key) ? prefixMarker : rowMarker;
}

/** The first of its names, `maxKeys` at most: of versions and common prefixes as they stand among each other. */
export function cutVersionPage(page: VersionPage, maxKeys: number): VersionPage {
  const { rows, commonPrefixes } = page;
  if (rows.length + commonPrefixes.length <= maxKeys) return page;
  let [rowCount, prefixCount] = [0, 0];
  while (rowCount + prefixCount < maxKeys) {
    const [row, prefix] = [rows[rowCount], commonPrefixes[prefixCount]];
    if (prefix === undefined || (row !== undefined && isBefore(row.key, prefix))) rowCount += 1;
    else prefixCount += 1;
  }
  return {
    rows: rows.slice(0, rowCount),
    commonPrefixes: commonPrefixes.slice(0, prefixCount),
    isTruncated: true,
  };
}

/** In the order of lists. */
const isBefore = (key: string, prefix: string): boolean => Buffer.compare(Buffer.from(key), Buffer.from(prefix)) < 0;

/** The answer's document. */
export function formatVersionPage(request: VersionsRequest, page: VersionPage): Uint8Array {
  const encode: Encode = request.encodeKeys ? encodeKey : (text) => text;
  const next = page.isTruncated ? versionMarkerAfter(page) : undefined;
  return formatXmlEntries('ListVersionsResult', [
    ['Name', request.bucket],
    ['Prefix', encode(request.prefix ?? '')],
    ['KeyMarker', encode(request.keyMarker ?? '')],
    ['VersionIdMarker', request.versionIdMarker ?? ''],
    ['NextKeyMarker', next && encode(next.key)],
    ['NextVersionIdMarker', next?.versionId],
    ['MaxKeys', request.maxKeys],
    ['Delimiter', request.delimiter === undefined ? undefined : encode(request.delimiter)],
    ['EncodingType', request.encodeKeys ? 'url' : undefined],
    ['IsTruncated', page.isTruncated],
    ...page.rows.map(
      (row) => [row.stored === undefined ? 'DeleteMarker' : 'Version', rowContent(row, encode)] as const,
    ),
    ...page.commonPrefixes.map((prefix) => ['CommonPrefixes', { Prefix: encode(prefix) }] as const),
  ]);
}

function rowContent(row: VersionRow, encode: Encode): XmlContent {
  const named = { Key: encode(row.key), VersionId: row.versionId, IsLatest: row.isLatest };
  if (row.stored !== undefined) return { ...named, ...storedContent(row.stored) };
  return { ...named, LastModified: row.lastModified, Owner: ownerContent(row.owner) };
}
