/** A planned Query on its way upstream, and what its answer is to be. */
import type { ColumnSession } from '../../columns/column-service.ts';
import { encodeQuery } from '../../messages/query.ts';
import type { Refusal, SealedColumn, SealedPlan } from '../../plan.ts';
import type { Verdict } from '../../wire/frame-stream.ts';
import { makeChanges, strongest, type Planned } from '../planning.ts';
import type { QueryPart } from '../query-part.ts';
import { askInFailedTransaction, orRefuse, refuseQuery } from '../refusals.ts';
import { PASS, type Reply, type ResultOpening } from '../reply.ts';
import { sealedText } from '../sealing.ts';
import type { Session } from '../session.ts';
import { columnUse, expectCopy } from './handler.ts';

/** `frame`: the client's own, or that of one of its statements, which is then a `part`. */
export function sendQuery(
  session: Session,
  frame: Uint8Array,
  planned: Planned,
  part?: QueryPart,
): Verdict | Promise<void> | undefined {
  switch (planned.type) {
    case 'forward':
      session.wires.toUpstream(frame);
      session.expect(replyTo(session, planned, part));
      return undefined;
    case 'refuse':
      return void refuseQuery(session, planned.refusal, part);
    case 'failed':
      return void askInFailedTransaction(session, 'query', '', part);
    case 'skipped':
      return void part?.abandon();
    case 'sealed':
      if (copiesAmongOthers(planned.plans)) return void refuseQuery(session, COPY_AMONG_OTHERS, part);
      return orRefuse(
        () => sealQuery(session, planned, part),
        (refusal) => refuseQuery(session, refusal, part),
      );
  }
}

function replyTo(
  session: Session,
  { effect, changes, copiesIn = false }: Planned & { type: 'forward' },
  part: QueryPart | undefined,
): Reply {
  if (effect === undefined && changes === undefined && !copiesIn && part === undefined) return PASS.query;
  const track = effect === undefined ? {} : { track: effect };
  return { kind: 'query', copiesIn, ...track, ...(part && { part }), ...makeChanges(session, changes) };
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

function sealQuery(session: Session, planned: Sealed, part: QueryPart | undefined): void | Promise<void> {
  const columns = session.columns.open(wantedBy(planned.plans), columnUse(session));
  if (columns instanceof Promise) return columns.then((opened) => sendSealed(session, planned, opened, part));
  return sendSealed(session, planned, columns, part);
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
  part: QueryPart | undefined,
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
  const reply: Reply = {
    kind: 'query',
    copiesIn,
    openings,
    ...(track !== undefined && { track }),
    ...(part && { part }),
    ...made,
  };
  if (openings[0]?.plan.copy?.direction === 'in') return expectCopy(session, reply);
  session.expect(reply);
}

/** The rows of a BINARY cursor come in binary. */
function openingOf(plan: SealedPlan, columns: ColumnSession): ResultOpening {
  const binary = plan.binaryRows === true;
  return { plan, columns, formats: binary ? [1] : [], textual: !binary };
}
