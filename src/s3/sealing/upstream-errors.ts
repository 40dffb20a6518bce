/** Sending to the backend where anything but success ends the request: its refusal is relayed under its own code and status. */
import { S3_WORDS } from '../error-words.ts';
import { S3Error } from '../errors.ts';
import { MAX_ERROR_DOCUMENT_BYTES } from '../limits.ts';
import { childText, parseXml } from '../listing/xml-tree.ts';
import type { GatewayContext, S3Headers } from '../operation.ts';
import type { UpstreamRequest, UpstreamResponse } from '../upstream/client.ts';
import { clientEtag } from './etag.ts';

/** What S3 means where there is no document: HEAD, and backends that send none. */
const BY_STATUS: Readonly<Record<number, readonly [s3Code: string, message: string]>> = {
  304: ['NotModified', 'Not Modified'],
  400: ['BadRequest', 'Bad Request'],
  403: ['AccessDenied', 'Access Denied'],
  404: ['NoSuchKey', 'The specified key does not exist.'],
  405: ['MethodNotAllowed', 'The specified method is not allowed against this resource.'],
  409: ['Conflict', 'The request conflicts with another. Please try again.'],
  412: ['PreconditionFailed', 'At least one of the pre-conditions you specified did not hold'],
  416: ['InvalidRange', 'The requested range is not satisfiable'],
  501: ['NotImplemented', 'The storage behind the gateway does not implement this.'],
  503: ['ServiceUnavailable', 'Please reduce your request rate.'],
};

/** Not Content-Range: the one of a refused range is in stored bytes. */
const RELAYED_HEADERS = ['last-modified', 'x-amz-delete-marker', 'x-amz-version-id', 'retry-after'];

/** Sends a request and throws the backend's refusal; a 2xx answer is returned with its body unread. */
export async function sendOrThrow(gateway: GatewayContext, request: UpstreamRequest): Promise<UpstreamResponse> {
  const response = await gateway.upstream.send(request);
  if (response.status >= 200 && response.status < 300) return response;
  throw await upstreamError(response);
}

/** Likewise for a request on an open upload: Ceph RGW says NoSuchKey of one it does not know. */
export async function sendToUpload(gateway: GatewayContext, request: UpstreamRequest): Promise<UpstreamResponse> {
  try {
    return await sendOrThrow(gateway, request);
  } catch (error) {
    if (error instanceof S3Error && error.status === 404 && error.s3Code === 'NoSuchKey') {
      throw new S3Error('ERR_S3_NO_SUCH_UPLOAD', undefined, { cause: error });
    }
    throw error;
  }
}

/** The error an answer of status 300 and above stands for, with what its headers say of the object. Reads the body. */
export async function upstreamError(response: UpstreamResponse): Promise<S3Error> {
  return errorDocument(await response.body.text(MAX_ERROR_DOCUMENT_BYTES), response);
}

/** The error a document says; some operations send one with status 200. */
export function errorDocument(
  text: string,
  { status, headers }: Pick<UpstreamResponse, 'status' | 'headers'>,
): S3Error {
  const document = text === '' ? undefined : parseXml(text, 'Error');
  const [code, message] = BY_STATUS[status] ?? ['InternalError', 'We encountered an internal error. Please try again.'];
  const s3Code = childText(document, 'Code') || code;
  return new S3Error('ERR_S3_UPSTREAM_ANSWER', childText(document, 'Message') || (S3_WORDS.get(s3Code) ?? message), {
    s3Code,
    status: status < 300 ? 500 : status,
    headers: relayedHeaders(headers),
  });
}

function relayedHeaders(headers: S3Headers): Record<string, string> {
  const relayed: Record<string, string> = {};
  for (const name of RELAYED_HEADERS) {
    const value = headers[name];
    if (value !== undefined) relayed[name] = value;
  }
  if (headers['etag'] !== undefined) relayed['etag'] = clientEtag(headers['etag']);
  return relayed;
}
