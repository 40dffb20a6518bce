/**
 * Conditions of a write or deletion (`If-None-Match: *`, `If-Match`). The backend decides on them, where it was found to: clients build locks
 * on them, and between a look and a write of the gateway another writer can pass. Elsewhere they are refused, unless the configuration asks for
 * that look.
 */
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import type { ConditionCapabilities } from '../check-conditions.ts';
import { bareEtag, splitEtagList, upstreamEtagList } from './etag.ts';
import { upstreamError } from './upstream-errors.ts';

/** As `learnConditions` has it, for this bucket. */
export type LearnConditions = () => Promise<ConditionCapabilities | undefined>;

/** For all that one request asks of it, one question to the store. */
export function learningOnce(gateway: GatewayContext, request: S3Request): LearnConditions {
  let learnt: ReturnType<LearnConditions> | undefined;
  return () => (learnt ??= gateway.caches.backend.learnConditions(gateway, request));
}

/**
 * The headers to send along. The object is looked at in either case, so that what fails does so before a body is read, and in S3's words. Throws
 * ERR_S3_PRECONDITION_FAILED, ERR_S3_NO_SUCH_KEY, ERR_S3_NOT_IMPLEMENTED. `learn`: for many objects of one request, or many ways to do it, it is asked once.
 */
export async function writeConditions(
  request: S3Request,
  gateway: GatewayContext,
  learn: LearnConditions = learningOnce(gateway, request),
): Promise<S3Headers> {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (match === undefined && noneMatch === undefined) return {};
  const sent = await decidedConditions(request, gateway, learn);
  await lookFirst(request, gateway);
  return sent;
}

/** The conditions in the backend's terms, or none where the look has to do. Throws ERR_S3_NOT_IMPLEMENTED, ERR_S3_SLOW_DOWN. */
async function decidedConditions(
  request: S3Request,
  { options }: GatewayContext,
  learn: LearnConditions,
): Promise<S3Headers> {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (noneMatch !== undefined && (noneMatch.trim() !== '*' || request.operation === 'DeleteObject')) {
    throw new S3Error('ERR_S3_NOT_IMPLEMENTED', 'A write can be conditional on If-None-Match: * only.');
  }
  const backend = await (options.emulateConditions ? learn().catch(() => undefined) : learn());
  if (backend !== undefined && decides(backend, request)) {
    return {
      ...(match === undefined ? {} : { 'if-match': matchHeader(match, request, backend) }),
      ...(noneMatch === undefined ? {} : { 'if-none-match': '*' }),
    };
  }
  if (options.emulateConditions) return {};
  if (backend === undefined) {
    throw new S3Error('ERR_S3_SLOW_DOWN', 'What the storage does with conditions is not known yet. Please try again.');
  }
  throw new S3Error(
    'ERR_S3_NOT_IMPLEMENTED',
    'The storage behind the gateway does not decide on this condition, and without it two writers could both succeed.',
  );
}

function decides(backend: ConditionCapabilities, { operation, headers }: S3Request): boolean {
  switch (operation) {
    case 'CompleteMultipartUpload':
      return backend.conditionalCompletions;
    case 'CopyObject':
      return backend.conditionalCopyWrites;
    case 'DeleteObject':
      return backend.conditionalDeletions;
    default:
      return (
        (headers['if-none-match'] === undefined || backend.conditionalWrites) &&
        (headers['if-match'] === undefined || backend.conditionalReplacements !== false)
      );
  }
}

function matchHeader(list: string, { operation }: S3Request, backend: ConditionCapabilities): string {
  const sent = upstreamEtagList(list);
  return operation === 'PutObject' && backend.conditionalReplacements === 'bare' ? sent.replaceAll('"', '') : sent;
}

async function lookFirst({ bucket, key, query, headers, signal }: S3Request, gateway: GatewayContext): Promise<void> {
  const version = query.get('versionId');
  const response = await gateway.upstream.send({
    method: 'HEAD',
    bucket,
    key,
    query: version === undefined ? new Map() : new Map([['versionId', version]]),
    signal,
  });
  await response.body.release();
  const exists = response.status < 300;
  if (!exists && response.status !== 404 && response.status !== 405) throw await upstreamError(response);
  if (exists && headers['if-none-match'] !== undefined) throw new S3Error('ERR_S3_PRECONDITION_FAILED');
  if (headers['if-match'] === undefined) return;
  // Of a copy it is the destination that is missing, and no version that its source names.
  if (!exists)
    throw new S3Error('ERR_S3_NO_SUCH_KEY', undefined, version === undefined ? { details: { Key: key } } : {});
  if (!matchesEtag(headers['if-match'], response.headers['etag'])) throw new S3Error('ERR_S3_PRECONDITION_FAILED');
}

/** Whether a client's list has the backend's ETag. */
function matchesEtag(list: string, upstream: string | undefined): boolean {
  const wanted = splitEtagList(upstreamEtagList(list));
  return wanted.includes('*') || wanted.includes(bareEtag(upstream ?? ''));
}
