/**
 * What the storage behind the gateway can do, found out by trying it on a small hidden object of a ruled bucket: for `sealgate check`, and
 * for the gateway itself before its first multipart upload or listing. Nothing of a client's is touched; what is made is deleted.
 */
import { NO_CONDITIONS, probeConditions, type ConditionCapabilities } from './check-conditions.ts';
import { clearProbe, newProbeKey, type ProbePlace } from './check-leftovers.ts';
import { completesWithSome } from './check-some-parts.ts';
import { NO_COPIES, probeCopies, type CopyCapabilities } from './check-copies.ts';
import { S3Error } from './errors.ts';
import { deleteHiddenKey } from './listing/delete-hidden.ts';
import { childrenOf, childText, formatXml, parseXml } from './listing/xml-tree.ts';
import { partsInEtag } from './sealing/etag.ts';
import { MAX_LIST_BYTES } from './sealing/limits.ts';
import type { UpstreamCapabilities } from './upstream/capabilities.ts';
import { sendingBy, type UpstreamClient, type UpstreamRequest, type UpstreamResponse } from './upstream/client.ts';

export type ProbedCapabilities = Pick<
  UpstreamCapabilities,
  'multipart' | 'multipartEtagCountsParts' | 'listsParts' | 'completesWithSomeParts'
> &
  ConditionCapabilities &
  CopyCapabilities;

const NO_MULTIPART: ProbedCapabilities = {
  multipart: false,
  multipartEtagCountsParts: false,
  listsParts: false,
  completesWithSomeParts: true,
  ...NO_CONDITIONS,
  ...NO_COPIES,
};

/** Tries the backend on one bucket. Throws ERR_S3_NO_SUCH_BUCKET, ERR_S3_ACCESS_DENIED, or that there is no answer. */
export async function probeCapabilities(
  upstream: UpstreamClient,
  bucket: string,
  random: (bytes: number) => Uint8Array,
): Promise<ProbedCapabilities> {
  const probe = { upstream, bucket, key: newProbeKey(random) };
  try {
    return await probeAt(probe);
  } catch (error) {
    // What it could not do is told, not what became of clearing up.
    await clearProbe(probe).catch(() => undefined);
    throw error;
  }
}

/** Likewise with objects of this key; where it rejects, something of them may be left. */
export async function probeAt(place: ProbePlace): Promise<ProbedCapabilities> {
  const probe = { ...place, upstream: whileNotBusy(place.upstream) };
  const uploadId = await createUpload(probe);
  if (uploadId === undefined) return NO_MULTIPART;
  const found = await probeUpload(probe, uploadId);
  await send(probe, { method: 'DELETE', query: new Map([['uploadId', uploadId]]) });
  await deleteHiddenKey(probe, probe.key);
  return found;
}

/** What a store says that is busy, or a balancer before it: nothing of what it can do. */
const BUSY: ReadonlySet<number> = new Set([429, 502, 503, 504]);

function whileNotBusy(upstream: UpstreamClient): UpstreamClient {
  return sendingBy(upstream, async (request) => {
    const response = await upstream.send(request);
    if (!BUSY.has(response.status)) return response;
    await response.body.release();
    throw new S3Error('ERR_S3_SLOW_DOWN', `The storage was busy (${response.status}) while it was tried.`);
  });
}

async function probeUpload(probe: ProbePlace, uploadId: string): Promise<ProbedCapabilities> {
  const part = await send(probe, { method: 'PUT', query: partQuery(uploadId), body: Buffer.from('probe') });
  refuseBreakdown(part);
  const etag = part.headers['etag'];
  const listsParts = await listsPart(probe, uploadId);
  const completed = etag !== undefined && (await complete(probe, uploadId, etag));
  if (!completed) return { ...NO_MULTIPART, listsParts };
  const made = await send(probe, { method: 'HEAD' });
  if (made.status !== 200) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return {
    multipart: true,
    multipartEtagCountsParts: partsInEtag(made.headers['etag'] ?? '') === 1,
    listsParts,
    // Without a list of them nobody could look.
    completesWithSomeParts: !listsParts || (await completesWithSome(probe)),
    ...(await probeCopies({ ...probe, etag: made.headers['etag'] ?? '' })),
    ...(await probeConditions(probe)),
  };
}

const partQuery = (uploadId: string): ReadonlyMap<string, string> =>
  new Map([
    ['partNumber', '1'],
    ['uploadId', uploadId],
  ]);

/** What stores say that have no uploads in parts. */
const NO_UPLOADS: ReadonlySet<string> = new Set([
  'NotImplemented',
  'MethodNotAllowed',
  'InvalidRequest',
  'InvalidArgument',
]);

/** Whoever knows no uploads says so; another refusal (400 RequestTimeout, 429) is of this moment, and what is found is kept. */
const knowsNoUploads = (status: number, text: string): boolean =>
  status === 405 ||
  status === 501 ||
  (status === 400 && NO_UPLOADS.has(childText(parseXml(text, 'Error'), 'Code') ?? ''));

/** A store that begins uploads knows what goes on with them: that it broke down is of this moment. */
function refuseBreakdown({ status }: UpstreamResponse): void {
  if (status === 500) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
}

async function createUpload({ upstream, bucket, key }: ProbePlace): Promise<string | undefined> {
  const response = await upstream.send({ method: 'POST', bucket, key, query: new Map([['uploads', '']]) });
  const text = await response.body.text(MAX_LIST_BYTES);
  if (response.status === 404) throw new S3Error('ERR_S3_NO_SUCH_BUCKET');
  if (response.status === 403) throw new S3Error('ERR_S3_ACCESS_DENIED');
  if (response.status !== 200 && !knowsNoUploads(response.status, text)) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return childText(parseXml(text, 'InitiateMultipartUploadResult'), 'UploadId');
}

async function listsPart({ upstream, bucket, key }: ProbePlace, uploadId: string): Promise<boolean> {
  const response = await upstream.send({ method: 'GET', bucket, key, query: new Map([['uploadId', uploadId]]) });
  const text = await response.body.text(MAX_LIST_BYTES);
  refuseBreakdown(response);
  return response.status === 200 && childrenOf(parseXml(text, 'ListPartsResult'), 'Part').length === 1;
}

async function complete(probe: ProbePlace, uploadId: string, etag: string): Promise<boolean> {
  const body = formatXml('CompleteMultipartUpload', { Part: { PartNumber: 1, ETag: etag } });
  const query = new Map([['uploadId', uploadId]]);
  const completed = await send(probe, { method: 'POST', query, body, headers: { 'content-type': 'application/xml' } });
  refuseBreakdown(completed);
  return completed.status === 200;
}

async function send(
  { upstream, bucket, key }: ProbePlace,
  request: Omit<UpstreamRequest, 'bucket' | 'key'>,
): Promise<UpstreamResponse> {
  const response = await upstream.send({ ...request, bucket, key });
  await response.body.release();
  return response;
}
