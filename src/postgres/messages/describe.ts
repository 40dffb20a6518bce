/** Describe ('D') and Close ('C'), frontend: both name a statement ('S') or a portal ('P') (manual, "Message Formats"). */
import { serialize } from 'pg-protocol';
import { protocolError } from '../wire/protocol-error.ts';
import { Reader } from '../wire/reader.ts';

export type Target = { readonly type: 'statement' | 'portal'; readonly name: string };

export function decodeTarget(body: Uint8Array): Target {
  const reader = new Reader(body);
  const kind = reader.byte();
  const name = reader.cstring();
  reader.end();
  if (kind === 0x53) return { type: 'statement', name };
  if (kind === 0x50) return { type: 'portal', name };
  throw protocolError('Describe or Close of neither statement nor portal');
}

export function encodeDescribeStatement(name: string): Uint8Array {
  return serialize.describe({ type: 'S', name });
}
