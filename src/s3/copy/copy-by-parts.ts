/**
 * A multipart object copied along its stored parts, the footer part among them: so the copy's ETag counts as many parts, by which listings
 * find its size. On failure the upload is aborted; until it is completed nothing of it is seen at the key.
 */
import { PART_OVERHEAD } from '../../envelope/object/sizes.ts';
import { S3Error } from '../errors.ts';
import { childText, parseXml } from '../listing/xml-tree.ts';
import { completeUpstream } from '../multipart/complete-upstream.ts';
import type { BackendPart } from '../multipart/backend-part.ts';
import { createUpstream } from '../operations/create-multipart-upload.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import { bareEtag, partsInEtag } from '../sealing/etag.ts';
import { MAX_LIST_BYTES, PART_COPIES_AT_ONCE } from '../sealing/limits.ts';
import { multipartLayout } from '../sealing/object-layout.ts';
import type { ByteRange } from '../sealing/range-header.ts';
import { errorDocument, sendOrThrow } from '../sealing/upstream-errors.ts';
import { pinnedCopy, type Copied, type ServerCopy } from './pinned-copy.ts';

/** Undefined where it has to be streamed. Throws ObjectChanged. */
export async function copyByParts(work: ServerCopy): Promise<Copied | undefined> {
  const { request, gateway, stored, opened, backend, headers } = work;
  if (!backend.conditionalPartCopies && stored.versionId === undefined) return undefined;
  const ranges = await storedParts(work);
  if (ranges.length !== partsInEtag(stored.etag)) return undefined;
  const { 'x-amz-tagging-directive': _directive, 'if-match': match, 'if-none-match': noneMatch, ...made } = headers;
  const conditions = {
    ...(match === undefined ? {} : { 'if-match': match }),
    ...(noneMatch === undefined ? {} : { 'if-none-match': noneMatch }),
  };
  const backendUploadId = await createUpstream(request, gateway, made);
  try {
    const parts = await mapBounded([...ranges.entries()], PART_COPIES_AT_ONCE, ([index, range]) =>
      copyPart(work, backendUploadId, index + 1, range),
    );
    const upload = { backendUploadId, objectId: opened.envelope.objectId };
    const { etag, versionId } = await completeUpstream(request, gateway, upload, parts, conditions);
    return {
      etag,
      lastModified: undefined,
      headers: versionId === undefined ? {} : { 'x-amz-version-id': versionId },
    };
  } catch (error) {
    await abort(work, backendUploadId);
    throw error;
  }
}

/** Where the backend's parts lie: those of the list, and the one that holds it where it has one of its own. */
async function storedParts({ source, gateway, stored, opened }: ServerCopy): Promise<readonly ByteRange[]> {
  const { parts } = await multipartLayout(source, gateway, stored, opened.key);
  const ranges = parts.map(({ storedStart, storedLength }) => ({
    from: storedStart,
    to: storedStart + storedLength - 1,
  }));
  const end = (ranges.at(-1)?.to ?? -1) + 1;
  return stored.storedSize === end ? ranges : [...ranges, { from: end, to: end + PART_OVERHEAD - 1 }];
}

async function copyPart(
  { request, gateway, pin }: ServerCopy,
  uploadId: string,
  number: number,
  { from, to }: ByteRange,
): Promise<BackendPart> {
  const { bucket, key, signal } = request;
  const query = new Map([
    ['partNumber', String(number)],
    ['uploadId', uploadId],
  ]);
  const headers = { ...pin, 'x-amz-copy-source-range': `bytes=${from}-${to}` };
  const response = await pinnedCopy(() => sendOrThrow(gateway, { method: 'PUT', bucket, key, query, headers, signal }));
  const text = (await response.body.text(MAX_LIST_BYTES)).trim();
  const etag = childText(parseXml(text, 'CopyPartResult'), 'ETag');
  if (etag === undefined) throw errorDocument(text, response);
  return { number, etag: bareEtag(etag) };
}

/** Does not end with the client's connection. What is left of a gateway that died is an upload nobody sees at the key. */
async function abort({ request, gateway }: ServerCopy, uploadId: string): Promise<void> {
  const { bucket, key } = request;
  try {
    const query = new Map([['uploadId', uploadId]]);
    const response = await gateway.upstream.send({ method: 'DELETE', bucket, key, query });
    await response.body.release();
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    gateway.log.warn({ err: error, bucket }, 'the upload of a copy that failed could not be aborted');
  }
}
