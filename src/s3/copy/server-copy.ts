/**
 * A copy of a sealed object into a sealed key: the backend copies the ciphertext, and the envelope is made anew with the DEK wrapped for
 * the destination. The data is bound to the object's id, which a copy keeps.
 *
 * Invariant: the source is pinned, by version or by ETag, so that an envelope never meets the bytes of an object that was put in its place.
 */
import type { ProbedCapabilities } from '../check.ts';
import { ENVELOPE_METADATA_NAME } from '../../envelope/object/object-envelope.ts';
import { S3Error } from '../errors.ts';
import { childText, parseXml } from '../listing/xml-tree.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import { MAX_BODY_BYTES } from '../limits.ts';
import { sendRead } from '../sealing/conditional-read.ts';
import { checkReadConditions } from '../sealing/conditions.ts';
import { rewrapObjectKey, type ObjectKey } from '../sealing/data-key.ts';
import { envelopeHeaders, openEnvelope, type OpenedEnvelope } from '../sealing/envelope-headers.ts';
import { bareEtag, clientEtag, partsInEtag } from '../sealing/etag.ts';
import { storedAnswer, type StoredAnswer } from '../sealing/fetch-stored.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { plaintextLength } from '../sealing/read-whole.ts';
import { readHeaders } from '../sealing/response-headers.ts';
import { wholeChecksum } from '../sealing/stored-checksum.ts';
import { errorDocument, sendOrThrow } from '../sealing/upstream-errors.ts';
import { encryptionHeaders } from '../sse/shown-encryption.ts';
import { writeConditions, type LearnConditions } from '../sealing/write-conditions.ts';
import { copyByParts } from './copy-by-parts.ts';
import { formatCopySource } from './copy-source-header.ts';
import { isoDate, versionOf, type CopyMade } from './copy-result.ts';
import { destinationHeaders, type Directives } from './directives.ts';
import { pinnedCopy, type Copied, type Pin, type ServerCopy } from './pinned-copy.ts';
import { asCopyErrors, refuseTooLarge } from './source-read.ts';
import { parseTagging } from '../request/tagging.ts';
import { ensureTags, readTags } from './tags.ts';

/** Undefined where it has to be streamed. Throws what a read of the source throws, and ObjectChanged. */
export async function serverCopy(
  request: S3Request,
  gateway: GatewayContext,
  source: S3Request,
  directives: Directives,
  learn: LearnConditions,
): Promise<CopyMade | undefined> {
  if (source.rule?.type !== 'seal' || request.rule?.type !== 'seal') return undefined;
  if (gateway.upstream.storeOf(source.bucket) !== gateway.upstream.storeOf(request.bucket)) return undefined;
  const backend = await gateway.caches.backend.learn(gateway, request.bucket);
  if (backend === undefined) return undefined;
  const stored = await asCopyErrors(() => headSource(source, gateway));
  const pin = pinOf(source, stored, backend);
  // What lies plain has no ciphertext to keep: whether it may be read at all, the read of it says.
  if (pin === undefined || stored.headers[ENVELOPE_METADATA_NAME] === undefined) return undefined;
  const opened = await openEnvelope(source, gateway, stored.headers);
  refuseTooLarge(await plaintextLength(source, gateway, stored, opened));
  if (wantsOtherChecksum(request, opened)) return undefined;
  const conditions = await conditionsOn(request, gateway, goesAlongParts(backend, opened), learn);
  if (conditions === undefined) return undefined;
  const key = await rewrapIfAllowed(request, gateway, source, opened.key);
  if (key === undefined) return undefined;
  const described = destinationHeaders(request.headers, readHeaders(stored.headers, opened, source), directives);
  const { layout, checksum } = opened.envelope;
  const headers = {
    ...envelopeHeaders({ ...request, headers: described }, gateway, key, { layout, checksum }),
    ...conditions,
    'x-amz-tagging-directive': directives.tagging,
  };
  const work = { request, gateway, source, stored, opened, pin, headers, backend };
  const checksums = checksumOf(work);
  const copied = await copyStored(work);
  if (copied === undefined) return undefined;
  await keepTags(work, copied, directives);
  return {
    etag: clientEtag(copied.etag),
    lastModified: isoDate(copied.lastModified, gateway.now()),
    headers: { ...copied.headers, ...encryptionHeaders(key.shown), ...(await checksums) },
    sourceVersionId: versionOf(stored.headers, source),
  };
}

async function headSource(source: S3Request, gateway: GatewayContext): Promise<StoredAnswer> {
  const response = await sendRead(source, gateway, 'HEAD');
  await response.body.release();
  checkReadConditions(source.headers, response.headers);
  return storedAnswer(source.key, response);
}

/** Who may not move keys but decrypt the source and write the destination can still have the copy streamed, under a DEK of its own. */
async function rewrapIfAllowed(
  request: S3Request,
  gateway: GatewayContext,
  source: S3Request,
  key: ObjectKey,
): Promise<ObjectKey | undefined> {
  try {
    return await rewrapObjectKey(request, gateway, source, key);
  } catch (error) {
    if (error instanceof S3Error && error.code === 'ERR_S3_ACCESS_DENIED') return undefined;
    throw error;
  }
}

/** Undefined where the backend cannot be held to what was looked at. */
function pinOf(
  { bucket, key }: S3Request,
  { versionId, etag }: StoredAnswer,
  { copyCondition }: ProbedCapabilities,
): Pin | undefined {
  if (versionId === undefined && copyCondition === undefined) return undefined;
  return {
    'x-amz-copy-source': formatCopySource({ bucket, key, versionId }),
    ...(copyCondition === undefined ? {} : { [copyCondition]: `"${etag}"` }),
  };
}

/** The checksum is sealed with the data: another than the source has can only be computed from all of it. */
function wantsOtherChecksum({ headers }: S3Request, { envelope }: OpenedEnvelope): boolean {
  const wanted = headers['x-amz-checksum-algorithm']?.toLowerCase();
  return wanted !== undefined && wanted !== envelope.checksum?.algorithm;
}

/** Conditions on the destination as the backend decides them; undefined where it does so on a PUT at most. */
async function conditionsOn(
  request: S3Request,
  gateway: GatewayContext,
  alongParts: boolean,
  learn: LearnConditions,
): Promise<S3Headers | undefined> {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (match === undefined && noneMatch === undefined) return {};
  const operation = alongParts ? 'CompleteMultipartUpload' : 'CopyObject';
  // Streamed, a PUT decides, or says why none does.
  const known = await learn().catch(() => undefined);
  const decides = operation === 'CopyObject' ? known?.conditionalCopyWrites : known?.conditionalCompletions;
  return decides === true ? writeConditions({ ...request, operation }, gateway, learn) : undefined;
}

const countsParts = (backend: ProbedCapabilities, { envelope }: OpenedEnvelope): boolean =>
  envelope.layout === 'multipart' && backend.multipartEtagCountsParts;

const goesAlongParts = (backend: ProbedCapabilities, opened: OpenedEnvelope): boolean =>
  countsParts(backend, opened) && !backend.copiesKeepPartCount;

/** By one request where that leaves an ETag whose parts can be counted (listings find sizes by it), else along the parts. */
async function copyStored(work: ServerCopy): Promise<Copied | undefined> {
  const { stored, opened, backend } = work;
  if (goesAlongParts(backend, opened)) return copyByParts(work);
  if (stored.storedSize > MAX_BODY_BYTES) return undefined;
  const copied = await copyWhole(work);
  return countsParts(backend, opened) && partsInEtag(copied.etag) !== partsInEtag(stored.etag) ? undefined : copied;
}

async function copyWhole({ request, gateway, pin, headers }: ServerCopy): Promise<Copied> {
  const { bucket, key } = request;
  const response = await pinnedCopy(() =>
    sendOrThrow(gateway, {
      method: 'PUT',
      bucket,
      key,
      headers: { ...headers, ...pin, 'x-amz-metadata-directive': 'REPLACE' },
    }),
  );
  const text = (await response.body.text(MAX_LIST_BYTES)).trim();
  const result = parseXml(text, 'CopyObjectResult');
  const etag = childText(result, 'ETag');
  // S3 begins its answer before it knows: an error may come with status 200.
  if (etag === undefined) throw errorDocument(text, response);
  return { etag: bareEtag(etag), lastModified: childText(result, 'LastModified'), headers: response.headers };
}

/** S3 says the checksum of what was copied: read while the backend copies. That it cannot be had fails no copy. */
async function checksumOf({ source, gateway, stored, opened }: ServerCopy): Promise<S3Headers> {
  const asking = { ...source, headers: { 'x-amz-checksum-mode': 'ENABLED' } };
  try {
    return await wholeChecksum(asking, gateway, stored, opened);
  } catch {
    return {};
  }
}

async function keepTags(
  { request, gateway, source, stored }: ServerCopy,
  copied: Copied,
  { tagging }: Directives,
): Promise<void> {
  const given = parseTagging(request.headers['x-amz-tagging']);
  const count = tagging === 'COPY' ? Number(stored.headers['x-amz-tagging-count'] ?? 0) : given.length;
  if (count === 0) return;
  const { bucket, key } = request;
  const version = copied.headers['x-amz-version-id'];
  const query = version === undefined ? new Map() : new Map([['versionId', version]]);
  const response = await sendOrThrow(gateway, { method: 'HEAD', bucket, key, query });
  await response.body.release();
  const tags = tagging === 'COPY' ? () => readTags(source, gateway, stored.headers) : () => given;
  await ensureTags(request, gateway, response.headers, tags, count);
}
