/**
 * Unambiguous bytes for AADs and MACs: a label and fields, each with its length, so that no two lists give the same bytes
 * (docs/KEYSTORE.md, "Fields").
 */
export type Field = Uint8Array | string | number;

export const LENGTH_BYTES = 4;
const NUMBER_BYTES = 8;

/** `count 4 | (length 4 | bytes)*`, the label first; text as UTF-8, numbers as 8 bytes big-endian. One allocation: a start reads many rows. */
export function encodeFields(label: string, fields: readonly Field[]): Uint8Array {
  let size = LENGTH_BYTES + LENGTH_BYTES + fieldLength(label);
  for (const field of fields) size += LENGTH_BYTES + fieldLength(field);
  // Every byte is written below, and none is secret.
  const out = Buffer.allocUnsafe(size);
  let at = out.writeUInt32BE(fields.length + 1);
  at = writeField(out, label, at);
  for (const field of fields) at = writeField(out, field, at);
  return out;
}

function fieldLength(field: Field): number {
  if (typeof field === 'string') return Buffer.byteLength(field, 'utf8');
  return typeof field === 'number' ? NUMBER_BYTES : field.length;
}

function writeField(out: Buffer, field: Field, at: number): number {
  const start = at + LENGTH_BYTES;
  let end;
  if (typeof field === 'string') end = start + out.write(field, start, 'utf8');
  else if (typeof field === 'number') end = writeUint64(out, field, start);
  else {
    out.set(field, start);
    end = start + field.length;
  }
  out.writeUInt32BE(end - start, at);
  return end;
}

export function uint64(value: number): Uint8Array {
  const bytes = Buffer.alloc(NUMBER_BYTES);
  writeUint64(bytes, value, 0);
  return bytes;
}

export function writeUint64(out: Buffer, value: number, at: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a safe unsigned integer: ${value}`);
  return out.writeBigUInt64BE(BigInt(value), at);
}
