/** Bind ('B'): parameters for a prepared statement; here values are sealed. */
import type { ColumnSession } from '../../columns/column-service.ts';
import { MAX_NAME_BYTES, MAX_SEALED_MESSAGE_BYTES } from '../../limits.ts';
import {
  bindNames,
  checkBindHead,
  decodeBindAfter,
  encodeBind,
  type Bind,
  type BindNames,
} from '../../messages/bind.ts';
import type { Refusal, TrackPlan } from '../../plan.ts';
import { CONSUME, FORWARD, WHOLE, type AGAIN, type Verdict } from '../../wire/frame-stream.ts';
import { protocolError } from '../../wire/protocol-error.ts';
import { untilCertain } from '../certainty.ts';
import { judgeName } from '../encoded-names.ts';
import { FaultyValue, refuseValue } from '../faulty-bind.ts';
import { isSettled, settle } from '../probe.ts';
import { orRefuse, refusalOf, refuseBind } from '../refusals.ts';
import { isReadLater, readsAlike } from '../reading-settings.ts';
import { PASS, type Reply, type ResultOpening } from '../reply.ts';
import { goesAsItCame, sealedBind } from '../sealing.ts';
import type { Portal, Session, Statement } from '../session.ts';
import { isNamedCurrent, isStale, staysPlain } from '../known-names.ts';
import { isCurrent, isQuietlyCurrent, planAgain, refusalOfPreparing, staleStatement, watchAgain } from '../validity.ts';
import { verifyOnce } from '../verify.ts';
import { columnUse, tooLarge, type FrontendHandler } from './handler.ts';

/** Two names with their terminators. */
const HEAD_BYTES = 2 * (MAX_NAME_BYTES + 1);

export const bindHandler: FrontendHandler = {
  need: (session, bodyLength) => (looksAt(session) ? Math.min(bodyLength, HEAD_BYTES) : 0),
  frame(session, bytes, start, bodyLength): Verdict | Promise<void | typeof AGAIN> {
    if (!looksAt(session)) {
      session.expect(PASS.bind);
      return FORWARD;
    }
    const end = start + bodyLength;
    const names = bindNames(bytes, start, Math.min(end, bytes.length));
    if (names === undefined && bytes.length < Math.min(end, start + HEAD_BYTES)) return WHOLE;
    if (names === undefined)
      throw bodyLength > HEAD_BYTES
        ? tooLarge('each name in a Bind', MAX_NAME_BYTES)
        : protocolError('invalid string in message');
    const judged = judgeName(session, names.statement) ?? judgeName(session, names.portal);
    if (judged !== undefined) return judged;
    if (session.isInDoubt(names.statement)) return untilCertain(session);
    session.reviewCold();
    const statement = session.statements.get(names.statement);
    if (isStale(session, names.statement, statement)) {
      refuseBind(session, refusalOf(staleStatement()));
      return CONSUME;
    }
    if (statement === undefined) return passPortal(session, names.portal, undefined);
    if (statement.uses !== undefined && !staysPlain(session, statement.uses, effectOf(statement))) {
      refuseBind(session, refusalOf(staleStatement()));
      return CONSUME;
    }
    if (statement.type === 'track' && statement.prepares === undefined)
      return passPortal(session, names.portal, statement);
    if (isQuietlyCurrent(session, statement)) return passPortal(session, names.portal, portalOf(statement));
    if (bodyLength > MAX_SEALED_MESSAGE_BYTES) {
      refuseBind(session, refusalOf(tooLarge('a Bind with sealed parameters', MAX_SEALED_MESSAGE_BYTES)));
      return CONSUME;
    }
    if (bytes.length < end) return WHOLE;
    checkBindHead(names, bytes, start, end);
    return handleConcerning(session, statement, { names, bytes, start, end });
  },
};

function looksAt({ watches, cold }: Session): boolean {
  return watches || cold.isOutdated || cold.doubts;
}

/** Of a statement that nothing sealed is in: it may still change what names stand for. */
function portalOf(statement: Statement): Portal | undefined {
  if (statement.type === 'track') return statement;
  const { change, copiesIn, uses } = statement;
  if (change === undefined && copiesIn === undefined && uses === undefined) return undefined;
  const more = { ...(change && { change }), ...(copiesIn === true && { copiesIn }), ...(uses && { uses }) };
  return { type: 'track', effect: undefined, ...more };
}

function passPortal(session: Session, name: string, portal: Portal | undefined): Verdict {
  session.expect(replyTo(session, name, portal));
  return FORWARD;
}

function replyTo(session: Session, name: string, portal: Portal | undefined): Reply {
  const { portals } = session;
  if (portal === undefined && !portals.has(name)) return PASS.bind;
  const undo = portals.set(name, portal);
  return portal?.type === 'sealed' ? { kind: 'bind', undo, plan: portal.opening.plan } : { kind: 'bind', undo };
}

/** A whole Bind as it came: its body is `bytes` from `start` to `end`. */
type Came = { readonly names: BindNames; readonly bytes: Uint8Array; readonly start: number; readonly end: number };

function decoded({ names, bytes, start, end }: Came): Bind {
  return decodeBindAfter(names, bytes.subarray(start, end));
}

/** With its type and length. */
function frameOf({ bytes, start, end }: Came): Uint8Array {
  return bytes.subarray(start - 5, end);
}

/** At once, where settings are known and the plan is of the present state. */
function handleConcerning(session: Session, statement: Statement, came: Came): Verdict | Promise<void> {
  const refuse = (refusal: Refusal): void => refuseBind(session, refusal);
  if (
    statement.type === 'sealed' &&
    isSettled(session) &&
    isCurrent(session, statement.plan) &&
    isAsSealed(session, statement)
  )
    return orRefuse(() => bindSealed(session, statement, came), refuse);
  return orRefuse(() => handleLater(session, statement, came), refuse);
}

async function handleLater(session: Session, statement: Statement, came: Came): Promise<void> {
  const readiness = await settle(session);
  if (readiness === 'skipped') return;
  if (statement.type === 'sealed') {
    await requireCurrent(session, statement, readiness);
    return bindSealed(session, statement, came);
  }
  if (statement.type === 'watched' && readiness === 'ready') await watchAgain(session, statement);
  if (statement.type === 'track' && statement.prepares !== undefined && readiness === 'ready') {
    const refusal = await refusalOfPreparing(session, statement.prepares);
    if (refusal !== undefined) return refuseBind(session, refusal);
  }
  const { portal } = decoded(came);
  session.wires.toUpstream(frameOf(came));
  session.expect(replyTo(session, portal, portalOf(statement)));
}

/** Without a look at what else it names. */
function isAsSealed({ settings }: Session, statement: Statement & { type: 'sealed' }): boolean {
  return !usesName(statement) && (!isReadLater(statement.plan) || readsAlike(statement.sealedUnder, settings));
}

/** FETCH and EXECUTE. */
function usesName({ plan: { named } }: Statement & { type: 'sealed' }): boolean {
  return named?.type === 'fetch' || named?.type === 'execute';
}

async function requireCurrent(
  session: Session,
  statement: Statement & { type: 'sealed' },
  readiness: 'ready' | 'failed',
): Promise<void> {
  if (readiness === 'failed') return;
  if (isReadLater(statement.plan) && !readsAlike(statement.sealedUnder, session.settings)) throw staleStatement();
  if (usesName(statement)) {
    if (!(await isNamedCurrent(session, statement.plan))) throw staleStatement();
  } else if (!isCurrent(session, statement.plan)) await planAgain(session, statement);
}

function bindSealed(session: Session, statement: Statement & { type: 'sealed' }, came: Came): void | Promise<void> {
  const columns = lent(statement) ?? session.columns.open(statement.plan.columns, columnUse(session));
  if (columns instanceof Promise) return columns.then((opened) => sendSealed(session, statement, came, opened));
  sendSealed(session, statement, came, columns);
}

/** To one Bind: the next is another use. */
function lent(statement: Statement & { type: 'sealed' }): ColumnSession | undefined {
  const { opened } = statement;
  statement.opened = undefined;
  return opened;
}

function sendSealed(
  session: Session,
  statement: Statement & { type: 'sealed' },
  came: Came,
  columns: ColumnSession,
): void {
  const bind = decoded(came);
  try {
    const frame = goesAsItCame(bind, statement.plan)
      ? frameOf(came)
      : encodeBind(sealedBind(bind, statement.plan, columns, session.settings));
    sendBind(session, statement, bind, { frame, columns });
  } catch (error) {
    if (!(error instanceof FaultyValue)) throw error;
    refuseValue(session, bind, statement.plan, error);
  }
}

function sendBind(
  session: Session,
  { plan, change }: Statement & { type: 'sealed' },
  bind: Bind,
  { frame, columns }: { readonly frame: Uint8Array; readonly columns: ColumnSession },
): void {
  const opening: ResultOpening = { plan, columns, formats: bind.resultFormats, textual: false };
  // One that was planned again since it was prepared.
  verifyOnce(session, bind.statement, plan);
  session.wires.toUpstream(frame);
  session.makes(plan);
  const more = { ...(change !== undefined && { change }), ...(isReadLater(plan) && { boundUnder: session.settings }) };
  session.expect(replyTo(session, bind.portal, { type: 'sealed', opening, ...more }));
  session.metrics.statement?.('sealed');
  session.metrics.valuesSealed?.(plan.parameters.size);
}

const effectOf = (statement: Statement): TrackPlan['effect'] | undefined =>
  statement.type === 'track' ? statement.effect : undefined;
