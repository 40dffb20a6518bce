/** The shape of a frontend message's handler, and what several of them share. */
import type { ColumnUse } from '../../columns/column-service.ts';
import { PostgresError } from '../../errors.ts';
import type { AGAIN, Verdict } from '../../wire/frame-stream.ts';
import type { Reply } from '../reply.ts';
import type { Session } from '../session.ts';

export interface FrontendHandler {
  /** Bytes of the body that `frame` must see. */
  need(session: Session, bodyLength: number): number;
  /** As FrameHandler.frame. */
  frame(session: Session, bytes: Uint8Array, start: number, bodyLength: number): Verdict | Promise<void | typeof AGAIN>;
  /** As FrameHandler.body. */
  body?(session: Session, bytes: Uint8Array): void | Promise<void>;
}

/** Of each state of a session's settings: it is asked for with every statement. */
const uses = new WeakMap<Session['settings'], ColumnUse>();

/** As whom and how a session uses columns: its user's principal in key policies and audit records, and its settings. */
export function columnUse({ settings, columns }: Session): ColumnUse {
  const known = uses.get(settings);
  if (known !== undefined) return known;
  const use = { principal: columns.principalOf(settings.user), settings };
  uses.set(settings, use);
  return use;
}

/**
 * A COPY FROM STDIN into sealed columns was sent: nothing of the client is looked at before it is known whether the server reads its
 * data, since what is data then would be taken for messages otherwise, and the other way round.
 */
export function expectCopy(session: Session, reply: Reply): Promise<void> {
  const settled = new Promise<void>((resolve) => session.expect({ ...reply, settled: resolve }));
  session.wires.flushUpstream();
  return settled;
}

/** The body of a small message whose fields are names. */
export function needNames(session: Session, bodyLength: number): number {
  return session.watches ? bodyLength : 0;
}

export function tooLarge(what: string, limitBytes: number): PostgresError {
  return new PostgresError(
    'ERR_POSTGRES_TOO_LARGE',
    `${what} may have at most ${limitBytes} bytes on a database with sealed columns`,
    {
      sqlstate: '54000',
    },
  );
}
