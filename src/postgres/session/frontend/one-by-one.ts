/**
 * A Query whose statements are sent one after the other, since what a later one means is known only once an earlier one has run.
 *
 * Invariant: the client gets what one message of them all would have brought it. The server runs the statements of one message in a block of their
 * own (manual, 54.2.2.1), unless the client has one open; here the proxy opens that block and ends it. Where a statement would tell the two kinds
 * of block apart it is not in the proxy's: the client's BEGIN makes it the client's, and before COMMIT, ROLLBACK and what is an error there it is ended.
 */
import { untilAnswered } from '../certainty.ts';
import { encodeQuery } from '../../messages/query.ts';
import type { MessageStatement, Refusal } from '../../plan.ts';
import { PostgresError } from '../../errors.ts';
import { planStatement } from '../planning.ts';
import { QueryPart, type PartOptions, type PartOutcome } from '../query-part.ts';
import { refuseQuery } from '../refusals.ts';
import type { MessageInParts, Session } from '../session.ts';
import { sendQuery } from './send-query.ts';

/**
 * Resolves when the client is to be heard again: when the last answer has been given, the connection is over, or a statement reads COPY data,
 * behind which the message goes on. `refusal`: of the message as a whole.
 */
export async function sendOneByOne(
  session: Session,
  statements: readonly MessageStatement[],
  refusal: Refusal,
): Promise<void> {
  if (session.sequenceOpen) return refuseQuery(session, refusal);
  await untilAnswered(session);
  if (session.skipping || session.hasEnded) return;
  // A block that no BEGIN began, which would be taken for the client's, ends with the message.
  if (session.held !== 'nothing' && session.held !== 'portal') return refuseQuery(session, refusal);
  const parts = new OneByOne(session, statements);
  const { turn } = parts;
  session.inParts = parts;
  parts.run().then(
    () => parts.end(),
    (error: unknown) => session.wires.failed(error),
  );
  await turn;
}

const encoder = new TextEncoder();

class OneByOne implements MessageInParts {
  readonly #session: Session;
  readonly #statements: readonly MessageStatement[];
  readonly #lexing: string;
  /** The open block is the proxy's. */
  #isOurs = false;
  #turn = Promise.withResolvers<void>();

  constructor(session: Session, statements: readonly MessageStatement[]) {
    this.#session = session;
    this.#statements = statements;
    this.#lexing = lexingOf(session);
  }

  get turn(): Promise<void> {
    return this.#turn.promise;
  }

  /** All of it has been answered. */
  end(): void {
    this.#session.inParts = undefined;
    this.#hear();
  }

  #hear(): void {
    const { resolve } = this.#turn;
    this.#turn = Promise.withResolvers();
    resolve();
  }

  async run(): Promise<void> {
    let completion: Uint8Array | undefined;
    for (const [index, statement] of this.#statements.entries()) {
      const isLast = index === this.#statements.length - 1;
      const part = await this.#step(statement, isLast);
      if (part === undefined) return this.#takeBack();
      completion = part.completion;
    }
    if (!this.#isOurs) return;
    const ended = await this.#own('COMMIT', { role: 'commit', isLast: true }, completion);
    if (ended.failed) await this.#takeBack();
  }

  /** Undefined: it has failed, and so has the message. */
  async #step(statement: MessageStatement, isLast: boolean): Promise<QueryPart | undefined> {
    const { text, before, act } = statement;
    const refusal = this.#refusalOf(statement);
    const planned = refusal ?? (await planStatement(this.#session, encoder.encode(text), []));
    if (!(await this.#makeRoom(act))) return undefined;
    const begins = act === 'begin';
    const part = new QueryPart({ role: 'statement', before, begins, isLast, isOurs: this.#isOurs });
    await sendQuery(this.#session, encodeQuery(text), planned, part);
    if (act === 'copy-in') await this.#whileItReads(part);
    const { failed } = await this.#outcomeOf(part);
    if (failed) return undefined;
    if (begins) this.#isOurs = false;
    return part;
  }

  /** The client's data is for the handlers; behind its end they wait for the next turn. */
  async #whileItReads(part: QueryPart): Promise<void> {
    this.#session.wires.flushUpstream();
    const reads = await Promise.race([part.reading.then(() => true), part.outcome.then(() => false)]);
    if (reads) this.#hear();
  }

  /** The block that the statement is to find. */
  async #makeRoom(act: MessageStatement['act']): Promise<boolean> {
    const isOpen = this.#session.status !== 'idle';
    switch (act) {
      case 'begin':
        return true;
      case 'commit':
      case 'rollback':
      case 'within': {
        if (!this.#isOurs) return true;
        const sql = act === 'commit' ? 'COMMIT' : 'ROLLBACK';
        const ended = await this.#own(sql, { role: act === 'commit' ? 'commit' : 'rollback' });
        if (!ended.failed) this.#isOurs = false;
        return !ended.failed;
      }
      default: {
        if (isOpen) return true;
        this.#isOurs = true;
        const begun = await this.#own('BEGIN', { role: 'begin' });
        return !begun.failed;
      }
    }
  }

  #refusalOf({ act, text }: MessageStatement) {
    const what =
      act === 'prepare' && (this.#isOurs || this.#session.status === 'idle')
        ? 'PREPARE TRANSACTION'
        : this.#lexing === lexingOf(this.#session)
          ? undefined
          : 'a statement behind one that changes how text is read';
    if (what === undefined) return undefined;
    const message = `${what} is not supported in one message with statements on sealed columns that wait for others`;
    const refusal: Refusal = {
      sqlstate: '0A000',
      code: 'ERR_POSTGRES_SEQUENCE',
      message,
      hint: 'Send them one after the other.',
      place: { position: text.length - text.trimStart().length + 1 },
    };
    return { type: 'refuse', refusal } as const;
  }

  async #own(
    sql: string,
    { role, isLast = false }: Pick<PartOptions, 'role'> & Partial<PartOptions>,
    completion?: Uint8Array,
  ): Promise<PartOutcome> {
    const part = new QueryPart({ role, before: 0, begins: false, isLast, isOurs: this.#isOurs });
    part.completion = completion;
    this.#session.wires.toUpstream(encodeQuery(sql));
    const track = role === 'begin' ? {} : ({ track: 'transaction' } as const);
    this.#session.expect({ kind: 'query', part, ...track });
    return this.#outcomeOf(part);
  }

  #outcomeOf(part: QueryPart): Promise<PartOutcome> {
    this.#session.wires.flushUpstream();
    return part.outcome;
  }

  /** What failed has left the proxy's block open. */
  async #takeBack(): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (!this.#isOurs || this.#session.status === 'idle' || this.#session.hasEnded) return;
      await this.#own('ROLLBACK', { role: 'rollback', isLast: true });
    }
    if (this.#session.status === 'idle' || this.#session.hasEnded) return;
    throw new PostgresError('ERR_POSTGRES_INTERNAL', 'the transaction of a message cannot be rolled back', {
      sqlstate: '58000',
    });
  }
}

/** A cancel that comes late may hit it. */
const MAX_TRIES = 3;

/** The server reads a message's text once; pieces of it it would read anew. */
function lexingOf({ settings }: Session): string {
  return `${settings.clientEncoding} ${settings.standardConformingStrings}`;
}
