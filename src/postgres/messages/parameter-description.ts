/** ParameterDescription ('t'), backend (manual, "Message Formats"). */
import { BACKEND } from '../wire/message-types.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';

export function decodeParameterDescription(body: Uint8Array): readonly number[] {
  const reader = new Reader(body);
  const count = reader.uint16();
  const oids: number[] = [];
  for (let i = 0; i < count; i++) oids.push(reader.uint32());
  reader.end();
  return oids;
}

export function encodeParameterDescription(oids: readonly number[]): Uint8Array {
  const writer = new Writer(BACKEND.parameterDescription).int16(oids.length);
  for (const oid of oids) writer.int32(oid);
  return writer.frame();
}
