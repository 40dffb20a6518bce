/**
 * From a statement's bytes to plans: decides what may pass unseen, and brings everything else before the analysis.
 */
import { PostgresError } from '../errors.ts';
import type { PassPlan, Refusal, SealedPlan, StatementPlan, TrackPlan } from '../plan.ts';
import { strictTextOf } from '../wire/reader.ts';
import { isSettled, settle } from './probe.ts';
import { refusalOf } from './refusals.ts';
import type { Session } from './session.ts';

export type Planned =
  /** Nothing sealed: the client's own bytes go on. `effect`: the strongest of its statements. */
  | {
      readonly type: 'forward';
      readonly sql: string;
      readonly effect: TrackPlan['effect'] | undefined;
      readonly count: number;
    }
  | { readonly type: 'sealed'; readonly sql: string; readonly plans: readonly (SealedPlan | PassPlan | TrackPlan)[] }
  | { readonly type: 'refuse'; readonly refusal: Refusal }
  /** The transaction has failed and the statement is none that ends it. */
  | { readonly type: 'failed' }
  /** The server ignores messages until Sync: nothing is sent. */
  | { readonly type: 'skipped' };

/** Whether a statement must be planned. `lenient`: its bytes read as UTF-8 with replacement characters. */
export function concerns(session: Session, lenient: string, bytes: Uint8Array): boolean {
  const { clientEncoding } = session.settings;
  if ((clientEncoding !== 'UTF8' || session.tracksPending > 0) && !isAscii(bytes)) return true;
  return session.analyzer.mayConcern(lenient) || executesSealed(session, lenient);
}

const EXECUTE = /\bexecute\b/i;

/**
 * SQL's EXECUTE and the protocol's Bind share their statements: one that was prepared by Parse and sealed would run with what the SQL
 * says, unsealed. Sound: EXECUTE must name it, and only a Unicode-escaped or doubled quote could spell the name otherwise.
 */
function executesSealed(session: Session, sql: string): boolean {
  if (session.statements.size === 0 || !EXECUTE.test(sql)) return false;
  const bytes = Buffer.from(sql.toLowerCase()).toString('latin1');
  const spelled = /u&"|""/i.test(sql);
  for (const [name, { type }] of session.statements) {
    if (type === 'sealed' && name !== '' && (spelled || bytes.includes(lowerCased(name)))) return true;
  }
  return false;
}

function lowerCased(name: string): string {
  return Buffer.from(Buffer.from(name, 'latin1').toString('utf8').toLowerCase()).toString('latin1');
}

/** Plans a statement that may concern something sealed; at once where settings and plan are known. */
export function planStatement(
  session: Session,
  bytes: Uint8Array,
  declaredOids: readonly number[],
): Planned | Promise<Planned> {
  if (isSettled(session)) return planSettled(session, bytes, declaredOids, 'ready');
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
  if (sql === undefined) return { type: 'refuse', refusal: BROKEN_UTF8 };
  if (executesSealed(session, sql)) return { type: 'refuse', refusal: EXECUTE_OF_SEALED };
  const finish = (plans: readonly StatementPlan[]): Planned => {
    const planned = combine(sql, plans);
    return readiness === 'failed' && planned.type !== 'forward' ? { type: 'failed' } : planned;
  };
  const plans = session.analyzer.plan(sql, declaredOids, session.settings);
  return plans instanceof Promise ? plans.then(finish) : finish(plans);
}

function combine(sql: string, plans: readonly StatementPlan[]): Planned {
  const forwarded: (SealedPlan | PassPlan | TrackPlan)[] = [];
  for (const plan of plans) {
    if (plan.type === 'refuse') return { type: 'refuse', refusal: plan.refusal };
    forwarded.push(plan);
  }
  if (forwarded.some(({ type }) => type === 'sealed')) return { type: 'sealed', sql, plans: forwarded };
  return { type: 'forward', sql, effect: strongest(forwarded), count: forwarded.length };
}

const STRENGTH = ['transaction', 'settings', 'catalog'] as const satisfies readonly TrackPlan['effect'][];

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

const EXECUTE_OF_SEALED: Refusal = {
  sqlstate: '0A000',
  code: 'ERR_POSTGRES_EXECUTE',
  message: 'EXECUTE of a statement on sealed columns that was prepared over the protocol is not supported',
  hint: 'Run it by the driver, over the extended protocol.',
};

const BROKEN_UTF8: Refusal = {
  sqlstate: '22021',
  code: 'ERR_POSTGRES_ENCODING',
  message: 'invalid byte sequence for encoding "UTF8" in a statement',
};

/** A statement whose meaning changed since it was prepared: drivers prepare again on this SQLSTATE. */
export function staleStatement(): PostgresError {
  return new PostgresError(
    'ERR_POSTGRES_STALE_PLAN',
    'cached plan must not change: the catalog or a setting changed since this statement was prepared',
    {
      sqlstate: '0A000',
      hint: 'Prepare the statement again.',
    },
  );
}
