/** Query ('Q'): one text, any number of statements. */
import { MAX_STATEMENT_BYTES } from '../../limits.ts';
import { decodeQuery } from '../../messages/query.ts';
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { textOf } from '../../wire/reader.ts';
import { concerns, planStatement, type Planned } from '../planning.ts';
import { endQuestion } from '../probe.ts';
import { refusalOf, refuseQuery } from '../refusals.ts';
import { PASS } from '../reply.ts';
import type { Session } from '../session.ts';
import { tooLarge, type FrontendHandler } from './handler.ts';
import { sendOneByOne } from './one-by-one.ts';
import { COPY_AMONG_OTHERS, sealsCopyAmongOthers, sendQuery } from './send-query.ts';

export const queryHandler: FrontendHandler = {
  need: (_session, bodyLength) => (bodyLength > MAX_STATEMENT_BYTES ? 0 : bodyLength),
  frame(session, bytes, start, bodyLength): Verdict | Promise<void> {
    if (bodyLength > MAX_STATEMENT_BYTES) {
      refuseQuery(session, refusalOf(tooLarge('a statement', MAX_STATEMENT_BYTES)));
      return CONSUME;
    }
    const end = start + bodyLength;
    // By itself: this is the way of every statement that nothing is sealed in.
    if (bodyLength === 0 || bytes.indexOf(0, start) !== end - 1) decodeQuery(bytes.subarray(start, end));
    if (!concerns(session, textOf(bytes, start, end - 1), bytes.subarray(start, end))) {
      session.expect(PASS.query);
      return FORWARD;
    }
    return handleConcerning(session, bytes.subarray(start, end), bytes.subarray(start - 5, end));
  },
};

function handleConcerning(session: Session, body: Uint8Array, frame: Uint8Array): Verdict | Promise<void> {
  const planned = planStatement(session, decodeQuery(body), []);
  if (planned instanceof Promise) return planned.then((known) => sendLater(session, frame, known));
  return send(session, frame, planned) ?? CONSUME;
}

/** The settings may have been asked for meanwhile, within the client's sequence. */
async function sendLater(session: Session, frame: Uint8Array, planned: Planned): Promise<void> {
  const refusal = session.questionOpen ? await endQuestion(session) : undefined;
  await send(session, frame, refusal === undefined ? planned : { type: 'refuse', refusal });
}

function send(session: Session, frame: Uint8Array, planned: Planned): Verdict | Promise<void> | undefined {
  if (planned.type === 'refuse' && planned.oneByOne !== undefined)
    return sendOneByOne(session, planned.oneByOne, planned.refusal);
  const statements = copiesAmongOthers(planned) ? statementsOf(session, planned) : undefined;
  if (statements !== undefined) return sendOneByOne(session, statements, COPY_AMONG_OTHERS);
  return sendQuery(session, frame, planned);
}

function statementsOf(session: Session, { plans, sql }: Planned & { type: 'sealed' }) {
  for (const plan of plans) if (plan.type === 'sealed' && plan.among !== undefined) return plan.among;
  return session.analyzer.statementsOf(sql);
}

/** Which data belongs to which of several COPYs is known only once the server has come so far. */
function copiesAmongOthers(planned: Planned): planned is Planned & { type: 'sealed' } {
  if (planned.type !== 'sealed') return false;
  return (planned.copiesIn === true && planned.ends !== undefined) || sealsCopyAmongOthers(planned);
}
