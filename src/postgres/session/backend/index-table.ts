/** Which handler takes which backend message. */
import { MAX_MESSAGE_BYTES } from '../../limits.ts';
import type { FrameHandler } from '../../wire/frame-stream.ts';
import { BACKEND } from '../../wire/message-types.ts';
import type { Session } from '../session.ts';
import { commandCompleteHandler, portalSuspendedHandler } from './completion.ts';
import { copyInResponseHandler, copyOutDataHandler, copyOutDoneHandler, copyOutResponseHandler } from './copy.ts';
import { dataRowHandler } from './data-row.ts';
import { errorResponseHandler, noticeResponseHandler } from './error-response.ts';
import { completion, outOfStep, type BackendHandler } from './handler.ts';
import { parameterDescriptionHandler } from './parameter-description.ts';
import { parameterStatusHandler } from './parameter-status.ts';
import { passHandler } from './pass.ts';
import { readyForQueryHandler } from './ready-for-query.ts';
import { noDataHandler, rowDescriptionHandler } from './row-description.ts';

/** `undefined`: replication and authentication, which have no place in a session with rules. */
const HANDLERS = {
  authentication: undefined,
  backendKeyData: passHandler,
  bindComplete: completion('bind', 'BindComplete'),
  closeComplete: completion('close', 'CloseComplete'),
  commandComplete: commandCompleteHandler,
  copyBothResponse: undefined,
  copyData: copyOutDataHandler,
  copyDone: copyOutDoneHandler,
  copyInResponse: copyInResponseHandler,
  copyOutResponse: copyOutResponseHandler,
  dataRow: dataRowHandler,
  emptyQueryResponse: commandCompleteHandler,
  errorResponse: errorResponseHandler,
  functionCallResponse: passHandler,
  negotiateProtocolVersion: passHandler,
  noData: noDataHandler,
  noticeResponse: noticeResponseHandler,
  notificationResponse: passHandler,
  parameterDescription: parameterDescriptionHandler,
  parameterStatus: parameterStatusHandler,
  parseComplete: completion('parse', 'ParseComplete'),
  portalSuspended: portalSuspendedHandler,
  readyForQuery: readyForQueryHandler,
  rowDescription: rowDescriptionHandler,
} as const satisfies Record<keyof typeof BACKEND, BackendHandler | undefined>;

/** By type byte. */
const BY_TYPE: readonly (BackendHandler | undefined)[] = Array.from({ length: 256 }, (_, type) => {
  const found = Object.entries(HANDLERS).find(([name]) => BACKEND[name as keyof typeof HANDLERS] === type); // the table's own keys
  return found?.[1];
});

/** The server's direction of a session. */
export function backendHandler(session: Session): FrameHandler {
  return {
    need(type, bodyLength) {
      const handler = BY_TYPE[type];
      if (handler === undefined || bodyLength > MAX_MESSAGE_BYTES) throw outOfStep('an unknown or oversized message');
      return handler.need(session, bodyLength);
    },
    frame(type, bytes, start, bodyLength) {
      const handler = BY_TYPE[type];
      if (handler === undefined) throw outOfStep('an unknown message');
      return handler.frame(session, bytes, start, bodyLength);
    },
  };
}
