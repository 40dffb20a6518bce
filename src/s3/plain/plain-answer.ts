/** What reads of still-plain objects say: the store's own words, the ETag marked as on every row of a sealing rule. */
import { answerHeaders } from '../edge/forward.ts';
import type { S3Headers, S3Request } from '../operation.ts';
import { clientEtag } from '../sealing/etag.ts';
import { overriddenHeaders } from '../sealing/response-headers.ts';

/** Headers of GET and HEAD. Those about length and range are of what the store was asked for. */
export function plainHeaders({ query }: S3Request, stored: S3Headers): S3Headers {
  return {
    ...answerHeaders(stored),
    ...(stored['etag'] === undefined ? {} : { etag: clientEtag(stored['etag']) }),
    'accept-ranges': 'bytes',
    ...overriddenHeaders(query),
  };
}

/** What the store is asked beside: it has the checksum of what lies plain, if anybody. */
export function plainAsked({ headers }: S3Request): S3Headers {
  const mode = headers['x-amz-checksum-mode'];
  return mode === undefined ? {} : { 'x-amz-checksum-mode': mode };
}
