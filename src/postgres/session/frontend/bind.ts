/** Bind ('B'): parameters for a prepared statement; here values are sealed. */
import { isDeepStrictEqual } from 'node:util';
import type { ColumnSession } from '../../columns/column-service.ts';
import { MAX_NAME_BYTES, MAX_SEALED_MESSAGE_BYTES } from '../../limits.ts';
import { bindNames, decodeBindAfter, encodeBind, type Bind, type BindNames } from '../../messages/bind.ts';
import type { Refusal, SealedPlan } from '../../plan.ts';
import { CONSUME, FORWARD, WHOLE, type Verdict } from '../../wire/frame-stream.ts';
import { protocolError } from '../../wire/protocol-error.ts';
import { staleStatement } from '../planning.ts';
import { isSettled, settle } from '../probe.ts';
import { orRefuse, refusalOf, refuseExtended } from '../refusals.ts';
import { PASS, type Reply, type ResultOpening } from '../reply.ts';
import { sealedBind } from '../sealing.ts';
import type { Portal, Session, Statement } from '../session.ts';
import { columnUse, tooLarge, type FrontendHandler } from './handler.ts';

/** Two names with their terminators. */
const HEAD_BYTES = 2 * (MAX_NAME_BYTES + 1);

export const bindHandler: FrontendHandler = {
  need: (session, bodyLength) => (session.watches ? Math.min(bodyLength, HEAD_BYTES) : 0),
  frame(session, bytes, start, bodyLength): Verdict | Promise<void> {
    if (!session.watches) {
      session.expect(PASS.bind);
      return FORWARD;
    }
    const end = start + bodyLength;
    const names = bindNames(bytes, start, Math.min(end, bytes.length));
    if (names === undefined) throw protocolError('name too long in Bind');
    const statement = session.statements.get(names.statement);
    if (statement === undefined) return passPortal(session, names.portal, undefined);
    if (statement.type === 'track')
      return passPortal(session, names.portal, { type: 'track', effect: statement.effect });
    if (isQuietlyCurrent(session, statement)) return passPortal(session, names.portal, undefined);
    if (bodyLength > MAX_SEALED_MESSAGE_BYTES) {
      refuseExtended(session, refusalOf(tooLarge('a Bind with sealed parameters', MAX_SEALED_MESSAGE_BYTES)));
      return CONSUME;
    }
    if (bytes.length < end) return WHOLE;
    return handleConcerning(session, statement, { names, bytes, start, end });
  },
};

function isQuietlyCurrent(session: Session, statement: Statement): boolean {
  if (statement.type !== 'watched' || session.settingsStale || session.tracksPending > 0) return false;
  return statement.settings === session.settings && statement.catalogEpoch === session.analyzer.catalogEpoch;
}

function passPortal(session: Session, name: string, portal: Portal | undefined): Verdict {
  session.expect(replyTo(session, name, portal));
  return FORWARD;
}

function replyTo(session: Session, name: string, portal: Portal | undefined): Reply {
  const { portals } = session;
  const before = portals.get(name);
  if (portal === undefined) {
    if (before === undefined) return PASS.bind;
    portals.delete(name);
  } else {
    portals.set(name, portal);
  }
  const restored = name === '' ? undefined : before;
  return {
    kind: 'bind',
    undo: () => void (restored === undefined ? portals.delete(name) : portals.set(name, restored)),
  };
}

/** A whole Bind as it came: its body is `bytes` from `start` to `end`. */
type Came = { readonly names: BindNames; readonly bytes: Uint8Array; readonly start: number; readonly end: number };

function decoded({ names, bytes, start, end }: Came): Bind {
  return decodeBindAfter(names, bytes.subarray(start, end));
}

/** At once, where settings are known and the plan is of the present state. */
function handleConcerning(session: Session, statement: Statement, came: Came): Verdict | Promise<void> {
  const refuse = (refusal: Refusal): void => refuseExtended(session, refusal);
  if (statement.type === 'sealed' && isSettled(session) && isCurrent(session, statement.plan))
    return orRefuse(() => bindSealed(session, statement.plan, decoded(came)), refuse);
  return orRefuse(() => handleLater(session, statement, came), refuse);
}

async function handleLater(session: Session, statement: Statement, came: Came): Promise<void> {
  const readiness = await settle(session);
  if (readiness === 'skipped') return;
  if (statement.type === 'sealed') {
    if (readiness === 'ready' && !isCurrent(session, statement.plan)) await planAgain(session, statement);
    return bindSealed(session, statement.plan, decoded(came));
  }
  if (statement.type === 'watched' && readiness === 'ready') await watchAgain(session, statement);
  const { portal } = decoded(came);
  session.wires.toUpstream(came.bytes.subarray(came.start - 5, came.end));
  session.expect(replyTo(session, portal, undefined));
}

function isCurrent(session: Session, plan: SealedPlan): boolean {
  return session.analyzer.isCurrent(plan, session.settings);
}

/** A statement that touched nothing sealed when it was prepared: does it still touch nothing? */
async function watchAgain(session: Session, statement: Statement & { type: 'watched' }): Promise<void> {
  const plans = await session.analyzer.plan(statement.sql, statement.declaredOids, session.settings);
  if (plans.some(({ type }) => type !== 'pass')) throw staleStatement();
  statement.settings = session.settings;
  statement.catalogEpoch = session.analyzer.catalogEpoch;
}

function bindSealed(session: Session, plan: SealedPlan, bind: Bind): void | Promise<void> {
  const columns = session.columns.open(plan.columns, columnUse(session));
  if (columns instanceof Promise) return columns.then((opened) => sendSealed(session, plan, bind, opened));
  sendSealed(session, plan, bind, columns);
}

function sendSealed(session: Session, plan: SealedPlan, bind: Bind, columns: ColumnSession): void {
  const sealed = sealedBind(bind, plan, columns, session.settings);
  const opening: ResultOpening = { plan, columns, formats: bind.resultFormats, textual: false };
  session.wires.toUpstream(encodeBind(sealed));
  session.expect(replyTo(session, bind.portal, { type: 'sealed', opening }));
  session.metrics.statement?.('sealed');
  session.metrics.valuesSealed?.(plan.parameters.size);
}

/** The plan is of an older state; where the same text comes out of the present one, the prepared statement still means the same. */
async function planAgain(session: Session, statement: Statement & { type: 'sealed' }): Promise<void> {
  const [plan, ...more] = await session.analyzer.plan(statement.sql, statement.declaredOids, session.settings);
  if (plan?.type !== 'sealed' || more.length > 0 || !isSame(plan, statement.plan)) throw staleStatement();
  statement.plan = plan;
}

/** In all but the state they were made under. Not by their JSON: plans that come from a template have the same members in another order. */
function isSame(a: SealedPlan, b: SealedPlan): boolean {
  return isDeepStrictEqual(meaningOf(a), meaningOf(b));
}

function meaningOf({ pieces, parameters, parameterOids, results, origins, copy }: SealedPlan): readonly unknown[] {
  return [pieces, parameters, parameterOids, results, origins, copy];
}
