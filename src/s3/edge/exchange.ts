/**
 * One request and its answer: parsed, authenticated, routed, decided, handled, answered. Every failure ends in S3's error document;
 * nothing a client sends ends the process.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { refuseAnonymous } from '../access/anonymous.ts';
import { answerWithinRights } from '../access/answers.ts';
import { callerOf } from '../access/caller.ts';
import { permissionsFor } from '../access/permissions.ts';
import type { S3Access } from '../access/rights.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import { planBody, type BodyPlan } from '../bodies/body-plan.ts';
import { VerifyingBody } from '../bodies/verifying-body.ts';
import { decide, type Decision, type OperationTable } from '../decide.ts';
import { S3Error } from '../errors.ts';
import { CLIENT_IDLE_MS } from '../limits.ts';
import type { GatewayContext, S3Request, S3Response } from '../operation.ts';
import { collectHeaders, hoistQueryHeaders, operationHeaders, refuseReservedNames } from '../request/headers.ts';
import { locate, parseQuery, splitTarget } from '../request/target.ts';
import { routeOperation } from '../router.ts';
import { admit } from './admission.ts';
import { clientBytes } from './client-bytes.ts';
import { clientPace } from './client-pace.ts';
import { asS3Error, respond, respondError, type Answering } from './respond.ts';

export type EdgeOptions = {
  readonly gateway: GatewayContext;
  readonly operations: OperationTable;
  readonly authenticate: Authenticator;
  readonly access: S3Access;
  /** Domains under which `bucket.domain` names a bucket. */
  readonly domains: readonly string[];
  /** True while the server drains: answers close their connections. */
  readonly draining: () => boolean;
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
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  const answering: Answering = { incoming, outgoing, requestId, log: edge.gateway.log, draining: edge.draining };
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

/** What is known of the exchange when it fails. */
type Seen = { operation: string; principal?: string };

async function answer(answering: Answering, edge: EdgeOptions, seen: Seen, signal: AbortSignal): Promise<S3Response> {
  const { incoming, outgoing } = answering;
  const { request, decision } = understand(answering, edge, signal, seen);
  const share = await admit(request, decision, edge.gateway);
  if (share !== undefined) {
    if (outgoing.destroyed) share.giveBack();
    else outgoing.once('close', share.giveBack);
  }
  // Only now is the body wanted: the signature holds and no rule refuses.
  if (/^100-continue$/iu.test(incoming.headers.expect ?? '')) outgoing.writeContinue();
  return answerWithinRights(request, () =>
    decision.type === 'handle' ? decision.operation.handle(request, edge.gateway) : edge.gateway.forward(request),
  );
}

function understand(
  answering: Answering,
  edge: EdgeOptions,
  signal: AbortSignal,
  seen: Seen,
): { request: S3Request; decision: Decision } {
  const { incoming, requestId } = answering;
  const { gateway } = edge;
  const sent = collectHeaders(incoming.rawHeaders);
  const method = knownMethod(incoming.method ?? '');
  const target = splitTarget(incoming.url ?? '/');
  const signed = edge.authenticate({ method, ...target, headers: sent });
  if (signed !== undefined) seen.principal = signed.key.principal;
  const place = locate(target.path, sent['host'] ?? '', edge.domains);
  const { query, headers } = hoistQueryHeaders(parseQuery(target.query), sent);
  refuseReservedNames(headers);
  const operation = routeOperation({ ...place, method, query, headers });
  seen.operation = operation;
  const asked = { ...place, operation, query, headers };
  if (signed === undefined) refuseAnonymous(asked, gateway.rules);
  const caller = callerOf(signed, { incoming, query, headers, requestId }, { ...gateway, access: edge.access });
  seen.principal = caller.principal;
  caller.rights?.demand(permissionsFor(asked));
  const limited = caller.rights !== undefined;
  const decision = decide({ ...place, operation, headers, limited }, gateway.rules, edge.operations);
  const plan = signed === undefined ? NO_BODY : planBody(headers, signed, operation);
  const request: S3Request = {
    operation,
    requestId,
    method,
    ...place,
    query,
    headers: operationHeaders(headers),
    caller,
    secure: 'encrypted' in incoming.socket,
    body: new VerifyingBody(clientBytes(incoming, CLIENT_IDLE_MS), plan),
    client: clientPace(incoming, answering.outgoing),
    rule: decision.rule,
    signal,
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
