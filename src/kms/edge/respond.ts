/** Writes answers: JSON, AWS's headers, and errors as `__type` and `message`; and decides what becomes of the connection. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readRest } from '../../http/read-rest.ts';
import { KeysError } from '../../keys/errors.ts';
import type { Log } from '../../observe/log.ts';
import { KmsError } from '../errors.ts';
import { encodeJson } from '../json/write.ts';
import { asKmsError } from '../keys-errors.ts';
import { MAX_LINGER_BYTES } from '../limits.ts';

const CONTENT_TYPE = 'application/x-amz-json-1.1';

export type Answering = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Another once it is known who signed. */
  requestId: string;
  readonly log: Log;
  readonly draining: () => boolean;
};

/** `body` is zeroed once it is sent, or cannot be. */
export function respond(status: number, body: Buffer, { incoming, outgoing, requestId, draining }: Answering): void {
  const zero = (): void => void body.fill(0);
  if (outgoing.destroyed) return zero();
  outgoing.once('close', zero);
  outgoing.writeHead(status, {
    'content-type': CONTENT_TYPE,
    'content-length': String(body.length),
    'x-amzn-requestid': requestId,
    'cache-control': 'no-store',
    ...(incoming.complete && !draining() ? {} : { connection: 'close' }),
  });
  if (incoming.complete) {
    outgoing.end(body);
    return;
  }
  outgoing.write(body);
  void readRest(incoming, { maxBytes: MAX_LINGER_BYTES, onPiece: (piece) => piece.fill(0) }).then(
    () => void (outgoing.destroyed || outgoing.end()),
  );
}

export function errorBody({ wireType, wireMessage }: KmsError): Buffer {
  return encodeJson({ __type: wireType, message: wireMessage });
}

/** Everything that is thrown, as a KmsError; what is none of ours is a bug, said to the log alone. */
export function failureOf(error: unknown, { log, requestId }: Answering): KmsError {
  const failure = error instanceof KeysError ? asKmsError(error) : error;
  if (!(failure instanceof KmsError)) {
    log.error({ requestId, err: error }, 'a request failed in a way no error of ours describes');
    return new KmsError('ERR_KMS_INTERNAL', undefined, { cause: error });
  }
  if (failure.status >= 500) log.warn({ requestId, code: failure.code, cause: causeOf(failure) }, failure.message);
  return failure;
}

export function causeOf({ cause }: Error): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  const code = 'code' in cause && typeof cause.code === 'string' ? ` ${cause.code}` : '';
  return `${cause.name}${code}: ${cause.message}`;
}
