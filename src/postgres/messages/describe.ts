/** Describe ('D') and Close ('C'), frontend: both name a statement ('S') or a portal ('P') (manual, "Message Formats"). */
import { FRONTEND } from '../wire/message-types.ts';
import { protocolError } from '../wire/protocol-error.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';

export type Target = { readonly type: 'statement' | 'portal'; readonly name: string };

const STATEMENT = 'S'.charCodeAt(0);
const PORTAL = 'P'.charCodeAt(0);

/** `message`: what the server calls it where it says that it names neither. */
export function decodeTarget(body: Uint8Array, message: 'DESCRIBE' | 'CLOSE'): Target {
  const reader = new Reader(body);
  const kind = reader.byte();
  const name = reader.name();
  reader.end();
  if (kind === STATEMENT) return { type: 'statement', name };
  if (kind === PORTAL) return { type: 'portal', name };
  throw protocolError(`invalid ${message} message subtype ${kind}`);
}

export function encodeDescribeStatement(name: string): Uint8Array {
  return new Writer(FRONTEND.describe).byte(STATEMENT).name(name).frame();
}
