/** Writes answers: headers, bodies with back-pressure, S3's error documents; and decides what becomes of the connection. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readRest } from '../../http/read-rest.ts';
import { S3Error } from '../errors.ts';
import { MAX_LINGER_BYTES } from '../limits.ts';
import type { S3Headers, S3Log, S3Response } from '../operation.ts';
import type { AskedFor } from '../xml/error-details.ts';
import { formatErrorDocument } from '../xml/error-document.ts';
import { sendBody } from './send-body.ts';

export type Answering = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly requestId: string;
  readonly log: S3Log;
  readonly draining: () => boolean;
  /** What a browser is told beside the answer, whatever it is. */
  cors?: S3Headers;
  /** What was asked for, once that is understood. */
  asked?: AskedFor;
};

export async function respond(response: S3Response, answering: Answering): Promise<void> {
  const { outgoing, incoming } = answering;
  const { body } = response;
  outgoing.writeHead(response.status, headersOf(response, answering));
  if (body === undefined || incoming.method === 'HEAD' || !hasBody(response.status)) endWith(undefined, answering);
  else if (body instanceof Uint8Array) endWith(body, answering);
  else {
    void readRest(incoming, REST);
    await sendBody(body, outgoing);
  }
}

function headersOf({ status, headers, body }: S3Response, answering: Answering): Record<string, string> {
  // Node takes a Content-Disposition beyond ASCII only where it stands before the Content-Length.
  const disposition = headers['content-disposition'];
  const all: Record<string, string> = {
    'x-amz-request-id': answering.requestId,
    ...answering.cors,
    ...(disposition === undefined ? {} : { 'content-disposition': disposition }),
    ...headers,
  };
  if (body instanceof Uint8Array) all['content-length'] = String(body.length);
  if (body === undefined && answering.incoming.method !== 'HEAD' && hasBody(status)) all['content-length'] = '0';
  return { ...all, ...closing(answering) };
}

const hasBody = (status: number): boolean => status !== 204 && status !== 304 && status >= 200;

/** Ends the exchange with an error document; once an answer has begun, by closing the connection: truncated, never wrong. Never throws. */
export function respondError(error: S3Error, answering: Answering): void {
  const { outgoing, log, requestId } = answering;
  try {
    if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy();
    else writeError(error, answering);
  } catch (cause) {
    log.error({ requestId, err: cause }, 'an error could not be answered');
    outgoing.destroy();
  }
}

function writeError(error: S3Error, answering: Answering): void {
  const { incoming, outgoing, requestId } = answering;
  const resource = (incoming.url ?? '/').split('?')[0] ?? '/';
  const document = formatErrorDocument(error, requestId, resource, answering.asked);
  const sends = hasBody(error.status);
  outgoing.writeHead(error.status, {
    ...answering.cors,
    ...error.headers,
    ...(sends ? { 'content-type': 'application/xml', 'content-length': String(document.length) } : {}),
    'x-amz-request-id': requestId,
    ...closing(answering),
  });
  endWith(sends && incoming.method !== 'HEAD' ? document : undefined, answering);
}

/** Everything that is thrown, as an S3Error; what is not one is a bug, said to the log alone. */
export function asS3Error(error: unknown, answering: Answering): S3Error {
  const { log, requestId } = answering;
  if (error instanceof S3Error) {
    if (error.status >= 500) log.warn({ requestId, code: error.code, cause: causeOf(error) }, error.message);
    return error;
  }
  if (answering.outgoing.destroyed)
    return new S3Error('ERR_S3_REQUEST_TIMEOUT', 'The client closed the connection.', { cause: error });
  log.error({ requestId, err: error }, 'a request failed in a way no error of ours describes');
  return new S3Error('ERR_S3_INTERNAL', undefined, { cause: error });
}

function causeOf(error: Error): string | undefined {
  const { cause } = error;
  if (!(cause instanceof Error)) return undefined;
  return 'code' in cause && typeof cause.code === 'string'
    ? `${cause.name} ${cause.code}`
    : `${cause.name} ${cause.message}`;
}

/** An unread body would be taken for the next request. */
const unread = (incoming: IncomingMessage): boolean => !incoming.complete;

function closing({ incoming, draining }: Answering): Record<string, string> {
  return unread(incoming) || draining() ? { connection: 'close' } : {};
}

const REST = { maxBytes: MAX_LINGER_BYTES };

/** The client has the whole answer at once; the connection ends when it has sent what it was sending. */
function endWith(document: Uint8Array | undefined, { incoming, outgoing }: Answering): void {
  if (!unread(incoming)) {
    outgoing.end(document);
    return;
  }
  if (document === undefined) outgoing.flushHeaders();
  else outgoing.write(document);
  void readRest(incoming, REST).then(() => void (outgoing.destroyed || outgoing.end()));
}
