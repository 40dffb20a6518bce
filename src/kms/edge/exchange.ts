/**
 * One request and its answer: who asks, the body, which action, the answer. Every failure ends in AWS's error; nothing a client
 * sends ends the process. Nothing is said of actions, keys or their names to who is not known.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { isServiceName } from '../../keys/access/principal.ts';
import type { RequestFacts } from '../../keys/access/request.ts';
import type { KeyUse } from '../../keys/uses/data-keys.ts';
import type { Log } from '../../observe/log.ts';
import type { IncomingRequest } from '../../sigv4/verify.ts';
import type { Action, RegionCall } from '../action.ts';
import type { Authenticator, Caller } from '../auth/authenticate.ts';
import { principalOf, type ClientCertificates } from '../auth/client-certificate.ts';
import { requestIdOf } from '../auth/request-id.ts';
import { KmsError } from '../errors.ts';
import { assertBodyLength, readBody, type BodyBudget } from './body.ts';
import { collectHeaders } from './headers.ts';
import { recordRefusal } from './refusal.ts';
import { causeOf, errorBody, failureOf, respond, type Answering } from './respond.ts';

export type EdgeOptions = {
  /** By region. */
  readonly served: ReadonlyMap<string, RegionCall>;
  /** Addressed by callers who say nothing of a region: those that show a certificate. */
  readonly homeRegion: string;
  /** By what stands in X-Amz-Target. */
  readonly actions: ReadonlyMap<string, Action>;
  readonly authenticator: Authenticator;
  readonly certificates: ClientCertificates;
  readonly budget: BodyBudget;
  readonly log: Log;
  /** True while the server drains: answers close their connections. */
  /** Whether the answer is the last of its connection. */
  readonly draining: (incoming: IncomingMessage) => boolean;
  /** Called once for each exchange, for metrics and the access log. */
  readonly onFinished?: (outcome: ExchangeOutcome) => void;
};

export type ExchangeOutcome = {
  /** `Unknown` where no action was reached. */
  readonly action: string;
  /** `success`, or the name of the error. */
  readonly result: string;
  /** Our code of the error. */
  readonly code: string | undefined;
  readonly milliseconds: number;
  readonly principal: string | undefined;
};

/** What is known of the exchange when it fails. */
type Seen = { action: string; principal?: string };

/** Handles one exchange; never rejects. */
export async function exchange(incoming: IncomingMessage, outgoing: ServerResponse, edge: EdgeOptions): Promise<void> {
  const started = performance.now();
  const answering: Answering = {
    incoming,
    outgoing,
    requestId: randomUUID(),
    log: edge.log,
    draining: () => edge.draining(incoming),
  };
  const seen: Seen = { action: 'Unknown' };
  let failure: KmsError | undefined;
  try {
    respond(200, await answer(answering, edge, seen), answering);
  } catch (error) {
    failure = failureOf(error, answering);
    respond(failure.status, errorBody(failure), answering);
    const { code } = failure;
    edge.log.debug({ ...seen, requestId: answering.requestId, code, cause: causeOf(failure) }, 'kms request refused');
  }
  edge.onFinished?.({
    ...seen,
    result: failure?.wireType ?? 'success',
    code: failure?.code,
    milliseconds: performance.now() - started,
    principal: seen.principal,
  });
}

async function answer(answering: Answering, edge: EdgeOptions, seen: Seen): Promise<Buffer> {
  const { incoming, outgoing } = answering;
  const request = requestOf(incoming);
  assertBodyLength(request.headers['content-length']);
  const identify = callerOf(request, incoming, edge);
  // Only now is the body wanted. HTTP/1.0 knows no interim answers (RFC 9110, 10.1.1).
  if (incoming.httpVersion !== '1.0' && /^100-continue$/iu.test(incoming.headers.expect ?? ''))
    outgoing.writeContinue();
  const body = await readBody(incoming, edge.budget);
  try {
    const { principal, region, signature } = identify(body.bytes);
    seen.principal = principal;
    if (signature !== undefined) answering.requestId = requestIdOf(signature, answering.requestId);
    const call = { ...regionCall(edge.served, region), use: useOf(principal, request, answering) };
    try {
      const action = actionOf(request, edge.actions);
      seen.action = action.name;
      return await action.handle(body.bytes, call);
    } catch (error) {
      await recordRefusal(error, seen.action, call);
      throw error;
    }
  } finally {
    body.release();
  }
}

/** A signature says who asks; a certificate does where there is none. What can be refused without the body is. */
function callerOf(
  request: IncomingRequest,
  { socket }: IncomingMessage,
  { certificates, authenticator, homeRegion }: EdgeOptions,
): (body: Uint8Array) => Caller {
  const shown = certificates.shownBy(socket);
  if (request.headers['authorization'] === undefined && shown !== undefined) {
    const caller = { principal: principalOf(shown), region: homeRegion };
    return () => caller;
  }
  authenticator.screen(request);
  return (body) => authenticator.verify(request, createHash('sha256').update(body).digest('hex'));
}

/** It is one of those that were accepted. */
function regionCall(served: EdgeOptions['served'], region: string): RegionCall {
  const call = served.get(region);
  if (call === undefined) throw new TypeError('a region that is not served');
  return call;
}

function requestOf(incoming: IncomingMessage): IncomingRequest {
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  return {
    method: incoming.method ?? '',
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '' : url.slice(mark + 1),
    headers: collectHeaders(incoming.rawHeaders),
  };
}

const CONTENT_TYPE = /^application\/x-amz-json-1\.1(?:;|$)/iu;

function actionOf({ method, path, headers }: IncomingRequest, actions: EdgeOptions['actions']): Action {
  const action = actions.get(headers['x-amz-target'] ?? '');
  const isCall = method === 'POST' && path === '/' && CONTENT_TYPE.test(headers['content-type'] ?? '');
  if (isCall && action !== undefined) return action;
  throw new KmsError('ERR_KMS_UNKNOWN_OPERATION', whatIsWrong(isCall));
}

const whatIsWrong = (isCall: boolean): string =>
  isCall
    ? 'The header X-Amz-Target names no action of KMS.'
    : 'A request is POST / with content type application/x-amz-json-1.1.';

function useOf(principal: string, request: IncomingRequest, { incoming, requestId }: Answering): KeyUse {
  // An IPv4 client of a listener that speaks both.
  const sourceIp = incoming.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/u, '');
  const userAgent = request.headers['user-agent'];
  const source = sourceOf(principal, request);
  return {
    principal,
    via: 'kms',
    resource: source.sourceArn ?? 'kms api',
    requestId,
    recorded: { isSo: false },
    request: {
      ...(sourceIp === undefined ? {} : { sourceIp }),
      ...(userAgent === undefined ? {} : { userAgent }),
      secureTransport: incoming.socket instanceof TLSSocket,
      ...source,
    },
  };
}

/** A service says itself for which resource it asks, as AWS's do; what anybody else says of that is nothing. */
function sourceOf(principal: string, { headers }: IncomingRequest): Pick<RequestFacts, 'sourceArn' | 'sourceAccount'> {
  if (!isServiceName(principal)) return {};
  const { 'x-amz-source-arn': sourceArn, 'x-amz-source-account': sourceAccount } = headers;
  return {
    ...(sourceArn === undefined ? {} : { sourceArn }),
    ...(sourceAccount === undefined ? {} : { sourceAccount }),
  };
}
