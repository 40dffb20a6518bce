/**
 * Asks the client's own session what its settings are, right before a hot statement, where they may have changed.
 *
 * The question travels in the client's connection, at the client's place in the pipeline; its answer goes to nobody else.
 */
import { serialize } from 'pg-protocol';
import { PostgresError } from '../errors.ts';
import type { Refusal } from '../plan.ts';
import { textOf } from '../wire/reader.ts';
import { untilAnswered } from './certainty.ts';
import { hasFailed } from './refusals.ts';
import type { Session } from './session.ts';
import type { SessionSettings } from './settings.ts';

/** `ready`: settings are known. `failed`: the transaction has failed. `skipped`: the server ignores messages until Sync. */
export type Readiness = 'ready' | 'failed' | 'skipped';

const NAME = 'sealgate settings';
/** Asked for although most of them are reported too: within a sequence reports come with its end. */
const SETTINGS = [
  ...['IntervalStyle', 'DateStyle', 'TimeZone', 'extra_float_digits', 'bytea_output'],
  ...['client_encoding', 'standard_conforming_strings', 'array_nulls'],
] as const;
/** Temporary tables are types, too: pg_temp is searched before pg_catalog, for relations and types. 11 is pg_catalog's OID. */
const SHADOWED_SQL =
  'CASE WHEN pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0::pg_catalog.oid THEN ' +
  '(SELECT t.typname FROM pg_catalog.pg_type t WHERE t.typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() AND t.typelem OPERATOR(pg_catalog.=) 0::pg_catalog.oid AND EXISTS ' +
  '(SELECT FROM pg_catalog.pg_type b WHERE b.typname OPERATOR(pg_catalog.=) t.typname AND b.typnamespace OPERATOR(pg_catalog.=) 11::pg_catalog.oid ' +
  'AND b.typrelid OPERATOR(pg_catalog.=) 0::pg_catalog.oid) LIMIT 1) END, ';
/** Every name is qualified: nothing in the client's schemas can stand in for it. */
const PROBE_SQL =
  'SELECT pg_catalog.array_to_json(pg_catalog.current_schemas(true)), current_user, pg_catalog.pg_backend_pid(), ' +
  'pg_catalog.current_setting($$sealgate.catalog$$, true), ' +
  SHADOWED_SQL +
  SETTINGS.map((name) => `pg_catalog.current_setting($$${name}$$)`).join(', ');

const FLUSH = serialize.flush();
const SYNC = serialize.sync();

/** Nothing in flight changes settings, and they are known: `settle` would say `ready` at once. */
export function isSettled(session: Session): boolean {
  return session.tracksPending === 0 && !session.skipping && !session.settingsOutdated;
}

/** Waits until statements in flight that change settings are done, and asks for the settings where they may be stale. */
export async function settle(session: Session): Promise<Readiness> {
  if (session.tracksPending > 0) await untilAnswered(session);
  if (session.skipping) return 'skipped';
  if (!session.settingsOutdated) return 'ready';
  if (hasFailed(session)) return 'failed';
  return ask(session);
}

async function ask(session: Session): Promise<Readiness> {
  const isAlone = !session.sequenceOpen;
  const epoch = session.analyzer.catalogEpoch;
  let failure: ReadonlyMap<string, string> | undefined;
  const row = await new Promise<readonly string[] | undefined>((resolve) => {
    let answer: readonly string[] | undefined;
    const internal = {
      failed: (fields: ReadonlyMap<string, string>) => void (failure = fields),
      row: (values: readonly (Uint8Array | undefined)[]) => {
        answer = values.map((value) => (value === undefined ? '' : textOf(value, 0, value.length)));
      },
      done: (succeeded: boolean) => resolve(succeeded ? answer : undefined),
    };
    // Within the client's sequence the server's error is the client's.
    if (!isAlone) askInSequence(session, { row: internal.row, done: internal.done });
    else if (session.boundSinceSync) askSimply(session, internal);
    else askAlone(session, internal);
    session.wires.flushUpstream();
  });
  if (row === undefined) {
    if (!isAlone) return 'skipped';
    if (session.status === 'failed') return 'failed';
    throw notRead(failure);
  }
  if (!isAlone) await leaveSequence(session);
  requireOneBackend(session, row);
  session.settings = settingsFrom(session, row);
  session.settingsStale = false;
  session.settingsEpoch = epoch;
  return 'ready';
}

/** query_canceled: it is the client's statement that a cancel request means, and a statement_timeout. */
const CANCELED = '57014';

function notRead(failure: ReadonlyMap<string, string> | undefined): PostgresError {
  const said = failure?.get('M');
  if (failure?.get('C') === CANCELED && said !== undefined)
    return new PostgresError('ERR_POSTGRES_CANCELED', said, { sqlstate: CANCELED });
  return new PostgresError('ERR_POSTGRES_INTERNAL', 'the settings of the session could not be read', {
    sqlstate: '58000',
    hint: 'Try again.',
  });
}

type Internal = NonNullable<Parameters<Session['expect']>[0]['internal']>;

/** Behind a Query that came in a sequence without Sync, whose block is still open. */
function askSimply(session: Session, internal: Internal): void {
  session.wires.toUpstream(serialize.query(PROBE_SQL));
  session.expect({ kind: 'query', internal });
}

/** By the extended protocol as well: a Query would drop the client's unnamed statement and portal. */
function askAlone(session: Session, { row, failed: told, done }: Required<Internal>): void {
  let succeeded = true;
  const failed = (fields: ReadonlyMap<string, string>): void => {
    succeeded = false;
    told(fields);
  };
  askInSequence(session, { row, failed, done: () => undefined });
  session.wires.toUpstream(SYNC);
  session.expect({ kind: 'sync', internal: { done: () => done(succeeded) } });
}

/** What comes behind an Execute without a Sync between is in a block that the server begins for it: the client's would be, and may not have been. */
async function leaveSequence(session: Session): Promise<void> {
  if (session.held === 'nothing') return endSequence(session);
  session.questionOpen = true;
}

/**
 * Before a Query or a FunctionCall, which is committed by itself where no Execute of the client's came before it: with the question's it would not
 * be. It ends what was bound, as the Sync does. Gives why it cannot be sent, where it is not known what the Sync would end.
 */
export async function endQuestion(session: Session): Promise<Refusal | undefined> {
  await untilAnswered(session);
  session.questionOpen = false;
  if (session.skipping || session.held === 'block') return undefined;
  if (session.held === 'unknown') return NO_SYNC;
  await endSequence(session);
  return undefined;
}

const NO_SYNC: Refusal = {
  sqlstate: '0A000',
  code: 'ERR_POSTGRES_SEQUENCE',
  message: 'a Query in a sequence without Sync, behind a statement that may have been committed by itself',
  hint: 'Send a Sync before the Query.',
};

/** Ends what was sent so far with a Sync of the proxy's own. Precondition: nothing of it has failed, or the client gets no answer of it. */
export function endSequence(session: Session): Promise<void> {
  session.skipping = false;
  session.wires.toUpstream(SYNC);
  return new Promise((resolve) => {
    session.expect({ kind: 'sync', internal: { done: () => resolve() } });
    session.wires.flushUpstream();
  });
}

/** Within a sequence that has not come to its Sync: a Query here would end the client's implicit transaction. */
function askInSequence(session: Session, internal: Internal): void {
  const { toUpstream } = session.wires;
  // One that failed, as a cancelled one does, leaves its statement behind.
  toUpstream(serialize.close({ type: 'S', name: NAME }));
  toUpstream(serialize.parse({ name: NAME, text: PROBE_SQL, types: [] }));
  toUpstream(serialize.bind({ portal: NAME, statement: NAME }));
  toUpstream(serialize.execute({ portal: NAME, rows: 0 }));
  toUpstream(serialize.close({ type: 'P', name: NAME }));
  toUpstream(serialize.close({ type: 'S', name: NAME }));
  toUpstream(FLUSH);
  const { failed } = internal;
  const first = { ...(failed && { failed }), done: (succeeded: boolean) => void (succeeded || internal.done?.(false)) };
  for (const kind of ['close', 'parse', 'bind'] as const) session.expect({ kind, internal: first });
  session.expect({ kind: 'execute', internal: { ...internal, ...first } });
  session.expect({ kind: 'close', internal: first });
  session.expect({ kind: 'close', internal });
}

/** A session that is served by another backend than before is none: what was set in one holds nothing in the other. */
function requireOneBackend(session: Session, [, , backend = '']: readonly string[]): void {
  session.backend ??= backend;
  if (session.backend === backend) return;
  throw new PostgresError('ERR_POSTGRES_TRANSACTION_POOLING', 'another backend serves this session than before', {
    sqlstate: '0A000',
    hint: 'The pooler between the proxy and the server has to pool sessions, not transactions.',
  });
}

function settingsFrom(session: Session, row: readonly string[]): SessionSettings {
  const { settings } = session;
  const [schemas = '[]', role = '', , catalogTypes = '', shadowedType = '', ...shown] = row;
  const [
    intervalStyle = '',
    dateStyle = '',
    timeZone = '',
    floatDigits,
    byteaOutput = '',
    clientEncoding = '',
    strings,
    arrayNulls,
  ] = shown;
  const parsed: unknown = JSON.parse(schemas);
  const searchPath = Array.isArray(parsed) ? parsed.map(String) : [];
  const printing = { intervalStyle, dateStyle, timeZone, extraFloatDigits: Number(floatDigits), byteaOutput };
  const lexing = { clientEncoding, standardConformingStrings: strings === 'on', arrayNulls: arrayNulls === 'on' };
  const uncommitted = {
    uncommittedCatalog: session.catalogTouched,
    uncommittedElsewhere: session.catalogTouchedElsewhere,
  };
  const next = { ...settings, ...printing, ...lexing, ...uncommitted, searchPath, role, catalogTypes, shadowedType };
  // Identity says "nothing changed": prepared statements that were looked at need no second look.
  return JSON.stringify(next) === JSON.stringify(settings) ? settings : next;
}
