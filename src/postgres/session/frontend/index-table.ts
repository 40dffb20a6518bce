/** Which handler takes which frontend message; and what holds for all of them. */
import { MAX_MESSAGE_BYTES, MAX_SMALL_MESSAGE_BYTES } from '../../limits.ts';
import { PostgresError } from '../../errors.ts';
import { AGAIN, CONSUME, type FrameHandler, type Verdict } from '../../wire/frame-stream.ts';
import { FRONTEND } from '../../wire/message-types.ts';
import { protocolError } from '../../wire/protocol-error.ts';
import { endQuestion } from '../probe.ts';
import { refuseMalformed } from '../malformed.ts';
import { refusalOf, refuseQuery } from '../refusals.ts';
import type { Session } from '../session.ts';
import { bindHandler } from './bind.ts';
import { closeHandler } from './close.ts';
import { copyDataHandler, copyDoneHandler, copyFailHandler, noteMessage } from './copy.ts';
import { describeHandler } from './describe.ts';
import { executeHandler } from './execute.ts';
import { functionCallHandler } from './function-call.ts';
import type { FrontendHandler } from './handler.ts';
import { parseHandler } from './parse.ts';
import { queryHandler } from './query.ts';
import { flushHandler, syncHandler } from './sync.ts';
import { terminateHandler } from './terminate.ts';

const HANDLERS = {
  bind: bindHandler,
  close: closeHandler,
  copyData: copyDataHandler,
  copyDone: copyDoneHandler,
  copyFail: copyFailHandler,
  describe: describeHandler,
  execute: executeHandler,
  flush: flushHandler,
  functionCall: functionCallHandler,
  parse: parseHandler,
  query: queryHandler,
  sync: syncHandler,
  terminate: terminateHandler,
} as const satisfies Record<Exclude<keyof typeof FRONTEND, 'password'>, FrontendHandler>;

/** By type byte. */
const BY_TYPE: readonly (FrontendHandler | undefined)[] = Array.from({ length: 256 }, (_, type) => {
  const found = Object.entries(HANDLERS).find(([name]) => FRONTEND[name as keyof typeof HANDLERS] === type); // the table's own keys
  return found?.[1];
});

/** Those that can be of any length. */
const LARGE: ReadonlySet<number> = new Set([
  FRONTEND.query,
  FRONTEND.functionCall,
  FRONTEND.parse,
  FRONTEND.bind,
  FRONTEND.copyData,
]);

/** While the server reads COPY data it takes these and fails on anything else. */
const IN_COPY: ReadonlySet<number> = new Set([
  FRONTEND.copyData,
  FRONTEND.copyDone,
  FRONTEND.copyFail,
  FRONTEND.flush,
  FRONTEND.sync,
  FRONTEND.terminate,
]);

/** What the server ends its transaction with, unless there is a block. */
const ENDS_QUESTION: ReadonlySet<number> = new Set([FRONTEND.query, FRONTEND.functionCall]);

const COPY_DATA: ReadonlySet<number> = new Set([FRONTEND.copyData, FRONTEND.copyDone, FRONTEND.copyFail]);

/** Of a message's body, which handlers read before they do anything. */
function isOfMessage(error: unknown): boolean {
  return error instanceof PostgresError && OF_MESSAGE.has(error.code);
}

const OF_MESSAGE: ReadonlySet<string> = new Set(['ERR_POSTGRES_PROTOCOL', 'ERR_POSTGRES_TOO_LARGE']);

/** The client's direction of a session. */
export function frontendHandler(session: Session): FrameHandler {
  return {
    need(type, bodyLength) {
      if (bodyLength > (LARGE.has(type) ? MAX_MESSAGE_BYTES : MAX_SMALL_MESSAGE_BYTES))
        throw protocolError('invalid message length');
      const handler = BY_TYPE[type];
      if (handler === undefined) throw protocolError(`invalid frontend message type ${type}`);
      if (session.copyIn && !IN_COPY.has(type)) throw protocolError('unexpected message during COPY from stdin');
      return session.skipping ? 0 : handler.need(session, bodyLength);
    },
    frame(type, bytes, start, bodyLength): Verdict | Promise<void | typeof AGAIN> {
      // Of a COPY that is over: what the client sends otherwise is answered behind the rest of its message.
      if (session.inParts !== undefined && !session.copyIn && !COPY_DATA.has(type))
        return session.inParts.turn.then(() => AGAIN);
      // The server ignores everything until Sync; so it need not be sent.
      if (session.skipping && type !== FRONTEND.sync && type !== FRONTEND.terminate) return CONSUME;
      if (session.questionOpen && ENDS_QUESTION.has(type))
        return endQuestion(session).then((refusal) => (refusal === undefined ? AGAIN : refuseQuery(session, refusal)));
      const handler = BY_TYPE[type];
      if (handler === undefined) throw protocolError('invalid frontend message type');
      if (session.dropsCopyData !== 'no') noteMessage(session, type);
      try {
        return handler.frame(session, bytes, start, bodyLength);
      } catch (error) {
        if (!isOfMessage(error)) throw error;
        refuseMalformed(session, type, refusalOf(error));
        return CONSUME;
      }
    },
    body: (type, bytes) => BY_TYPE[type]?.body?.(session, bytes),
  };
}
