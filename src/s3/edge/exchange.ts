/**
 * One request and its answer: parsed, authenticated, routed, decided, handled, answered. Every failure ends in S3's error document;
 * nothing a client sends ends the process.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { openBytes, type RandomSource } from '../../crypto/random.ts';
import type { VerifiedSignature } from '../../sigv4/verify.ts';
import { refuseAnonymous } from '../access/anonymous.ts';
import { answerWithinRights } from '../access/answers.ts';
import { callerOf } from '../access/caller.ts';
import { permissionsFor } from '../access/permissions.ts';
import type { S3AccessKey } from '../auth/authenticate.ts';
import { planBody, type BodyPlan } from '../bodies/body-plan.ts';
import { VerifyingBody } from '../bodies/verifying-body.ts';
import { demandTagRights } from '../copy/tag-rights.ts';
import { answerPreflight, CHANGES_CORS, corsHeaders } from '../cors/preflight.ts';
import { decide } from '../decide.ts';
import { S3Error } from '../errors.ts';
import { CLIENT_IDLE_MS, STREAM_COST_BYTES } from '../limits.ts';
import type { S3Request, S3Response } from '../operation.ts';
import { understandForm } from '../post/post-object.ts';
import { collectHeaders, hoistQueryHeaders, operationHeaders, refuseReservedNames } from '../request/headers.ts';
import { locate, parseQuery, splitTarget } from '../request/target.ts';
import { checkVersionId } from '../request/version-id.ts';
import { routeOperation } from '../router.ts';
import type { Share } from '../sealing/governor.ts';
import { admit } from './admission.ts';
import { clientBytes } from './client-bytes.ts';
import { addressedUrl } from './addressed-url.ts';
import { askedOfBucket } from './asked-of-bucket.ts';
import { clientPace } from './client-pace.ts';
import { asS3Error, respond, respondError, type Answering } from './respond.ts';
import type { Judges, RequestHead, Understood } from './understood.ts';
import { askedFor } from '../xml/error-details.ts';

export type EdgeOptions = Judges & {
  /** Domains under which `bucket.domain` names a bucket. */
  readonly domains: readonly string[];
  /** True while the server drains: answers close their connections. */
  /** Whether the answer is the last of its connection. */
  readonly draining: (incoming: IncomingMessage) => boolean;
  /** Called once for each exchange, for metrics and the access log. */
  readonly onFinished?: (outcome: ExchangeOutcome) => void;
};

export type ExchangeOutcome = {
  readonly operation: string;
  readonly status: number;
  readonly code: string | undefined;
  readonly milliseconds: number;
  readonly principal: string | undefined;
};

/** Handles one exchange; never rejects. */
export async function exchange(incoming: IncomingMessage, outgoing: ServerResponse, edge: EdgeOptions): Promise<void> {
  const started = performance.now();
  const requestId = newRequestId(edge.gateway.random);
  const answering: Answering = {
    incoming,
    outgoing,
    requestId,
    log: edge.gateway.log,
    draining: () => edge.draining(incoming),
  };
  const seen: Seen = { operation: 'Unknown' };
  const over = vanishing(incoming, outgoing);
  let code: string | undefined;
  try {
    await respond(await answer(answering, edge, seen, over.signal), answering);
  } catch (error) {
    const failure = asS3Error(error, answering);
    code = failure.code;
    respondError(failure, answering);
    // Nobody reads what the upstream may still be sending for it: its connection must not stay taken.
    over.abort(failure);
  }
  edge.onFinished?.({
    operation: seen.operation,
    status: outgoing.statusCode,
    code,
    milliseconds: performance.now() - started,
    principal: seen.principal,
  });
}

/** As S3's: 16 digits. */
const newRequestId = (random: RandomSource): string => Buffer.from(openBytes(random, 8)).toString('hex').toUpperCase();

/** What is known of the exchange when it fails. */
type Seen = { operation: string; principal?: string };

async function answer(answering: Answering, edge: EdgeOptions, seen: Seen, signal: AbortSignal): Promise<S3Response> {
  const { incoming, outgoing } = answering;
  if (incoming.method === 'OPTIONS') {
    seen.operation = 'OPTIONS';
    return answerPreflight(asked(incoming, edge), edge);
  }
  if (incoming.headers.origin !== undefined) answering.cors = await corsHeaders(asked(incoming, edge), edge);
  const { head, signed } = readHead(answering, edge, seen);
  const connection = { client: clientPace(incoming, outgoing), signal };
  const { request, decision, inItsForm } =
    head.operation === 'PostObject'
      ? await expectForm(head, edge, connection, seen, outgoing)
      : understand(head, signed, edge, connection, seen);
  // A form has been admitted within: its file is under way.
  if (inItsForm === undefined) hold(await admit(request, decision, edge.gateway), outgoing);
  const response = await answerWithinRights(request, async () => {
    if (decision.type === 'handle') return decision.operation.handle(request, askedOfBucket(request, edge.gateway));
    if (request.operation === 'CopyObject') await demandTagRights(request, edge.gateway);
    return edge.gateway.forward(request);
  });
  // Where the backend answers for itself it says what browsers may do.
  if (decision.type === 'forward') delete answering.cors;
  if (CHANGES_CORS.has(request.operation)) edge.gateway.caches.cors.forget(request.bucket);
  return inItsForm === undefined || response.status !== 200 ? response : inItsForm(response);
}

/** What a browser's question is about. */
function asked(incoming: IncomingMessage, { domains }: EdgeOptions) {
  const headers = collectHeaders(incoming.rawHeaders);
  const host = headers['host'] ?? '';
  const place = locate(splitTarget(incoming.url ?? '/', host).path, host, domains);
  return { place, headers, method: incoming.method ?? '' };
}

/** Who uploads by a form is said within it, so it is read before that is known. */
function expectForm(
  head: RequestHead,
  edge: EdgeOptions,
  connection: Connection,
  seen: Seen,
  outgoing: ServerResponse,
): Promise<Understood> {
  const { client: holder, signal } = connection;
  const take = async (): Promise<void> =>
    hold(await edge.gateway.governor.take(STREAM_COST_BYTES, { signal, holder }), outgoing);
  return understandForm(head, edge, { ...connection, admit: take }, seen);
}

/** A share of memory, until the exchange is over. */
function hold(share: Share | undefined, outgoing: ServerResponse): void {
  if (outgoing.destroyed) share?.giveBack();
  else if (share !== undefined) outgoing.once('close', share.giveBack);
}

/**
 * Answers `Expect: 100-continue`, once somebody reads the body: signature, rights and rules have been asked by then, the operation has its
 * key, and the storage is there to take what comes. Whatever fails before is answered without the body being sent. To HTTP/1.0 there are no
 * interim answers (RFC 9110, 10.1.1): its client would take this one for the answer.
 */
function wantBody({ incoming, outgoing }: Answering): void {
  if (incoming.httpVersion === '1.0' || outgoing.headersSent) return;
  if (/^100-continue$/iu.test(incoming.headers.expect ?? '')) outgoing.writeContinue();
}

type Connection = Pick<S3Request, 'client' | 'signal'>;
type SignedRequest = VerifiedSignature<S3AccessKey> | undefined;

/** What is asked for, and by whom where the request says it. */
function readHead(answering: Answering, edge: EdgeOptions, seen: Seen): { head: RequestHead; signed: SignedRequest } {
  const { incoming, requestId } = answering;
  const sent = collectHeaders(incoming.rawHeaders);
  const method = knownMethod(incoming.method ?? '');
  const target = splitTarget(incoming.url ?? '/', sent['host'] ?? '');
  const signed = edge.authenticate.request({ method, ...target, headers: sent });
  if (signed !== undefined) seen.principal = signed.key.principal;
  const place = locate(target.path, sent['host'] ?? '', edge.domains);
  const { query, headers } = hoistQueryHeaders(parseQuery(target.query), sent);
  answering.asked = askedFor({ ...place, method, query }, headers);
  refuseReservedNames(headers);
  const operation = routeOperation({ ...place, method, query, headers });
  seen.operation = operation;
  const bytes = clientBytes(incoming, CLIENT_IDLE_MS, () => wantBody(answering));
  return { head: { ...place, operation, method, query, headers, incoming, bytes, requestId }, signed };
}

function understand(
  head: RequestHead,
  signed: SignedRequest,
  { gateway, access, operations }: EdgeOptions,
  connection: Connection,
  seen: Seen,
): Understood {
  const { incoming, bytes, requestId, operation, bucket, key, headers, method, query } = head;
  if (signed === undefined) refuseAnonymous(head, gateway.rules);
  const caller = callerOf(signed, head, { ...gateway, access });
  seen.principal = caller.principal;
  caller.rights?.demand(permissionsFor(head));
  const limited = caller.rights !== undefined;
  const decision = decide({ bucket, key, operation, headers, limited }, gateway, operations);
  if (decision.type === 'handle' && key !== '') checkVersionId(operation, query);
  const plan = signed === undefined ? NO_BODY : planBody(headers, signed, operation);
  const request: S3Request = {
    ...{ operation, requestId, method, bucket, key, query, caller, ...connection },
    headers: operationHeaders(headers),
    secure: 'encrypted' in incoming.socket,
    url: addressedUrl(incoming),
    body: new VerifyingBody(bytes, plan),
    rule: decision.rule,
  };
  return { request, decision };
}

/** What nobody signed only reads. */
const NO_BODY: BodyPlan = { framing: { type: 'plain' }, length: 0, expected: [], trailing: undefined };

function knownMethod(method: string): S3Request['method'] {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'PUT':
    case 'POST':
    case 'DELETE':
    case 'OPTIONS':
      return method;
    default:
      throw new S3Error('ERR_S3_METHOD_NOT_ALLOWED');
  }
}

/** Aborted when the client's connection closes before the answer is out. */
function vanishing(incoming: IncomingMessage, outgoing: ServerResponse): AbortController {
  const controller = new AbortController();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished)
      controller.abort(new S3Error('ERR_S3_REQUEST_TIMEOUT', 'The client closed the connection.'));
  });
  incoming.once('error', () => controller.abort(new S3Error('ERR_S3_INCOMPLETE_BODY')));
  return controller;
}
