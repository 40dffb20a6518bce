/** Query ('Q'), frontend (manual, "Message Formats"). */
import { serialize } from 'pg-protocol';
import { Reader } from '../wire/reader.ts';

/** The text's raw bytes: in the client's encoding. */
export function decodeQuery(body: Uint8Array): Uint8Array {
  const reader = new Reader(body);
  const text = reader.cstringBytes();
  reader.end();
  return text;
}

export function encodeQuery(text: string): Uint8Array {
  return serialize.query(text);
}
