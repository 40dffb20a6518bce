/** Rows on the binary wire: `fields 4`, then of each `type oid 4 | length 4 (-1 for NULL) | value` (record_recv, record_send). */
import { viewOf } from '../bytes.ts';
import { invalidBinary } from '../errors.ts';

export type BinaryField = { readonly typeOid: number; readonly value: Uint8Array | undefined };

const COUNT_BYTES = 4;
const HEAD_BYTES = 8;
const NULL_LENGTH = -1;

export function decodeBinaryRecord(bytes: Uint8Array): readonly BinaryField[] {
  const view = viewOf(bytes);
  const count = bytes.length < COUNT_BYTES ? -1 : view.getInt32(0);
  // Each takes eight bytes at least: a count that lies does not make us allocate.
  if (count < 0 || count > (bytes.length - COUNT_BYTES) / HEAD_BYTES) throw invalidBinary('record');
  let at = COUNT_BYTES;
  const fields = Array.from({ length: count }, (): BinaryField => {
    if (at + HEAD_BYTES > bytes.length) throw invalidBinary('record');
    const [typeOid, length] = [view.getUint32(at), view.getInt32(at + 4)];
    at += HEAD_BYTES;
    if (length === NULL_LENGTH) return { typeOid, value: undefined };
    if (length < 0 || at + length > bytes.length) throw invalidBinary('record');
    at += length;
    return { typeOid, value: bytes.subarray(at - length, at) };
  });
  if (at !== bytes.length) throw invalidBinary('record');
  return fields;
}

export function encodeBinaryRecord(fields: readonly BinaryField[]): Uint8Array {
  const size = fields.reduce((sum, { value }) => sum + HEAD_BYTES + (value?.length ?? 0), COUNT_BYTES);
  const bytes = new Uint8Array(size);
  const view = viewOf(bytes);
  view.setInt32(0, fields.length);
  let at = COUNT_BYTES;
  for (const { typeOid, value } of fields) {
    view.setUint32(at, typeOid);
    view.setInt32(at + 4, value?.length ?? NULL_LENGTH);
    at += HEAD_BYTES;
    if (value !== undefined) bytes.set(value, at);
    at += value?.length ?? 0;
  }
  return bytes;
}
