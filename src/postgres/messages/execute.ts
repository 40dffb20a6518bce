/** Execute ('E'), frontend (manual, "Message Formats"). */
import { Reader } from '../wire/reader.ts';

export type Execute = { readonly portal: string; readonly maxRows: number };

export function decodeExecute(body: Uint8Array): Execute {
  const reader = new Reader(body);
  const portal = reader.name();
  const maxRows = reader.int32();
  reader.end();
  return { portal, maxRows };
}
