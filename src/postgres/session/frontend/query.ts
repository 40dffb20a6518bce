/** Query ('Q'): one text, any number of statements. */
import type { ColumnSession } from '../../columns/column-service.ts';
import { MAX_STATEMENT_BYTES } from '../../limits.ts';
import { encodeQuery, decodeQuery } from '../../messages/query.ts';
import type { Refusal, SealedColumn, SealedPlan } from '../../plan.ts';
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { protocolError } from '../../wire/protocol-error.ts';
import { textOf } from '../../wire/reader.ts';
import { concerns, makeChanges, planStatement, strongest, type Planned } from '../planning.ts';
import { askInFailedTransaction, orRefuse, refusalOf, refuseQuery } from '../refusals.ts';
import { PASS, type Reply, type ResultOpening } from '../reply.ts';
import { sealedText } from '../sealing.ts';
import type { Session } from '../session.ts';
import { columnUse, expectCopy, tooLarge, type FrontendHandler } from './handler.ts';

export const queryHandler: FrontendHandler = {
  need: (_session, bodyLength) => (bodyLength > MAX_STATEMENT_BYTES ? 0 : bodyLength),
  frame(session, bytes, start, bodyLength): Verdict | Promise<void> {
    if (bodyLength > MAX_STATEMENT_BYTES) {
      refuseQuery(session, refusalOf(tooLarge('a statement', MAX_STATEMENT_BYTES)));
      return CONSUME;
    }
    const end = start + bodyLength;
    if (bodyLength === 0 || bytes[end - 1] !== 0) throw protocolError('Query without end of its text');
    if (!concerns(session, textOf(bytes, start, end - 1), bytes.subarray(start, end))) {
      session.expect(PASS.query);
      return FORWARD;
    }
    return handleConcerning(session, bytes.subarray(start, end), bytes.subarray(start - 5, end));
  },
};

function handleConcerning(session: Session, body: Uint8Array, frame: Uint8Array): Verdict | Promise<void> {
  const planned = planStatement(session, decodeQuery(body), []);
  if (planned instanceof Promise) return planned.then(async (known) => void (await send(session, frame, known)));
  return send(session, frame, planned) ?? CONSUME;
}

function send(session: Session, frame: Uint8Array, planned: Planned): Verdict | Promise<void> | undefined {
  switch (planned.type) {
    case 'forward':
      session.wires.toUpstream(frame);
      session.expect(replyTo(session, planned));
      return undefined;
    case 'refuse':
      return void refuseQuery(session, planned.refusal);
    case 'failed':
      return void askInFailedTransaction(session, 'query');
    case 'skipped':
      return undefined;
    case 'sealed':
      if (copiesAmongOthers(planned.plans)) return void refuseQuery(session, COPY_AMONG_OTHERS);
      return orRefuse(
        () => sealQuery(session, planned),
        (refusal) => refuseQuery(session, refusal),
      );
  }
}

function replyTo(session: Session, { effect, changes, copiesIn = false }: Planned & { type: 'forward' }): Reply {
  if (effect === undefined && changes === undefined && !copiesIn) return PASS.query;
  const track = effect === undefined ? {} : { track: effect };
  return { kind: 'query', copiesIn, ...track, ...makeChanges(session, changes) };
}

type Sealed = Planned & { type: 'sealed' };
type Plans = Sealed['plans'];

/** Which data belongs to which of several COPYs is known only once the server has come so far. */
function copiesAmongOthers(plans: Plans): boolean {
  return plans.length > 1 && plans.some((plan) => plan.type === 'sealed' && plan.copy?.direction === 'in');
}

const COPY_AMONG_OTHERS: Refusal = {
  sqlstate: '0A000',
  code: 'ERR_POSTGRES_SEQUENCE',
  message: 'COPY FROM STDIN into sealed columns together with other statements in one message',
  hint: 'Send them one after the other.',
};

function sealQuery(session: Session, planned: Sealed): void | Promise<void> {
  const columns = session.columns.open(wantedBy(planned.plans), columnUse(session));
  if (columns instanceof Promise) return columns.then((opened) => sendSealed(session, planned, opened));
  return sendSealed(session, planned, columns);
}

/** Each column once: a use of its key is recorded for it. */
function wantedBy(plans: Plans): readonly SealedColumn[] {
  const [plan, ...more] = plans;
  if (plan?.type === 'sealed' && more.length === 0) return plan.columns;
  const wanted = new Map<string, SealedColumn>();
  for (const plan of plans)
    if (plan.type === 'sealed') for (const column of plan.columns) wanted.set(column.id, column);
  return [...wanted.values()];
}

function sendSealed(
  session: Session,
  { plans, changes, copiesIn = false }: Sealed,
  columns: ColumnSession,
): void | Promise<void> {
  const text = plans.map((plan) => sealedText(plan, columns, session.settings)).join(';\n');
  const openings = plans.map((plan): ResultOpening | undefined =>
    plan.type === 'sealed' ? openingOf(plan, columns) : undefined,
  );
  const track = strongest(plans);
  session.wires.toUpstream(encodeQuery(text));
  for (const plan of plans) if (plan.type === 'sealed') session.makes(plan);
  session.metrics.statement?.('sealed');
  const made = makeChanges(session, changes);
  const reply: Reply = { kind: 'query', copiesIn, openings, ...(track !== undefined && { track }), ...made };
  if (openings[0]?.plan.copy?.direction === 'in') return expectCopy(session, reply);
  session.expect(reply);
}

/** The rows of a BINARY cursor come in binary. */
function openingOf(plan: SealedPlan, columns: ColumnSession): ResultOpening {
  const binary = plan.binaryRows === true;
  return { plan, columns, formats: binary ? [1] : [], textual: !binary };
}
