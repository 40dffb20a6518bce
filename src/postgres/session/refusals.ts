/**
 * Refusals that keep order and state: the upstream gets, in place of the refused message, one that must fail there; its
 * ErrorResponse is then replaced by ours, so the transaction's state and the skipping until Sync are the server's own.
 */
import { SealgateError } from '../../errors.ts';
import { PostgresError } from '../errors.ts';
import { encodeOwnError } from '../messages/error-response.ts';
import { encodeParse } from '../messages/parse.ts';
import { encodeQuery } from '../messages/query.ts';
import type { Refusal, RefusePlan } from '../plan.ts';
import { ServiceError } from '../service/errors.ts';
import { ValueError } from '../types/errors.ts';
import { CONSUME, type Verdict } from '../wire/frame-stream.ts';
import type { QueryPart } from './query-part.ts';
import type { Session } from './session.ts';

/** No SQL begins so, whatever the grammar: always a syntax error, which also fails the open transaction. */
const REFUSED_TEXT = 'SEALGATE REFUSED THIS STATEMENT';
const REFUSED_NAME = 'sealgate refused';
const REFUSED_QUERY = encodeQuery(REFUSED_TEXT);

export function refuseQuery(session: Session, refusal: Refusal, part?: QueryPart): void {
  note(session, refusal);
  session.dropsCopyData = 'until-message';
  session.wires.toUpstream(REFUSED_QUERY);
  session.expect({ kind: 'query', refusal: part?.placedRefusal(refusal) ?? refusal, ...(part && { part }) });
}

/** In place of a statement of a Query, behind others: it is no syntax error, with which none of them would run, and fails wherever it is. */
export const REFUSED_STATEMENT = 'SELECT "SEALGATE REFUSED THIS STATEMENT"';

/** In place of any extended message. `name`: of the statement, where a Parse is refused: the unnamed one is forgotten by the server too. */
export function refuseExtended(session: Session, refusal: Refusal, name = REFUSED_NAME): void {
  note(session, refusal);
  session.dropsCopyData = 'until-sync';
  session.wires.toUpstream(encodeParse({ name, text: REFUSED_TEXT, parameterOids: [] }));
  session.expect({ kind: 'parse', refusal });
}

/** Nothing is in flight, and the server has said that the open transaction has failed, which nothing of this sequence has ended. */
export function hasFailed({ replies, status, failureOver }: Session): boolean {
  return replies.size === 0 && status === 'failed' && !failureOver;
}

/** In place of a Bind. The server looks at the transaction before it looks at values, and leaves the unnamed statement as it is. */
export function refuseBind(session: Session, refusal: Refusal): void {
  if (hasFailed(session)) askInFailedTransaction(session, 'parse', REFUSED_NAME);
  else refuseExtended(session, refusal);
}

/**
 * The transaction has failed: whatever this statement is, the server would refuse it with its own 25P02; it need not see it for that. What it sees in its
 * place reads as SQL, so that it is no syntax error, and fails everywhere.
 */
export function askInFailedTransaction(session: Session, kind: 'query' | 'parse', name = '', part?: QueryPart): void {
  const message =
    kind === 'query'
      ? encodeQuery(REFUSED_STATEMENT)
      : encodeParse({ name, text: REFUSED_STATEMENT, parameterOids: [] });
  session.dropsCopyData = kind === 'query' ? 'until-message' : 'until-sync';
  session.wires.toUpstream(message);
  session.expect({ kind, ...(part && { part }) });
}

/** In the place of a plan. */
export function refuseOf(message: string): RefusePlan {
  return { type: 'refuse', refusal: { sqlstate: '0A000', code: 'ERR_POSTGRES_EXECUTE', message } };
}

/** The ErrorResponse of a refusal. */
export function encodeRefusal(refusal: Refusal): Uint8Array {
  const { sqlstate, code, message, detail, hint, place, context, constraint } = refusal;
  return encodeOwnError({
    severity: 'ERROR',
    sqlstate,
    code,
    message,
    detail,
    hint,
    position: place?.position,
    context,
    constraint,
  });
}

/** A failure before anything was sent upstream, as a refusal; bugs and wire errors are thrown on. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof PostgresError) {
    const { sqlstate, detail, hint, position } = error.fields;
    return {
      sqlstate,
      code: error.code,
      message: error.message,
      ...(detail !== undefined && { detail }),
      ...(hint !== undefined && { hint }),
      ...(position !== undefined && { place: { position } }),
    };
  }
  if (error instanceof ValueError) {
    const { sqlstate, hint, constraint } = error;
    return { ...sealFailure(error, sqlstate, hint), ...(constraint !== undefined && { constraint }) };
  }
  if (error instanceof ServiceError) return sealFailure(error, '58000');
  if (error instanceof SealgateError) return sealFailure(error as SealgateError, sqlstateOf(error as SealgateError)); // instanceof leaves the code's type open
  throw error;
}

/** insufficient_privilege where the key's policy says no, else system_error. */
function sqlstateOf({ code }: SealgateError): string {
  return code === 'ERR_KEYS_ACCESS_DENIED' ? '42501' : '58000';
}

/** Does `work` at once, or waits for it where it must; what it fails of before anything was sent becomes a refusal. */
export function orRefuse(
  work: () => void | Promise<void>,
  refuse: (refusal: Refusal) => void,
): Verdict | Promise<void> {
  const refused = (error: unknown): void => refuse(refusalOf(error));
  try {
    return work()?.catch(refused) ?? CONSUME;
  } catch (error) {
    refused(error);
    return CONSUME;
  }
}

function sealFailure(error: SealgateError, sqlstate: string, hint?: string): Refusal {
  const known = error.code.startsWith('ERR_POSTGRES_');
  // The narrowing of a template literal type by startsWith is beyond the checker.
  const code = known ? (error.code as Refusal['code']) : 'ERR_POSTGRES_SEAL_FAILED';
  return {
    sqlstate,
    code,
    message: error.message,
    ...(!known && { detail: error.code }),
    ...(hint !== undefined && { hint }),
  };
}

/** For whoever runs the proxy. */
export function note(session: Session, refusal: Refusal): void {
  session.metrics.statement?.('refused');
  session.metrics.failed?.(refusal.code);
  session.logger.info(
    {
      code: refusal.code,
      sqlstate: refusal.sqlstate,
      user: session.settings.user,
      database: session.settings.database,
    },
    'statement refused',
  );
}
