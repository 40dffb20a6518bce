/**
 * From a statement's bytes to plans: decides what may pass unseen, and brings everything else before the analysis.
 */
import type { NamedUse, PassPlan, Refusal, RefusePlan, SealedPlan, StatementPlan, TrackPlan } from '../plan.ts';
import { strictTextOf, textOf } from '../wire/reader.ts';
import { isIndifferent } from './indifferent.ts';
import { isBeyondAscii } from './name-table.ts';
import { resolveNames, type NameChange, type Resolved } from './names.ts';
import { ownTransaction } from './own-transaction.ts';
import { presentPlans } from './present-plans.ts';
import { isSettled, settle } from './probe.ts';
import { hasFailed, refusalOf } from './refusals.ts';
import type { Session } from './session.ts';
import { mayHaveSettingCursor } from './setting-cursors.ts';

export type Planned =
  /** Nothing sealed: the client's own bytes go on. `effect`: the strongest of its statements. */
  | {
      readonly type: 'forward';
      readonly sql: string;
      readonly effect: TrackPlan['effect'] | undefined;
      readonly changes?: NameChanges;
      readonly copiesIn?: boolean;
      /** Of a single statement: the name it uses. */
      readonly uses?: NamedUse;
    }
  | {
      readonly type: 'sealed';
      readonly sql: string;
      readonly plans: readonly (SealedPlan | PassPlan | TrackPlan)[];
      readonly changes?: NameChanges;
      readonly copiesIn?: boolean;
      /** Of the statement behind these, which fails in its place; none of them need be sealed then. */
      readonly ends?: Refusal;
    }
  | RefusePlan
  /** Its bytes are no text, which the server finds before it does anything with them. */
  | { readonly type: 'malformed'; readonly refusal: Refusal }
  /** The transaction has failed and the statement is none that ends it. */
  | { readonly type: 'failed' }
  /** The server ignores messages until Sync: nothing is sent. */
  | { readonly type: 'skipped' };

/** Whether a statement must be planned. `lenient`: its bytes read as UTF-8 with replacement characters. */
export function concerns(session: Session, lenient: string, bytes: Uint8Array): boolean {
  if (mayBeOfOtherEncoding(session) && !isAscii(bytes)) return true;
  return session.analyzer.mayConcern(lenient) || usesNames(session, lenient);
}

/** Whether bytes beyond ASCII may be something else than UTF-8, for all that is known. */
export function mayBeOfOtherEncoding({ settings, tracksPending, reportsPending }: Session): boolean {
  return settings.clientEncoding !== 'UTF8' || tracksPending > 0 || reportsPending;
}

/** FETCH, MOVE, CLOSE and DEALLOCATE name nothing hot by themselves. */
const NAMED = /^[\s(]*(?:fetch|move|close|deallocate)\b/i;

function usesNames(session: Session, sql: string): boolean {
  return (session.watches || session.cold.doubts || mayHaveSettingCursor(session)) && usesName(sql);
}

/** What is prepared may be run when there are names. */
export function usesName(sql: string): boolean {
  return NAMED.test(sql);
}

/**
 * Plans a statement that may concern something sealed; at once where settings and plan are known. `name`: of the prepared statement, one character
 * for each byte.
 */
export function planStatement(
  session: Session,
  bytes: Uint8Array,
  declaredOids: readonly number[],
  name = '',
): Planned | Promise<Planned> {
  const isRead = !session.skipping && !(isBeyondAscii(name) && mayBeOfOtherEncoding(session));
  if (isSettled(session) || (isRead && isIndifferent(textOf(bytes, 0, bytes.length))))
    return planSettled(session, bytes, declaredOids, 'ready');
  return planLater(session, bytes, declaredOids);
}

async function planLater(session: Session, bytes: Uint8Array, declaredOids: readonly number[]): Promise<Planned> {
  const readiness = await settle(session).catch((error: unknown) => refusalOf(error));
  if (typeof readiness !== 'string') return { type: 'refuse', refusal: readiness };
  if (readiness === 'skipped') return { type: 'skipped' };
  return planSettled(session, bytes, declaredOids, readiness);
}

function planSettled(
  session: Session,
  bytes: Uint8Array,
  declaredOids: readonly number[],
  readiness: 'ready' | 'failed',
): Planned | Promise<Planned> {
  if (session.settings.clientEncoding !== 'UTF8' && !isAscii(bytes)) return { type: 'refuse', refusal: NOT_UTF8 };
  const sql = strictTextOf(bytes);
  if (sql === undefined) return { type: 'malformed', refusal: BROKEN_UTF8 };
  if (!session.settings.standardConformingStrings && sql.includes('\\')) return { type: 'refuse', refusal: BACKSLASH };
  session.usesSavepoints ||= /savepoint/i.test(sql);
  const own = readiness === 'ready' ? ownTransaction(session) : undefined;
  const judge = (planned: Planned): Planned => {
    if ((readiness === 'failed' || hasFailed(session)) && isIgnored(sql, planned)) return { type: 'failed' };
    // What was sent before it has failed meanwhile.
    return planned.type === 'refuse' && session.skipping ? { type: 'skipped' } : planned;
  };
  const finish = (resolved: readonly Resolved[]): Planned => judge(combine(sql, resolved));
  const refused = (error: unknown): Planned => judge({ type: 'refuse', refusal: refusalOf(error) });
  const resolve = (plans: readonly StatementPlan[]): Planned | Promise<Planned> => {
    const resolved = resolveNames(session, sql, plans);
    return resolved instanceof Promise ? resolved.then(finish, refused) : finish(resolved);
  };
  const plans = presentPlans(session, sql, declaredOids, own);
  return plans instanceof Promise ? plans.then(resolve, refused) : resolve(plans);
}

/** What ends a transaction, of which a message may hold more than one statement. */
const ENDS_TRANSACTION = /^\s*(?:commit|end|rollback|abort|prepare\s+transaction)\b/i;

/** Of a failed transaction: the server would look no further than at the statement's grammar. */
function isIgnored(sql: string, planned: Planned): boolean {
  if (planned.type === 'refuse' && planned.refusal.code === 'ERR_POSTGRES_UNPARSABLE') return false;
  return planned.type !== 'forward' && !ENDS_TRANSACTION.test(sql);
}

function combine(sql: string, resolved: readonly Resolved[]): Planned {
  const forwarded: (SealedPlan | PassPlan | TrackPlan)[] = [];
  let ends: Refusal | undefined;
  for (const { plan } of resolved) {
    if (plan.type === 'refuse') {
      if (forwarded.length === 0 || plan.oneByOne !== undefined) return plan;
      ends = plan.refusal;
      break;
    }
    forwarded.push(plan);
  }
  const found = resolved.slice(0, forwarded.length).map(({ change }) => change);
  const changes = {
    ...(found.some((change) => change !== undefined) && { changes: found }),
    ...(ends !== undefined && { ends }),
    ...(forwarded.some((plan) => plan.type === 'pass' && plan.copiesIn === true) && { copiesIn: true }),
  };
  if (ends !== undefined || forwarded.some(({ type }) => type === 'sealed'))
    return { type: 'sealed', sql, plans: forwarded, ...changes };
  const [only, ...more] = forwarded;
  const uses = more.length === 0 ? only?.named : undefined;
  const isUse = uses?.type === 'fetch' || uses?.type === 'move' || uses?.type === 'execute';
  return { type: 'forward', sql, effect: strongest(forwarded), ...changes, ...(isUse && { uses }) };
}

/** By statement: what running it does to the session's names. */
export type NameChanges = readonly (NameChange | undefined)[];

/** Makes the changes as of now; gives what takes back those of the statements from one on. */
export function makeChanges(
  session: Session,
  changes: NameChanges | undefined,
): { readonly undoFrom?: (index: number) => void } {
  if (changes === undefined) return {};
  const undo = changes.map((change) => change?.(session));
  return {
    undoFrom: (index) =>
      undo
        .slice(index)
        .reverse()
        .forEach((restore) => restore?.()),
  };
}

const STRENGTH = [
  'transaction',
  'settings',
  'elsewhere',
  'catalog',
  'anything',
] as const satisfies readonly TrackPlan['effect'][];

/** Of several effects the one after which most must be asked anew. */
export function strongest(plans: readonly StatementPlan[]): TrackPlan['effect'] | undefined {
  let found = -1;
  for (const plan of plans) if ('effect' in plan) found = Math.max(found, STRENGTH.indexOf(plan.effect));
  return STRENGTH[found];
}

function isAscii(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte > 0x7f) return false;
  return true;
}

/** Other encodings lex otherwise than the grammar here reads them, so what they name cannot be known. */
const NOT_UTF8: Refusal = {
  sqlstate: '0A000',
  code: 'ERR_POSTGRES_ENCODING',
  message: 'a database with sealed columns takes statements beyond ASCII in client_encoding UTF8 only',
  hint: 'SET client_encoding TO UTF8.',
};

/** Where it may end a string's escape, what is text and what is a statement is not as it was read here. */
const BACKSLASH: Refusal = {
  sqlstate: '0A000',
  code: 'ERR_POSTGRES_SESSION_SETTINGS',
  message:
    'a database with sealed columns takes backslashes in such a statement under standard_conforming_strings on only',
  hint: 'SET standard_conforming_strings TO on.',
};

const BROKEN_UTF8: Refusal = {
  sqlstate: '22021',
  code: 'ERR_POSTGRES_ENCODING',
  message: 'invalid byte sequence for encoding "UTF8" in a statement',
};
