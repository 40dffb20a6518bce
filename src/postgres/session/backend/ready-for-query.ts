/** ReadyForQuery ('Z'): ends a Query, a FunctionCall, or what came before a Sync. */
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import type { TransactionStatus } from '../session.ts';
import { endCopy } from '../copying.ts';
import { noteStatus } from '../tracking.ts';
import { expectHead, outOfStep, verdictFor, type BackendHandler } from './handler.ts';

const STATUS: Readonly<Record<number, TransactionStatus>> = {
  [0x49]: 'idle', // I
  [0x54]: 'open', // T
  [0x45]: 'failed', // E
};

export const readyForQueryHandler: BackendHandler = {
  need: () => 1,
  frame(session, bytes, start, bodyLength): Verdict {
    const head = expectHead(session, 'ReadyForQuery', 'query', 'sync', 'function-call');
    const status = STATUS[bytes[start] ?? 0];
    if (status === undefined || bodyLength !== 1) throw outOfStep('a malformed ReadyForQuery');
    endCopy(session, false);
    session.finish();
    if (head.kind === 'sync' || status !== 'open') session.held = 'nothing';
    // Begun by an Execute, which no savepoint can be made in: it would end with the error.
    const isOwnBlock = session.held === 'block' || session.held === 'unknown';
    const inDoubt = isOwnBlock && status === 'open' && (session.status === 'idle' || session.blockInDoubt);
    noteStatus(session, status);
    session.blockInDoubt = inDoubt;
    head.internal?.done?.(status !== 'failed');
    if (head.part !== undefined) return head.part.end(status) ? FORWARD : CONSUME;
    return verdictFor(head);
  },
};
