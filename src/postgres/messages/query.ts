/** Query ('Q'), frontend (manual, "Message Formats"). */
import { FRONTEND } from '../wire/message-types.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';

/** The text's raw bytes: in the client's encoding. */
export function decodeQuery(body: Uint8Array): Uint8Array {
  const reader = new Reader(body);
  const text = reader.cstringBytes();
  reader.end();
  return text;
}

export function encodeQuery(text: string): Uint8Array {
  return new Writer(FRONTEND.query, text.length + 1).cstring(text).frame();
}
