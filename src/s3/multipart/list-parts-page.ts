/** Parts of an open upload as the backend lists them, sealed; and the document of ListParts in terms of the plaintext. */
import { FOOTER_PART_NUMBER } from '../../envelope/object/footer.ts';
import { plainSizeOfMultipart } from '../../envelope/object/sizes.ts';
import { S3Error } from '../errors.ts';
import type { OpenUpload } from './open-upload.ts';
import { madeBy } from '../listing/made-by.ts';
import { childrenOf, childText, parseXml, type XmlContent, type XmlTree } from '../listing/xml-tree.ts';
import type { GatewayContext } from '../operation.ts';
import { bareEtag } from '../sealing/etag.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { sendToUpload } from '../sealing/upstream-errors.ts';

/** A part that lies at the backend. */
export type StoredPart = {
  readonly number: number;
  /** The backend's, without quotes. */
  readonly etag: string;
  readonly plainLength: number;
  readonly lastModified: string;
};

export type PartsPage = {
  readonly parts: readonly StoredPart[];
  readonly nextMarker: number | undefined;
  /** What the document says of the whole upload. */
  readonly about: Readonly<Record<string, XmlContent | undefined>>;
};

type PageStart = { readonly marker: number; readonly maxParts: number };

/** One page of the backend's ListParts, without what has the footer part's number (a client's part of it is held). Throws the backend's refusal (NoSuchUpload). */
export async function fetchPartsPage(gateway: GatewayContext, upload: OpenUpload, from: PageStart): Promise<PartsPage> {
  const { parts, nextMarker, about } = await fetchBackendPage(gateway, upload, from);
  return {
    about,
    parts: parts.filter((part) => part.number < FOOTER_PART_NUMBER),
    nextMarker: nextMarker !== undefined && nextMarker < FOOTER_PART_NUMBER - 1 ? nextMarker : undefined,
  };
}

async function fetchBackendPage(
  gateway: GatewayContext,
  { bucket, key, backendUploadId }: OpenUpload,
  from: PageStart,
): Promise<PartsPage> {
  const query = new Map([
    ['uploadId', backendUploadId],
    ['max-parts', String(from.maxParts)],
    ...(from.marker === 0 ? [] : [['part-number-marker', String(from.marker)] as const]),
  ]);
  const response = await sendToUpload(gateway, { method: 'GET', bucket, key, query });
  const root = parseXml(await response.body.text(MAX_LIST_BYTES), 'ListPartsResult');
  if (root === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  const parts = childrenOf(root, 'Part').map(parseStoredPart);
  const next = Number(childText(root, 'NextPartNumberMarker') ?? parts.at(-1)?.number ?? 0);
  const isTruncated = childText(root, 'IsTruncated') === 'true' && next > from.marker;
  const about = { ...madeBy(root), StorageClass: childText(root, 'StorageClass') || 'STANDARD' };
  return { parts, nextMarker: isTruncated ? next : undefined, about };
}

/** The ETag of a part that lies at the backend now, the footer part's too; undefined where there is none. */
export async function storedEtag(
  gateway: GatewayContext,
  upload: OpenUpload,
  number: number,
): Promise<string | undefined> {
  const { parts } = await fetchBackendPage(gateway, upload, { marker: number - 1, maxParts: 1 });
  return parts.find((part) => part.number === number)?.etag;
}

/** All parts by number, and whether a completion before has left an end of its own under the footer part's. */
export async function fetchAllParts(
  gateway: GatewayContext,
  upload: OpenUpload,
): Promise<{ readonly parts: ReadonlyMap<number, StoredPart>; readonly hasEnd: boolean }> {
  const parts = new Map<number, StoredPart>();
  for (let marker: number | undefined = 0; marker !== undefined;) {
    const page: PartsPage = await fetchBackendPage(gateway, upload, { marker, maxParts: 1_000 });
    for (const part of page.parts) parts.set(part.number, part);
    marker = page.nextMarker;
  }
  const hasEnd = parts.delete(FOOTER_PART_NUMBER);
  return { parts, hasEnd };
}

function parseStoredPart(tree: XmlTree): StoredPart {
  const number = Number(childText(tree, 'PartNumber'));
  const stored = Number(childText(tree, 'Size'));
  if (!Number.isSafeInteger(number) || !Number.isSafeInteger(stored)) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return {
    number,
    etag: bareEtag(childText(tree, 'ETag') ?? ''),
    // A part that is too short to be ours shows as it is; completing with it fails.
    plainLength: plainSizeOfMultipart(stored, 1) ?? 0,
    lastModified: childText(tree, 'LastModified') ?? '',
  };
}
