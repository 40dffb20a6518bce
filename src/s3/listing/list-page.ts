/**
 * One page of ListObjects (v1 and v2) as data: what the backend's document says, and the document clients get. Keys are decoded when the
 * backend encoded them and encoded when the client asked for it, so backends that know no `encoding-type` serve clients that do.
 */
import { S3Error } from '../errors.ts';
import { childrenOf, childText, formatXml, parseXml, type XmlContent, type XmlTree } from './xml-tree.ts';

export type ListRow = {
  readonly key: string;
  readonly lastModified: string;
  readonly etag: string;
  readonly size: number;
  readonly storageClass: string | undefined;
  readonly owner: { readonly id: string; readonly displayName: string } | undefined;
  /** Of an archived object that is being restored, or is for a while; only where it was asked for. */
  readonly restoreStatus?: { readonly inProgress: string; readonly expiry: string | undefined } | undefined;
  /** In lists of versions. */
  readonly versionId?: string;
};

export type ListPage = {
  readonly rows: readonly ListRow[];
  readonly commonPrefixes: readonly string[];
  readonly isTruncated: boolean;
  /** Opaque; where the next page of a v2 listing begins. */
  readonly nextContinuationToken: string | undefined;
};

/** Throws ERR_S3_UPSTREAM_PROTOCOL for anything but a ListBucketResult. */
export function parseListPage(xml: string): ListPage {
  const root = parseXml(xml, 'ListBucketResult');
  if (root === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  const decode = childText(root, 'EncodingType') === 'url' ? decodeKey : (text: string): string => text;
  const rows = childrenOf(root, 'Contents').map((row) => parseRow(row, decode));
  const commonPrefixes = childrenOf(root, 'CommonPrefixes').map((prefix) => decode(childText(prefix, 'Prefix') ?? ''));
  return {
    rows,
    commonPrefixes,
    isTruncated: childText(root, 'IsTruncated') === 'true',
    nextContinuationToken: childText(root, 'NextContinuationToken'),
  };
}

/**
 * Where the next page of a v1 listing begins: the last name of this one. Not what the backend calls NextMarker: Ceph RGW 16 does not
 * encode it where it encodes the keys, so that `a%7Eb` would be read as `a~b`, and what lies between them passed over.
 */
export function markerAfter({ rows, commonPrefixes }: Pick<ListPage, 'rows' | 'commonPrefixes'>): string | undefined {
  const [key, prefix] = [rows.at(-1)?.key, commonPrefixes.at(-1)];
  if (key === undefined || prefix === undefined) return key ?? prefix;
  return Buffer.compare(Buffer.from(key), Buffer.from(prefix)) < 0 ? prefix : key;
}

export function parseRow(row: XmlTree, decode: (text: string) => string): ListRow {
  const key = childText(row, 'Key');
  const size = Number(childText(row, 'Size'));
  if (key === undefined || !Number.isSafeInteger(size) || size < 0) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  const [restore] = childrenOf(row, 'RestoreStatus');
  return {
    key: decode(key),
    lastModified: childText(row, 'LastModified') ?? '',
    etag: childText(row, 'ETag') ?? '',
    size,
    storageClass: childText(row, 'StorageClass'),
    owner: parseOwner(row),
    ...(restore === undefined ? {} : { restoreStatus: parseRestore(restore) }),
  };
}

export function parseOwner(row: XmlTree, name = 'Owner'): ListRow['owner'] {
  const [owner] = childrenOf(row, name);
  return owner && { id: childText(owner, 'ID') ?? '', displayName: childText(owner, 'DisplayName') ?? '' };
}

const parseRestore = (restore: XmlTree): ListRow['restoreStatus'] => ({
  inProgress: childText(restore, 'IsRestoreInProgress') ?? 'false',
  expiry: childText(restore, 'RestoreExpiryDate'),
});

export type ListRequest = {
  readonly version: 1 | 2;
  readonly bucket: string;
  readonly prefix: string | undefined;
  readonly delimiter: string | undefined;
  readonly maxKeys: number;
  /** v1. */
  readonly marker: string | undefined;
  /** v2. */
  readonly continuationToken: string | undefined;
  readonly startAfter: string | undefined;
  readonly encodeKeys: boolean;
};

/** The answer's document. */
export function formatListPage(request: ListRequest, page: ListPage): Uint8Array {
  const encode = request.encodeKeys ? encodeKey : (text: string): string => text;
  return formatXml('ListBucketResult', {
    Name: request.bucket,
    Prefix: encode(request.prefix ?? ''),
    ...(request.version === 1 ? versionOne(request, page, encode) : versionTwo(request, page, encode)),
    MaxKeys: request.maxKeys,
    Delimiter: request.delimiter === undefined ? undefined : encode(request.delimiter),
    EncodingType: request.encodeKeys ? 'url' : undefined,
    IsTruncated: page.isTruncated,
    Contents: page.rows.map((row) => rowContent(row, encode)),
    CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  });
}

export type Encode = (text: string) => string;

const versionOne = (request: ListRequest, page: ListPage, encode: Encode): Record<string, XmlContent | undefined> => ({
  Marker: encode(request.marker ?? ''),
  // Without a delimiter the last key is where clients go on, S3 says.
  NextMarker: page.isTruncated && request.delimiter !== undefined ? encode(markerAfter(page) ?? '') : undefined,
});

const versionTwo = (request: ListRequest, page: ListPage, encode: Encode): Record<string, XmlContent | undefined> => ({
  KeyCount: page.rows.length + page.commonPrefixes.length,
  ContinuationToken: request.continuationToken,
  NextContinuationToken: page.isTruncated ? page.nextContinuationToken : undefined,
  StartAfter: request.startAfter === undefined ? undefined : encode(request.startAfter),
});

const rowContent = (row: ListRow, encode: Encode): XmlContent => ({ Key: encode(row.key), ...storedContent(row) });

/** What a row says of the object stored under its key. */
export const storedContent = (row: ListRow) => ({
  LastModified: row.lastModified,
  ETag: row.etag,
  Size: row.size,
  Owner: ownerContent(row.owner),
  StorageClass: row.storageClass,
  RestoreStatus: row.restoreStatus && {
    IsRestoreInProgress: row.restoreStatus.inProgress,
    RestoreExpiryDate: row.restoreStatus.expiry,
  },
});

export const ownerContent = (owner: ListRow['owner']): XmlContent | undefined =>
  owner && { ID: owner.id, DisplayName: owner.displayName };

/** `encoding-type=url`: percent-encoded UTF-8, the slash kept. */
export const encodeKey = (key: string): string =>
  PLAIN.test(key)
    ? key
    : encodeURIComponent(key)
        .replaceAll('%2F', '/')
        .replace(/[!'()*]/gu, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/** Most keys: nothing to encode, nothing to decode. */
const PLAIN = /^[\w./~-]*$/u;

/** Backends write a space as `%20` or `+`; a plus is always `%2B`. */
export function decodeKey(text: string): string {
  if (PLAIN.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'));
  } catch {
    throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  }
}
