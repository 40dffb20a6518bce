/**
 * A copy through the gateway: the source is read as a GET of the caller reads it, the destination written as a PUT writes it, a segment at
 * a time. For everything that cannot keep its ciphertext: to or from plain keys, and where the backend cannot pin a copy to its source.
 */
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../bodies/checksums.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import { putSealed } from '../operations/put-object.ts';
import { copySourceOf } from '../request/copy-source.ts';
import { namedChecksum } from '../sealing/checksum-choice.ts';
import { clientEtag } from '../sealing/etag.ts';
import type { LearnConditions } from '../sealing/write-conditions.ts';
import { CopiedBody } from './copied-body.ts';
import { onCopyLane } from './copy-lane.ts';
import { isoDate, versionOf, type CopyMade } from './copy-result.ts';
import { destinationHeaders, type Directives } from './directives.ts';
import { replacingInPlace } from './replace-in-place.ts';
import { readSource, refuseTooLarge, type ReadSource } from './source-read.ts';
import { formatTags, parseTagging, type Tag } from '../request/tagging.ts';
import type { Place } from '../request/target.ts';
import { ensureTags, readTags } from './tags.ts';
import { writePlain } from './write-plain.ts';

/** `learn` asks on the copy's own lane: the source is held meanwhile. Throws what reading the source or writing the destination throws; then nothing is at the destination that was not there before. */
export async function streamCopy(
  request: S3Request,
  gateway: GatewayContext,
  source: S3Request,
  directives: Directives,
  learn: LearnConditions,
): Promise<CopyMade> {
  const asked = { ...source, headers: { ...source.headers, ...asking(request) } };
  const read = await readSource(asked, gateway, request.rule?.type === 'seal' ? 'sealed' : 'plain');
  refuseTooLarge(read.length);
  const there = await destinationGateway(request, gateway, read);
  const tags =
    directives.tagging === 'COPY'
      ? await readTags(source, there, read.headers)
      : parseTagging(request.headers['x-amz-tagging']);
  const destination = destinationRequest(request, read, directives, tags);
  const written = await write(destination, there, learn);
  const { head, seen } = await lookAt(request, gateway, written);
  await ensureTags(request, gateway, head, () => tags, tags.length);
  return {
    etag: seen,
    lastModified: isoDate(head['last-modified'], gateway.now()),
    headers: written,
    sourceVersionId: versionOf(read.headers, source),
  };
}

function destinationRequest(
  request: S3Request,
  { headers, body, length }: ReadSource,
  directives: Directives,
  tags: readonly Tag[],
): S3Request {
  const algorithm = namedChecksum(request.headers) ?? checksumOfSource(headers);
  return {
    ...request,
    operation: 'PutObject',
    query: new Map(),
    headers: {
      ...destinationHeaders(request.headers, headers, directives),
      ...(tags.length === 0 ? {} : { 'x-amz-tagging': formatTags(tags) }),
    },
    body: new CopiedBody({ body, length, algorithm }),
  };
}

/** A sealed copy has the checksum that its source has, unless another is asked for; of a source of many parts, that of the whole. */
const asking = ({ rule, headers }: S3Request): S3Headers =>
  rule?.type === 'seal' && headers['x-amz-checksum-algorithm'] === undefined
    ? { 'x-amz-checksum-mode': 'ENABLED' }
    : {};

const checksumOfSource = (headers: S3Headers): ChecksumAlgorithm | undefined =>
  CHECKSUM_ALGORITHMS.find((algorithm) => headers[`x-amz-checksum-${algorithm}`] !== undefined);

/** An object that is copied to itself is read while it is replaced: not every backend keeps the two apart. */
async function destinationGateway(
  request: S3Request,
  gateway: GatewayContext,
  { body }: ReadSource,
): Promise<GatewayContext> {
  const there = onCopyLane(gateway);
  if (body instanceof Uint8Array || !isSameKey(request, copySourceOf(request.headers))) return there;
  const backend = await gateway.caches.backend.learn(there, request.bucket);
  return backend?.copyCondition === undefined ? replacingInPlace(there, request) : there;
}

/** Whichever version the source names: a backend without versions may read past that. */
const isSameKey = (one: Place, other: Place): boolean => one.bucket === other.bucket && one.key === other.key;

/** Headers of the answer. */
async function write(destination: S3Request, gateway: GatewayContext, learn: LearnConditions): Promise<S3Headers> {
  if (destination.rule?.type === 'seal') return putSealed(destination, gateway, learn);
  const { 'x-amz-checksum-algorithm': _ours, ...headers } = destination.headers;
  return writePlain({ ...destination, method: 'PUT', headers }, gateway);
}

/** What the destination is now: its date, and its ETag as HEAD and LIST show it. */
async function lookAt(
  { bucket, key, rule }: S3Request,
  gateway: GatewayContext,
  written: S3Headers,
): Promise<{ readonly head: S3Headers; readonly seen: string }> {
  const version = written['x-amz-version-id'];
  const query = version === undefined || version === 'null' ? new Map() : new Map([['versionId', version]]);
  const response = await gateway.upstream.send({ method: 'HEAD', bucket, key, query });
  await response.body.release();
  const etag = written['etag'] ?? response.headers['etag'] ?? '';
  // Another may have been put there since.
  return {
    head: response.status === 200 ? response.headers : {},
    seen: rule?.type === 'seal' ? clientEtag(etag) : etag,
  };
}
