/** ListParts in sizes of the plaintext: the backend's parts and the held ones, the newer attempt of each; the footer part is none. */
import { hiddenUploadPrefix, parseHiddenKey } from '../../envelope/object/hidden-object.ts';
import { plainSize } from '../../envelope/object/sizes.ts';
import { S3Error } from '../errors.ts';
import { listHidden } from '../listing/delete-hidden.ts';
import { formatXml } from '../listing/xml-tree.ts';
import { fetchPartsPage, type PartsPage, type StoredPart } from '../multipart/list-parts-page.ts';
import { knownPartName } from '../multipart/known-parts.ts';
import { openUpload, unwrapUploadKey, type OpenUpload } from '../multipart/open-upload.ts';
import type { GatewayContext, S3Operation, S3Request, S3Response } from '../operation.ts';
import { CHECKSUM_ELEMENTS, checksumChoiceContent, toBase64 } from '../sealing/checksum-headers.ts';
import { bareEtag, clientEtag } from '../sealing/etag.ts';

const MAX_PARTS = 1_000;

type PartsAnswer = Pick<PartsPage, 'about'> & {
  readonly parts: readonly StoredPart[];
  readonly marker: number;
  readonly maxParts: number;
  readonly isTruncated: boolean;
};

export const listParts: S3Operation = {
  name: 'ListParts',
  async handle(request, gateway) {
    const upload = await openUpload(request, gateway);
    // Whoever lists parts learns lengths and ETags: the key's policy is asked as for any other use.
    await unwrapUploadKey(request, gateway, upload);
    const marker = numberParameter(request, 'part-number-marker', 0);
    const maxParts = Math.min(MAX_PARTS, numberParameter(request, 'max-parts', MAX_PARTS));
    const page = await fetchPartsPage(gateway, upload, { marker, maxParts });
    const held = await heldParts(gateway, upload);
    const within = held.filter(({ number }) => number > marker && number <= (page.nextMarker ?? Infinity));
    const merged = newestOfEach([...page.parts, ...within]);
    const parts = merged.slice(0, maxParts);
    const isTruncated = page.nextMarker !== undefined || parts.length < merged.length;
    return respond(request, gateway, upload, { about: page.about, parts, marker, maxParts, isTruncated });
  },
};

function numberParameter({ query }: S3Request, name: string, fallback: number): number {
  const text = query.get(name) ?? '';
  // Beyond 31 bits S3 has no integer.
  if (!/^[0-9]{0,10}$/u.test(text) || Number(text) >= 2 ** 31)
    throw new S3Error('ERR_S3_INVALID_ARGUMENT', `Provided ${name} not an integer or within integer range`, {
      details: { ArgumentName: name, ArgumentValue: text },
    });
  return text === '' ? fallback : Number(text);
}

async function heldParts(
  { upstream }: GatewayContext,
  { bucket, objectId }: OpenUpload,
): Promise<readonly StoredPart[]> {
  const rows = await listHidden({ upstream, bucket }, hiddenUploadPrefix(objectId));
  return rows.flatMap(({ key, etag, size, lastModified }) => {
    const name = parseHiddenKey(key);
    if (name?.type !== 'part') return [];
    return [{ number: name.partNumber, etag: bareEtag(etag), plainLength: plainSize(size) ?? 0, lastModified }];
  });
}

function newestOfEach(parts: readonly StoredPart[]): readonly StoredPart[] {
  const byNumber = new Map<number, StoredPart>();
  for (const part of parts) {
    const other = byNumber.get(part.number);
    if (other === undefined || Date.parse(other.lastModified) <= Date.parse(part.lastModified)) {
      byNumber.set(part.number, part);
    }
  }
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

function respond(
  { bucket, key }: S3Request,
  gateway: GatewayContext,
  upload: OpenUpload,
  answer: PartsAnswer,
): S3Response {
  const body = formatXml('ListPartsResult', {
    Bucket: bucket,
    Key: key,
    UploadId: upload.token,
    ...answer.about,
    ...checksumChoiceContent(upload.checksum),
    PartNumberMarker: answer.marker,
    NextPartNumberMarker: answer.parts.at(-1)?.number ?? 0,
    MaxParts: answer.maxParts,
    IsTruncated: answer.isTruncated,
    Part: answer.parts.map((part) => ({
      PartNumber: part.number,
      LastModified: part.lastModified,
      ETag: clientEtag(part.etag),
      Size: part.plainLength,
      ...partChecksum(gateway, upload, part),
    })),
  });
  const headers = { 'content-type': 'application/xml', 'content-length': String(body.length) };
  return { status: 200, headers, body };
}

/** Of parts that this gateway took: another one's are not known here. */
function partChecksum(
  { caches }: GatewayContext,
  { objectId, checksum }: OpenUpload,
  { number, etag }: StoredPart,
): Readonly<Record<string, string>> {
  const known = caches.knownParts.get(knownPartName(objectId, number, etag));
  const value = checksum === undefined ? undefined : known?.digests?.[checksum.algorithm];
  return checksum === undefined || value === undefined
    ? {}
    : { [CHECKSUM_ELEMENTS[checksum.algorithm]]: toBase64(value) };
}
