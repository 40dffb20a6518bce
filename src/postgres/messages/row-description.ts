/** RowDescription ('T'), backend (manual, "Message Formats"). */
import { BACKEND } from '../wire/message-types.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';

export type FieldDescription = {
  /** As the server sent it; never decoded, so any encoding survives. */
  readonly name: Uint8Array;
  /** 0 where the field is no plain column. */
  readonly relationOid: number;
  readonly attnum: number;
  readonly typeOid: number;
  readonly typlen: number;
  readonly typmod: number;
  /** 0 text, 1 binary. */
  readonly format: number;
};

export function decodeRowDescription(body: Uint8Array): readonly FieldDescription[] {
  const reader = new Reader(body);
  const count = reader.uint16();
  const fields: FieldDescription[] = [];
  for (let i = 0; i < count; i++) {
    fields.push({
      name: reader.cstringBytes(),
      relationOid: reader.uint32(),
      attnum: reader.int16(),
      typeOid: reader.uint32(),
      typlen: reader.int16(),
      typmod: reader.int32(),
      format: reader.uint16(),
    });
  }
  reader.end();
  return fields;
}

export function encodeRowDescription(fields: readonly FieldDescription[]): Uint8Array {
  const writer = new Writer(BACKEND.rowDescription).int16(fields.length);
  for (const field of fields) {
    writer.cstring(field.name).int32(field.relationOid).int16(field.attnum).int32(field.typeOid);
    writer.int16(field.typlen).int32(field.typmod).int16(field.format);
  }
  return writer.frame();
}
