/** A planned Query on its way upstream, and what its answer is to be. */
import { encodeQuery } from '../../messages/query.ts';
import type { Refusal } from '../../plan.ts';
import type { Verdict } from '../../wire/frame-stream.ts';
import { FRONTEND } from '../../wire/message-types.ts';
import { makeChanges, strongest, type Planned } from '../planning.ts';
import type { QueryPart } from '../query-part.ts';
import { refuseMalformed } from '../malformed.ts';
import { askInFailedTransaction, note, orRefuse, REFUSED_STATEMENT, refuseQuery } from '../refusals.ts';
import { PASS, type Reply } from '../reply.ts';
import type { Session } from '../session.ts';
import { expectCopy } from './handler.ts';
import { isSealed, openPlans, sealTexts, type OpenedPlans, type SealedTexts } from './seal-plans.ts';

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
    case 'malformed':
      return void refuseMalformed(session, FRONTEND.query, planned.refusal);
    case 'failed':
      return void askInFailedTransaction(session, 'query', '', part);
    case 'skipped':
      return void part?.abandon();
    case 'sealed':
      if (sealsCopyAmongOthers(planned)) return void refuseQuery(session, COPY_AMONG_OTHERS, part);
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

/** Such a message is sent in parts, but where it is too long for that. */
export function sealsCopyAmongOthers({ plans, ends }: Sealed): boolean {
  const isAlone = plans.length === 1 && ends === undefined;
  return !isAlone && plans.some((plan) => plan.type === 'sealed' && plan.copy?.direction === 'in');
}

export const COPY_AMONG_OTHERS: Refusal = {
  sqlstate: '0A000',
  code: 'ERR_POSTGRES_SEQUENCE',
  message: 'COPY FROM STDIN into sealed columns together with other statements in one message',
  hint: 'Send them one after the other.',
};

function sealQuery(session: Session, planned: Sealed, part: QueryPart | undefined): void | Promise<void> {
  const opened = openPlans(session, planned.plans);
  if (opened instanceof Promise) return opened.then((known) => send(session, planned, known, part));
  return send(session, planned, opened, part);
}

function send(
  session: Session,
  planned: Sealed,
  opened: OpenedPlans,
  part: QueryPart | undefined,
): void | Promise<void> {
  const sealed = sealTexts(session, planned.plans, opened);
  if (sealed instanceof Promise) return sealed.then((all) => sendTexts(session, planned, all, part));
  return sendTexts(session, planned, sealed, part);
}

function sendTexts(
  session: Session,
  planned: Sealed,
  sealed: SealedTexts,
  part: QueryPart | undefined,
): void | Promise<void> {
  const refusal = sealed.refusal ?? planned.ends;
  if (refusal === undefined) return sendSealed(session, planned, sealed, part);
  // Data of a COPY ahead of what is refused would be taken for that of one behind it.
  if (sealed.plans.length === 0 || planned.copiesIn === true) return refuseQuery(session, refusal, part);
  note(session, refusal);
  const ends = { refusal, refusedAt: sealed.plans.length };
  const behind = sealed.plans.some(isSealed) ? undefined : textAhead(session, planned.sql, ends.refusedAt);
  const text = `${behind ?? `${sealed.text};`}\n${REFUSED_STATEMENT}`;
  return sendSealed(
    session,
    planned,
    { ...sealed, text, ...(behind !== undefined && { openings: undefined }) },
    part,
    ends,
  );
}

/** The client's own text, in which the server's positions are the client's. */
function textAhead(session: Session, sql: string, index: number): string | undefined {
  const start = session.analyzer.statementsOf(sql)?.[index]?.start;
  return start === undefined ? undefined : sql.slice(0, start);
}

type ToSend = Pick<SealedTexts, 'plans' | 'text'> & { readonly openings: SealedTexts['openings'] | undefined };

function sendSealed(
  session: Session,
  { changes, copiesIn = false }: Sealed,
  { plans, text, openings }: ToSend,
  part: QueryPart | undefined,
  ends: Pick<Reply, 'refusal' | 'refusedAt'> = {},
): void | Promise<void> {
  const track = strongest(plans);
  session.wires.toUpstream(encodeQuery(text));
  for (const plan of plans) if (plan.type === 'sealed') session.makes(plan);
  session.metrics.statement?.('sealed');
  const made = makeChanges(session, changes?.slice(0, plans.length));
  const reply: Reply = {
    kind: 'query',
    copiesIn,
    ...ends,
    ...(openings && { openings }),
    ...(track !== undefined && { track }),
    ...(part && { part }),
    ...made,
  };
  if (openings?.[0]?.plan.copy?.direction === 'in') return expectCopy(session, reply);
  session.expect(reply);
}
