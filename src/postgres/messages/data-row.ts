/** DataRow ('D'), backend (manual, "Message Formats"). */
import { BACKEND } from '../wire/message-types.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';

/** The values as views over the body; undefined is NULL. */
export function decodeDataRow(body: Uint8Array): (Uint8Array | undefined)[] {
  const reader = new Reader(body);
  const count = reader.uint16();
  const values: (Uint8Array | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    const length = reader.int32();
    values.push(length === -1 ? undefined : reader.bytes(length));
  }
  reader.end();
  return values;
}

export function encodeDataRow(values: readonly (Uint8Array | undefined)[]): Uint8Array {
  let size = 2;
  for (const value of values) size += 4 + (value?.length ?? 0);
  const writer = new Writer(BACKEND.dataRow, size).int16(values.length);
  for (const value of values) writer.value(value);
  return writer.frame();
}
