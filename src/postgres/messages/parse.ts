/** Parse ('P'), frontend (manual, "Message Formats"). */
import { FRONTEND } from '../wire/message-types.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';

export type Parse = {
  readonly name: string;
  /** Raw bytes: in the client's encoding. */
  readonly text: Uint8Array;
  readonly parameterOids: readonly number[];
};

export function decodeParse(body: Uint8Array): Parse {
  const reader = new Reader(body);
  const name = reader.name();
  const text = reader.cstringBytes();
  const count = reader.uint16();
  const parameterOids: number[] = [];
  for (let i = 0; i < count; i++) parameterOids.push(reader.uint32());
  reader.end();
  return { name, text, parameterOids };
}

export function encodeParse(parse: {
  name: string;
  text: string | Uint8Array;
  parameterOids: readonly number[];
}): Uint8Array {
  const writer = new Writer(FRONTEND.parse, parse.text.length + 64).name(parse.name).cstring(parse.text);
  writer.int16(parse.parameterOids.length);
  for (const oid of parse.parameterOids) writer.int32(oid);
  return writer.frame();
}
