/**
 * The session's cursors and prepared statements by name, as SQL uses them: FETCH gives rows of a cursor, EXECUTE runs a statement that was
 * prepared by PREPARE or by Parse, which share their names.
 *
 * Invariants: an EXECUTE whose statement has sealed parameters is sent with them sealed; a name is taken for what it stands for once the
 * statements before it have run, and where one fails, for what it stood for before.
 */
import { setImmediate } from 'node:timers/promises';
import { MAX_STATEMENTS } from '../limits.ts';
import type { NamedUse, PassPlan, RefusePlan, SealedPlan, StatementPlan, TrackPlan } from '../plan.ts';
import { untilCertain } from './certainty.ts';
import { findCursor, isStale, nameOfSql, type Cursor } from './known-names.ts';
import type { NameTable } from './name-table.ts';
import { isPrintable, NOT_PRINTED } from './printing.ts';
import { refusalOf, refuseOf } from './refusals.ts';
import type { Session, Statement } from './session.ts';
import { readsSettings } from './reading-settings.ts';
import { effectOfCursor } from './setting-cursors.ts';
import { isCurrent, isQuietlyCurrent, planAgain, staleStatement, watchAgain } from './validity.ts';
import { afterThose, Ahead } from './waiting-uses.ts';

type Forwarded = PassPlan | TrackPlan | SealedPlan;

/** What running a statement does to the names; gives what takes it back. */
export type NameChange = (session: Session) => () => void;

/** Names as they are after the statements of one message that come before. */
type Overlay = { readonly [Kind in keyof Kept]: Map<string, Kept[Kind] | undefined> };

export type Resolved = { readonly plan: StatementPlan; readonly change?: NameChange };

/** Each plan with what its names stand for. At once where no name is used. */
export function resolveNames(
  session: Session,
  sql: string,
  plans: readonly StatementPlan[],
): readonly Resolved[] | Promise<readonly Resolved[]> {
  return plans.some(usesName) ? resolveEach(session, sql, plans) : plans.map((plan) => ({ plan }));
}

function usesName(plan: StatementPlan): boolean {
  return plan.type !== 'refuse' && plan.named !== undefined;
}

async function resolveEach(
  session: Session,
  sql: string,
  plans: readonly StatementPlan[],
): Promise<readonly Resolved[]> {
  const overlay: Overlay = { cursors: new Map(), statements: new Map(), plainNames: new Map() };
  const resolved: Resolved[] = [];
  const ahead = new Ahead();
  for (const [index, plan] of plans.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await setImmediate();
    const named = plan.type === 'refuse' ? undefined : plan.named;
    const next =
      plan.type === 'refuse' || named === undefined ? { plan } : await resolve(session, plan, named, overlay);
    resolved.push(ahead.hasToWait(named, next.plan) ? { plan: afterThose(session, sql) } : next);
    ahead.add(plan, next.plan);
    // The server comes no further.
    if (resolved.at(-1)?.plan.type === 'refuse') break;
  }
  return resolved;
}

async function resolve(session: Session, plan: Forwarded, named: NamedUse, overlay: Overlay): Promise<Resolved> {
  switch (named.type) {
    case 'declare':
      if (session.cursors.size >= MAX_STATEMENTS) return { plan: refuseOf(TOO_MANY) };
      return changed(plan, overlay, 'cursors', named.name, cursorOf(plan, named));
    case 'fetch': {
      const cursor = cursorNamed(session, named.name, overlay);
      const isRefused = cursor !== undefined && !isPrintable(session, cursor.plan);
      if (isRefused) return { plan: { type: 'refuse', refusal: NOT_PRINTED } };
      return { plan: cursor === undefined ? run(session, plan, named.name) : fetched(plan, cursor) };
    }
    case 'move':
      return { plan: run(session, plan, named.name) };
    case 'close':
      return named.name === undefined
        ? { plan, change: clear('cursors') }
        : changed(plan, overlay, 'cursors', named.name, undefined);
    case 'deallocate':
      return named.name === undefined
        ? { plan, change: clear('statements', 'plainNames') }
        : standsFor(plan, overlay, nameOfSql(named.name), undefined, undefined);
    case 'discard':
      return { plan, change: clear('cursors', 'statements', 'plainNames') };
    case 'prepare':
      if (session.statements.size >= MAX_STATEMENTS) return { plan: refuseOf(TOO_MANY) };
      return prepared(session, plan, named, overlay);
    case 'execute': {
      const name = nameOfSql(named.name);
      if (session.isInDoubt(name)) await untilCertain(session);
      session.reviewCold();
      const statement = overlay.statements.has(name) ? overlay.statements.get(name) : session.statements.get(name);
      if (isStale(session, name, statement)) return { plan: STALE };
      const isPlain = overlay.plainNames.has(name) ? overlay.plainNames.get(name) : session.plainNames.get(name);
      if (statement === undefined && isPlain !== true && named.hasArguments) return { plan: NOT_PREPARED };
      return { plan: await executed(session, plan, named, statement) };
    }
  }
}

function cursorNamed(session: Session, name: string, { cursors }: Overlay): Cursor | undefined {
  return cursors.has(name) ? cursors.get(name) : findCursor(session, name);
}

function cursorOf(plan: Forwarded, { holds, binary }: NamedUse & { type: 'declare' }): Cursor | undefined {
  return plan.type === 'sealed' ? { plan, holds, binary } : undefined;
}

/** FETCH of a cursor over nothing sealed, and MOVE, which opens no rows. */
function run(session: Session, plan: Forwarded, name: string): Forwarded {
  const effect = findCursor(session, name)?.plan.effect ?? effectOfCursor(session, nameOfSql(name));
  return effect === undefined || plan.type !== 'pass' ? plan : { ...plan, type: 'track', effect };
}

/** FETCH of a cursor over sealed columns: its rows are opened. */
function fetched(plan: Forwarded, cursor: Cursor): Forwarded {
  if (plan.type === 'sealed') return plan;
  const { copy: _copy, ...rest } = cursor.plan;
  return {
    ...rest,
    ...textOf(plan),
    parameters: new Map(),
    parameterOids: new Map(),
    ...(plan.named !== undefined && { named: plan.named }),
    binaryRows: cursor.binary,
  };
}

function textOf({ text }: PassPlan | TrackPlan): Pick<SealedPlan, 'pieces' | 'piecePlaces'> {
  return { pieces: [text], piecePlaces: [1] };
}

function statementOf(
  session: Session,
  plan: Forwarded,
  { statement }: NamedUse & { type: 'prepare' },
): Statement | undefined {
  const { sql, declaredOids, effect, parameterCount, ...text } = statement;
  if (plan.type === 'sealed') {
    const { named: _named, ...rest } = plan;
    const { settings } = session;
    const sealedUnder = readsSettings(text) && { sealedUnder: settings };
    const counted = parameterCount !== undefined && { parameterCount };
    return {
      type: 'sealed',
      plan: { ...rest, ...text, ...(effect && { effect }) },
      sql,
      declaredOids,
      ...counted,
      ...sealedUnder,
    };
  }
  if (effect !== undefined) return { type: 'track', effect };
  const { settings, analyzer } = session;
  return { type: 'watched', sql, declaredOids, settings, catalogEpoch: analyzer.catalogEpoch };
}

/** Where it comes to nothing, the name stands for no plain statement any more: what EXECUTE gives it then is not sent. */
function prepared(
  session: Session,
  plan: Forwarded,
  named: NamedUse & { type: 'prepare' },
  overlay: Overlay,
): Resolved {
  const name = nameOfSql(named.name);
  const isPlain = plan.type !== 'sealed';
  if (isPlain && session.plainNames.size >= MAX_STATEMENTS) return { plan: refuseOf(TOO_MANY) };
  return standsFor(plan, overlay, name, statementOf(session, plan, named), isPlain ? true : undefined);
}

/** What a name of SQL's is from now on. */
function standsFor(
  plan: Forwarded,
  overlay: Overlay,
  name: string,
  statement: Statement | undefined,
  isPlain: true | undefined,
): Resolved {
  const changes = [
    changed(plan, overlay, 'statements', name, statement),
    changed(plan, overlay, 'plainNames', name, isPlain),
  ];
  return {
    plan,
    change: (session) => {
      const undo = [...changes.map(({ change }) => change?.(session)), session.cold.forget(name)];
      return () => undo.forEach((restore) => restore?.());
    },
  };
}

async function executed(
  session: Session,
  plan: Forwarded,
  named: NamedUse & { type: 'execute' },
  statement: Statement | undefined,
): Promise<StatementPlan> {
  if (statement === undefined || plan.type === 'sealed') return plan;
  switch (statement.type) {
    case 'stale':
      return STALE;
    case 'track':
      // With the name it uses: prepared, it is looked at again when it is run.
      return statement.effect === undefined ? plan : { ...plan, type: 'track', effect: statement.effect };
    case 'watched':
      if (!isQuietlyCurrent(session, statement)) await watchAgain(session, statement);
      return plan;
    case 'sealed':
      return executedSealed(session, plan, named, statement);
  }
}

async function executedSealed(
  session: Session,
  plan: PassPlan | TrackPlan,
  named: NamedUse & { type: 'execute' },
  statement: Statement & { type: 'sealed' },
): Promise<SealedPlan | RefusePlan> {
  if (named.within === 'create') return refuseOf(INTO_A_TABLE);
  if (statement.plan.copy !== undefined || statement.plan.named !== undefined) return refuseOf(NOT_A_QUERY);
  if (!isCurrent(session, statement.plan)) await planAgain(session, statement);
  const text = session.analyzer.executeText(plan.text, statement.plan.parameters, statement.parameterCount);
  if ('type' in text) return text;
  const results = named.within === 'explain' ? { results: undefined, origins: undefined } : {};
  const effect = plan.type === 'track' ? { effect: plan.effect } : {};
  return { ...statement.plan, ...effect, ...results, ...text, parameters: new Map(), parameterOids: new Map(), named };
}

const TOO_MANY = `a session may hold at most ${MAX_STATEMENTS} cursors and prepared statements on sealed columns`;
const STALE: RefusePlan = { type: 'refuse', refusal: refusalOf(staleStatement()) };
/** Its arguments may be meant for a sealed column: a PREPARE that failed or was refused, or a name with a slip. */
const NOT_PREPARED: RefusePlan = {
  type: 'refuse',
  refusal: {
    code: 'ERR_POSTGRES_EXECUTE',
    sqlstate: '26000',
    message: 'the prepared statement does not exist, or was not made by PREPARE',
    hint: 'Prepare it with PREPARE; what was prepared by the protocol is run by it.',
  },
};
const INTO_A_TABLE = 'CREATE TABLE AS EXECUTE of a statement on sealed columns is not supported';
const NOT_A_QUERY = 'EXECUTE of this statement is not supported on tables with sealed columns';

/** Between as many, others have their turn: the text of each EXECUTE is read. */
const AT_ONCE = 500;

type Kept = { readonly cursors: Cursor; readonly statements: Statement; readonly plainNames: true };

function changed<Kind extends keyof Kept>(
  plan: Forwarded,
  overlay: Overlay,
  kind: Kind,
  name: string,
  value: Kept[Kind] | undefined,
): Resolved {
  overlay[kind].set(name, value);
  return { plan, change: (session) => tableOf(session, kind).set(name, value) };
}

function tableOf<Kind extends keyof Kept>(session: Session, kind: Kind): NameTable<Kept[Kind]> {
  const tables: { readonly [Each in keyof Kept]: NameTable<Kept[Each]> } = session;
  return tables[kind];
}

function clear(...kinds: readonly (keyof Kept)[]): NameChange {
  return (session) => {
    const undo = kinds.map((kind) => session[kind].clear());
    if (kinds.includes('statements')) undo.push(session.cold.clear());
    return () => undo.forEach((restore) => restore());
  };
}
