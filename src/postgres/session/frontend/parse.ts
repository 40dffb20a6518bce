/** Parse ('P'): one statement, prepared under a name or as the unnamed one. */
import type { ColumnSession } from '../../columns/column-service.ts';
import { PostgresError } from '../../errors.ts';
import { MAX_STATEMENTS, MAX_STATEMENT_BYTES } from '../../limits.ts';
import { decodeParse, encodeParse, type Parse } from '../../messages/parse.ts';
import type { SealedPlan } from '../../plan.ts';
import { CONSUME, FORWARD, type AGAIN, type Verdict } from '../../wire/frame-stream.ts';
import { FRONTEND } from '../../wire/message-types.ts';
import { nameOf, Reader, textOf } from '../../wire/reader.ts';
import { concerns, planStatement, usesName, type Planned } from '../planning.ts';
import { refuseMalformed } from '../malformed.ts';
import { askInFailedTransaction, orRefuse, refusalOf, refuseExtended } from '../refusals.ts';
import { isOfOtherEncoding, judgeName, mayBeOtherName, NAME_NOT_UTF8 } from '../encoded-names.ts';
import { readsSettings } from '../reading-settings.ts';
import type { Reply } from '../reply.ts';
import { sealText, upstreamOids } from '../sealing.ts';
import type { Session, Statement } from '../session.ts';
import type { SessionSettings } from '../settings.ts';
import { inTurns } from '../../turns.ts';
import { verifyOnce } from '../verify.ts';
import { columnUse, tooLarge, type FrontendHandler } from './handler.ts';

export const parseHandler: FrontendHandler = {
  need: (_session, bodyLength) => (bodyLength > MAX_STATEMENT_BYTES ? 0 : bodyLength),
  frame(session, bytes, start, bodyLength): Verdict | Promise<void | typeof AGAIN> {
    if (bodyLength > MAX_STATEMENT_BYTES) {
      refuseExtended(session, refusalOf(tooLarge('a statement', MAX_STATEMENT_BYTES)));
      return CONSUME;
    }
    const end = start + bodyLength;
    const reader = new Reader(bytes, start, end);
    const name = reader.cstringBytes();
    const text = reader.cstringBytes();
    const sql = textOf(text, 0, text.length);
    if (concerns(session, sql, text) || usesName(sql)) {
      return handleConcerning(session, bytes.subarray(start, end), bytes.subarray(start - 5, end));
    }
    const named = nameOf(name, 0, name.length);
    const judged = session.watches ? judgeName(session, named) : undefined;
    if (judged !== undefined) return judged;
    session.expect(unseen(session, named, sql));
    return FORWARD;
  },
};

/** Only its text is remembered, for when names stand for something else. */
function unseen(session: Session, name: string, sql: string): Reply {
  const forget = session.cold.remember(name, sql, !session.watches && mayBeOtherName(session, name));
  if (!session.statements.has(name)) return { kind: 'parse', undo: forget };
  const restore = session.statements.set(name, undefined);
  return { kind: 'parse', undo: () => (forget(), restore()) };
}

/**
 * Remembers what a name stands for, and how to take that back should Parse fail or be skipped. The unnamed statement is then
 * remembered for longer than the server does where Parse fails: nobody can use it.
 */
function replyTo(session: Session, name: string, statement: Statement): Reply {
  const { statements } = session;
  const changes = [statements.set(name, statement), session.cold.forget(name)];
  const undo = (): void => changes.forEach((restore) => restore());
  return statement.type === 'sealed' ? { kind: 'parse', undo, plan: statement.plan } : { kind: 'parse', undo };
}

function handleConcerning(session: Session, body: Uint8Array, frame: Uint8Array): Verdict | Promise<void> {
  const parse = decodeParse(body);
  const planned = planStatement(session, parse.text, parse.parameterOids, parse.name);
  if (planned instanceof Promise) return planned.then(async (known) => void (await send(session, parse, frame, known)));
  return send(session, parse, frame, planned) ?? CONSUME;
}

function send(
  session: Session,
  parse: Parse,
  frame: Uint8Array,
  planned: Planned,
): Verdict | Promise<void> | undefined {
  if (session.statements.size >= MAX_STATEMENTS) return void refuse(session, parse, tooMany());
  const isRemembered = planned.type === 'forward' || planned.type === 'sealed';
  if (isRemembered && isOfOtherEncoding(session, parse.name)) return void refuse(session, parse, NAME_NOT_UTF8);
  switch (planned.type) {
    case 'forward':
      return void forward(session, parse, frame, planned);
    case 'refuse':
      return void refuse(session, parse, planned.oneByOne ? refusalOf(severalCommands()) : planned.refusal);
    case 'malformed':
      return void refuseMalformed(session, FRONTEND.parse, planned.refusal);
    case 'failed':
      return void askInFailedTransaction(session, 'parse', parse.name);
    case 'skipped':
      return undefined;
    case 'sealed':
      return orRefuse(
        () => prepareSealed(session, parse, planned),
        (refusal) => refuse(session, parse, refusal),
      );
  }
}

function refuse(session: Session, { name }: Parse, refusal: Parameters<typeof refuseExtended>[1]): void {
  refuseExtended(session, refusal, name);
}

function forward(
  session: Session,
  { name, parameterOids }: Parse,
  frame: Uint8Array,
  planned: Planned & { type: 'forward' },
): void {
  session.wires.toUpstream(frame);
  const { settings } = session;
  const [change] = planned.changes ?? [];
  const { copiesIn = false, uses } = planned;
  const changes = { ...(change && { change }), ...(copiesIn && { copiesIn }), ...(uses && { uses }) };
  const statement: Statement =
    planned.effect !== undefined
      ? {
          type: 'track',
          effect: planned.effect,
          ...(PREPARES.test(planned.sql) && { prepares: planned.sql }),
          ...changes,
        }
      : {
          ...changes,
          type: 'watched',
          sql: planned.sql,
          declaredOids: parameterOids,
          settings,
          catalogEpoch: session.analyzer.catalogEpoch,
        };
  session.expect(replyTo(session, name, statement));
}

/** PREPARE TRANSACTION, among statements that are tracked. */
const PREPARES = /\bprepare\b/i;

function prepareSealed(session: Session, parse: Parse, planned: Planned & { type: 'sealed' }): void | Promise<void> {
  const [plan, ...more] = planned.plans;
  if (plan?.type !== 'sealed' || more.length > 0 || planned.ends !== undefined) throw severalCommands();
  // Keys are asked for only where the text itself holds something to seal; Bind asks for the rest.
  const texts = plan.pieces.filter((piece) => typeof piece === 'string');
  const { settings } = session;
  const send = (text: string) => sendSealed(session, parse, planned, plan, { text, settings });
  if (texts.length === plan.pieces.length) return void send(texts.join(''));
  const columns = session.columns.open(plan.columns, columnUse(session));
  if (columns instanceof Promise)
    return columns.then(async (opened) => void send(await inTurns(sealText(plan, opened, settings))));
  const text = inTurns(sealText(plan, columns, settings));
  if (text instanceof Promise) return text.then((all) => void send(all));
  lend(send(text), columns);
}

/**
 * To the first Bind, where it comes together with its Parse: that is one statement, and one use, as in the simple protocol. Only until this
 * turn ends, in which nobody can have been refused the key.
 */
function lend(statement: Statement & { type: 'sealed' }, columns: ColumnSession): void {
  statement.opened = columns;
  queueMicrotask(() => {
    statement.opened = undefined;
  });
}

function sendSealed(
  session: Session,
  parse: Parse,
  { sql, changes = [] }: Planned & { type: 'sealed' },
  plan: SealedPlan,
  { text, settings }: { readonly text: string; readonly settings: SessionSettings },
): Statement & { type: 'sealed' } {
  const { name, parameterOids } = parse;
  session.wires.toUpstream(encodeParse({ name, text, parameterOids: upstreamOids(plan, parameterOids) }));
  const [change] = changes;
  const statement: Statement & { type: 'sealed' } = {
    type: 'sealed',
    plan,
    sql,
    declaredOids: parameterOids,
    ...(change && { change }),
    ...(readsSettings(plan) && { sealedUnder: settings }),
  };
  session.expect(replyTo(session, name, statement));
  verifyOnce(session, name, plan);
  return statement;
}

function severalCommands(): PostgresError {
  return new PostgresError(
    'ERR_POSTGRES_MULTIPLE_COMMANDS',
    'cannot insert multiple commands into a prepared statement',
    { sqlstate: '42601' },
  );
}

function tooMany(): Parameters<typeof refuseExtended>[1] {
  return refusalOf(
    new PostgresError(
      'ERR_POSTGRES_TOO_LARGE',
      `a session may hold at most ${MAX_STATEMENTS} prepared statements on sealed columns`,
      {
        sqlstate: '54000',
        hint: 'Close or DEALLOCATE statements that are not used any more.',
      },
    ),
  );
}
