/** DataRow ('D'): rows of sealed statements are opened, the proxy's own are read, all others pass. */
import { MAX_SEALED_MESSAGE_BYTES } from '../../limits.ts';
import { decodeDataRow } from '../../messages/data-row.ts';
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { openFailed } from '../../carried/errors.ts';
import { fetchKeys, openRow, readRow, type SealedRow } from '../opening.ts';
import type { ResultOpening } from '../reply.ts';
import { withShownTexts } from '../shown-texts.ts';
import type { Session } from '../session.ts';
import { expectHead, outOfStep, type BackendHandler } from './handler.ts';

export const dataRowHandler: BackendHandler = {
  need(session, bodyLength) {
    const { opening } = session;
    if (!opensRows(opening) && opening?.plan.shown === undefined && session.replies.head?.internal === undefined)
      return 0;
    if (bodyLength > MAX_SEALED_MESSAGE_BYTES)
      throw openFailed(`a row with sealed columns may have at most ${MAX_SEALED_MESSAGE_BYTES} bytes`);
    return bodyLength;
  },
  frame(session, bytes, start, bodyLength): Verdict | Promise<void> {
    const head = expectHead(session, 'DataRow', 'query', 'execute');
    if (session.refusal !== undefined) throw outOfStep('DataRow for a refused message');
    if (head.internal !== undefined) {
      head.internal.row?.(decodeDataRow(bytes.subarray(start, start + bodyLength)));
      return CONSUME;
    }
    const { opening } = session;
    if (opening?.plan.shown !== undefined)
      return showTexts(session, opening, bytes.subarray(start, start + bodyLength));
    if (opening?.plan.results === undefined) return FORWARD;
    if (!session.verified.has(opening.plan)) throw outOfStep('rows before their description');
    if (!opensRows(opening)) return FORWARD;
    const row = readRow(bytes.subarray(start, start + bodyLength), opening);
    const fetching = fetchKeys(row);
    if (fetching !== undefined) return openLater(session, row, fetching);
    const opened = openRow(row, session.settings);
    if (opened instanceof Promise) return opened.then((frame) => session.wires.toClient(frame));
    session.wires.toClient(opened);
    return CONSUME;
  },
};

function showTexts(session: Session, { plan, formats }: ResultOpening, body: Uint8Array): Verdict {
  const frame = plan.shown && withShownTexts(body, plan.shown, session.describedTypes.get(plan), formats);
  if (frame === undefined) return FORWARD;
  session.wires.toClient(frame);
  return CONSUME;
}

/** Whether there is something sealed in its rows; a lookup by a sealed column need not read one. */
function opensRows(opening: ResultOpening | undefined): boolean {
  const { results } = opening?.plan ?? {};
  if (results !== undefined) for (const column of results) if (column !== undefined) return true;
  return false;
}

async function openLater(session: Session, row: SealedRow, fetching: Promise<void>): Promise<void> {
  try {
    await fetching;
  } catch (error) {
    throw openFailed('its key could not be had', error);
  }
  session.wires.toClient(await openRow(row, session.settings));
}
