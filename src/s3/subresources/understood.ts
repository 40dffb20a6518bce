/**
 * Whether the backend knows a subresource at all. One that does not may ignore the parameter: then a GET reads the object or lists the bucket,
 * a PUT overwrites the object with the document, and a DELETE removes the object or the bucket (Ceph RGW 16 does, for `?ownershipControls`).
 * So the answer to a GET is looked at, and before anything is changed there is one.
 */
import { S3Error } from '../errors.ts';
import { MAX_ERROR_DOCUMENT_BYTES } from '../limits.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import { isReservedName } from '../request/headers.ts';
import { errorDocument } from '../sealing/upstream-errors.ts';
import type { UpstreamResponse } from '../upstream/client.ts';

/** That nothing is set says that it could be. Of a key, bucket or version that is not there, it says nothing. */
const NOTHING_SET = /NotFoundError$|^NoSuch(?!Key$|Bucket$|Version$|Upload$)/u;

/** Asks for the subresource before it is changed. Throws ERR_S3_NOT_IMPLEMENTED, or what the backend refuses even to show. */
export async function checkUnderstood(
  request: S3Request,
  gateway: GatewayContext,
  headers: S3Headers = {},
): Promise<void> {
  const { bucket, key, signal } = request;
  // Of settings that a bucket has several of, the list.
  const query = new Map([...request.query].filter(([name]) => name !== 'id'));
  const place = { bucket, ...(key === '' ? {} : { key }) };
  const response = await gateway.upstream.send({ method: 'GET', ...place, query, headers, signal });
  await refuseUnknown(response, 'GET');
  const document = await response.body.bytes(MAX_ERROR_DOCUMENT_BYTES);
  if (response.status < 300) return refuseListing(document);
  const refusal = errorDocument(Buffer.from(document).toString(), response);
  if (!NOTHING_SET.test(refusal.s3Code)) throw refusal;
}

/** Throws where the answer is the object itself. */
export async function refuseUnknown({ headers, body }: UpstreamResponse, method: string): Promise<void> {
  if (method !== 'GET' || !Object.keys(headers).some(isReservedName)) return;
  await body.release();
  throw unknown();
}

/** Throws where the answer is a list of the bucket. */
export function refuseListing(document: Uint8Array): void {
  if (isList(document)) throw unknown();
}

/** Whether a document is a list of the bucket: what a parameter that is not known leaves of the question. */
export function isList(document: Uint8Array): boolean {
  const head = Buffer.from(document.subarray(0, 1024)).toString('latin1');
  return /<(?:\w+:)?ListBucketResult[\s>]/u.test(head);
}

const unknown = (): S3Error =>
  new S3Error('ERR_S3_NOT_IMPLEMENTED', 'The storage behind the gateway does not know this setting.');
