/**
 * What browsers are told. A preflight (OPTIONS) is answered here, to anybody, by the bucket's own CORS configuration; it reaches no backend
 * and says nothing but that. Actual answers, and refusals, get the same headers, or the page could not read them.
 */
import { decide, type OperationTable } from '../decide.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Headers, S3Response } from '../operation.ts';
import type { S3OperationName } from '../operation-names.ts';
import type { Place } from '../request/target.ts';
import { corsAnswer } from './cors-rules.ts';

type Asked = { readonly place: Place; readonly headers: S3Headers; readonly method: string };
type Cors = { readonly gateway: GatewayContext; readonly operations: OperationTable };

/** After these a bucket's configuration may be another. */
export const CHANGES_CORS: ReadonlySet<string> = new Set<S3OperationName>([
  'CreateBucket',
  'DeleteBucket',
  'DeleteBucketCors',
  'PutBucketCors',
]);

/** Throws ERR_S3_CORS_INSUFFICIENT, ERR_S3_CORS_FORBIDDEN, and what no bucket's configuration may be asked for. */
export async function answerPreflight({ place, headers }: Omit<Asked, 'method'>, cors: Cors): Promise<S3Response> {
  const origin = headers['origin'];
  if (origin === undefined || origin === '') throw new S3Error('ERR_S3_CORS_INSUFFICIENT');
  const method = headers['access-control-request-method'] ?? 'OPTIONS';
  const names = namesIn(headers['access-control-request-headers']);
  refuseUnasked(place, cors);
  const found = await cors.gateway.caches.cors.of(place.bucket, cors.gateway.upstream);
  if (found.type === 'no-bucket') throw forbidden('Bucket not found', method, 'BUCKET');
  if (found.type === 'none') throw forbidden('CORS is not enabled for this bucket.', method, 'BUCKET');
  const answer = corsAnswer(found.rules, { origin, method, headers: names });
  if (answer === undefined) throw forbidden(NOT_ALLOWED, method, place.key === '' ? 'BUCKET' : 'OBJECT');
  return { status: 200, headers: { ...answer, 'content-length': '0' } };
}

/** Headers for the answer to an actual request, whatever it is; none where it is no browser's, or nothing fits. Never rejects. */
export async function corsHeaders({ place, headers, method }: Asked, cors: Cors): Promise<S3Headers> {
  const origin = headers['origin'];
  if (origin === undefined || place.bucket === '') return {};
  try {
    refuseUnasked(place, cors);
    const found = await cors.gateway.caches.cors.of(place.bucket, cors.gateway.upstream);
    return found.type === 'rules' ? (corsAnswer(found.rules, { origin, method, headers: [] }) ?? {}) : {};
  } catch {
    // Without them the browser keeps the answer from the page: nothing is given away.
    return {};
  }
}

/** Of a bucket that a rule closes nothing is asked. */
function refuseUnasked({ bucket }: Place, { gateway, operations }: Cors): void {
  if (bucket === '') throw new S3Error('ERR_S3_METHOD_NOT_ALLOWED');
  decide({ bucket, key: '', operation: 'GetBucketCors', headers: {} }, gateway, operations);
}

const namesIn = (list: string | undefined): readonly string[] =>
  (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

// S3's own words, spelling included.
const NOT_ALLOWED =
  'This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method ' +
  "or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";

const forbidden = (why: string, Method: string, ResourceType: 'BUCKET' | 'OBJECT'): S3Error =>
  new S3Error('ERR_S3_CORS_FORBIDDEN', `CORSResponse: ${why}`, { details: { Method, ResourceType } });
