/**
 * Unambiguous bytes for AADs and MACs: a label and fields, each with its length, so that no two lists give the same bytes
 * (docs/KEYSTORE.md, "Fields").
 */
export type Field = Uint8Array | string | number;

/** `count 4 | (length 4 | bytes)*`, the label first; text as UTF-8, numbers as 8 bytes big-endian. */
export function encodeFields(label: string, fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [uint32(fields.length + 1)];
  for (const field of [label, ...fields]) {
    const bytes = fieldBytes(field);
    parts.push(uint32(bytes.length), bytes);
  }
  return Buffer.concat(parts);
}

function fieldBytes(field: Field): Uint8Array {
  if (typeof field === 'string') return Buffer.from(field, 'utf8');
  return typeof field === 'number' ? uint64(field) : field;
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function uint64(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a safe unsigned integer: ${value}`);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
