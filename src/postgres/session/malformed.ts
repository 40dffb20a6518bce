/**
 * Messages of a right type and length whose bodies are none that the server would read: it answers them with an error and goes on, and so does
 * the proxy, which sends nothing of them on. What breaks the framing itself ends the connection, as it does there.
 *
 * Source: pq_getmsgstring, pq_copymsgbytes and pq_getmsgend of libpq/pqformat.c; PostgresMain of tcop/postgres.c.
 */
import type { Refusal } from '../plan.ts';
import { FRONTEND } from '../wire/message-types.ts';
import { Writer } from '../wire/writer.ts';
import { note, refuseExtended } from './refusals.ts';
import type { Session } from './session.ts';

/** After an error in one of these the server goes on with the next message; after one in any other it skips to the next Sync. */
const ALONE: ReadonlySet<number> = new Set([FRONTEND.query, FRONTEND.functionCall]);

/**
 * Of a function that there is not, with no arguments and its result as text: it fails as a Query does, and leaves the client's unnamed statement
 * as it is. That of a malformed Query is still there, since the server never comes to run it.
 */
const FAILING_CALL = new Writer(FRONTEND.functionCall).int32(0).int16(0).int16(0).int16(0).frame();

/** In place of a message of this type. */
export function refuseMalformed(session: Session, type: number, refusal: Refusal): void {
  if (!ALONE.has(type)) return refuseExtended(session, refusal);
  note(session, refusal);
  session.dropsCopyData = 'until-message';
  session.wires.toUpstream(FAILING_CALL);
  session.expect({ kind: 'function-call', refusal });
}
