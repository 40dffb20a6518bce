/** Execute ('E'): runs a portal, or goes on with one. */
import { serialize } from 'pg-protocol';
import { decodeExecute } from '../../messages/execute.ts';
import { AGAIN, CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import type { SealedPlan, TrackPlan } from '../../plan.ts';
import { judgeName } from '../encoded-names.ts';
import { cursorOfPortal, findCursor, nameOfSql, staysPlain, type Cursor } from '../known-names.ts';
import { isPrintable, NOT_PRINTED, printsSealed } from '../printing.ts';
import { settle } from '../probe.ts';
import { orRefuse, refusalOf, refuseBind, refuseExtended } from '../refusals.ts';
import { readsAlike, readsSettings, searchesAlike } from '../reading-settings.ts';
import { PASS, type Reply } from '../reply.ts';
import type { Portal, Session } from '../session.ts';
import type { SessionSettings } from '../settings.ts';
import { effectOfCursor, mayHaveSettingCursor } from '../setting-cursors.ts';
import { staleStatement } from '../validity.ts';
import { columnUse, expectCopy, needNames, type FrontendHandler } from './handler.ts';

const FLUSH = serialize.flush();

export const executeHandler: FrontendHandler = {
  need: (session, bodyLength) => needNames(session, bodyLength) || (mayHaveSettingCursor(session) ? bodyLength : 0),
  frame(session, bytes, start, bodyLength): Verdict | Promise<void | typeof AGAIN> {
    if (!session.watches && !mayHaveSettingCursor(session)) {
      session.expect(PASS.execute);
      return FORWARD;
    }
    const { portal: name } = decodeExecute(bytes.subarray(start, start + bodyLength));
    if (!session.watches) {
      session.expect(unknown(session, name));
      return FORWARD;
    }
    const judged = judgeName(session, name);
    if (judged !== undefined) return judged;
    const portal = session.portals.get(name);
    const cursor = portal === undefined ? cursorOfPortal(session, name) : undefined;
    const prints = portal?.type === 'sealed' ? portal.opening.plan : cursor?.plan;
    const boundUnder = portal?.type === 'sealed' ? portal.boundUnder : undefined;
    if (prints !== undefined && mayBeOtherwise(session) && (printsSealed(prints) || boundUnder !== undefined))
      return printAsSet(session, prints, bytes.slice(start - 5, start + bodyLength));
    if (prints !== undefined && !session.skipping && !isPrintable(session, prints)) {
      refuseBind(session, NOT_PRINTED);
      return CONSUME;
    }
    if (prints !== undefined && !session.skipping && !isAsBound(session, prints, boundUnder)) {
      refuseBind(session, refusalOf(staleStatement()));
      return CONSUME;
    }
    if (cursor !== undefined) {
      const frame = bytes.slice(start - 5, start + bodyLength);
      return orRefuse(
        () => executeCursor(session, cursor, frame),
        (refusal) => refuseExtended(session, refusal),
      );
    }
    const effect = portal?.type === 'track' ? portal.effect : undefined;
    if (portal?.uses !== undefined && !staysPlain(session, portal.uses, effect)) {
      refuseExtended(session, refusalOf(staleStatement()));
      return CONSUME;
    }
    if (portal === undefined) session.expect(unknown(session, name));
    else if (portal.type === 'track')
      session.expect({ kind: 'execute', ...doneBy(session, portal, effectOf(session, portal)) });
    else if (portal.opening.plan.copy?.direction === 'in') {
      session.wires.toUpstream(bytes.slice(start - 5, start + bodyLength));
      session.wires.toUpstream(FLUSH);
      return expectCopy(session, replyTo(session, portal));
    } else session.expect(replyTo(session, portal));
    return FORWARD;
  },
};

/** Values are printed here, or read by the server, under settings that may be others than at its Bind. */
function mayBeOtherwise({ tracksPending, settingsStale, skipping }: Session): boolean {
  return !skipping && (tracksPending > 0 || settingsStale);
}

/** What the server reads only now reads as it was planned and sealed. */
function isAsBound({ settings }: Session, plan: SealedPlan, before: SessionSettings | undefined): boolean {
  if (before === undefined || before === settings) return true;
  return searchesAlike(before, settings) && (!readsSettings(plan) || readsAlike(before, settings));
}

/** The server prints under the settings of now, and reports few of them, and late. */
async function printAsSet(session: Session, plan: SealedPlan, frame: Uint8Array): Promise<void | typeof AGAIN> {
  try {
    const { timeZone } = session.settings;
    const readiness = await settle(session);
    // A zone is asked for where columns are opened.
    if (readiness === 'ready' && session.settings.timeZone !== timeZone)
      await session.columns.open(plan.columns, columnUse(session));
    if (readiness !== 'failed') return AGAIN;
    // The server runs no portal in a failed transaction, and says so.
    session.wires.toUpstream(frame);
    session.expect(PASS.execute);
  } catch (error) {
    refuseExtended(session, refusalOf(error));
  }
}

/** One of SQL's, run by the protocol: its rows come as text. */
async function executeCursor(session: Session, { plan }: Cursor, frame: Uint8Array): Promise<void> {
  const columns = await session.columns.open(plan.columns, columnUse(session));
  session.wires.toUpstream(frame);
  const track = plan.effect === undefined ? {} : { track: plan.effect };
  session.expect({ kind: 'execute', openings: [{ plan, columns, formats: [], textual: true }], ...track });
}

/** Of a portal that is not remembered: a cursor of SQL's may be one that sets something. */
function unknown(session: Session, name: string): Reply {
  return name !== '' && mayHaveSettingCursor(session) ? SETS : PASS.execute;
}

const SETS: Reply = { kind: 'execute', track: 'settings' };

/** FETCH and MOVE were prepared when the name stood for something else, maybe. */
function effectOf(session: Session, { effect, uses }: Portal & { type: 'track' }): TrackPlan['effect'] | undefined {
  if (effect !== undefined || (uses?.type !== 'fetch' && uses?.type !== 'move')) return effect;
  return findCursor(session, uses.name)?.plan.effect ?? effectOfCursor(session, nameOfSql(uses.name));
}

function replyTo(session: Session, portal: Portal & { type: 'sealed' }): Reply {
  const { opening } = portal;
  return { kind: 'execute', openings: [opening], ...doneBy(session, portal, opening.plan.effect) };
}

function doneBy(
  session: Session,
  { change, copiesIn = false }: Portal,
  effect: Reply['track'],
): Pick<Reply, 'track' | 'undo' | 'copiesIn'> {
  const undo = change?.(session);
  return { copiesIn, ...(effect !== undefined && { track: effect }), ...(undo !== undefined && { undo }) };
}
