/**
 * One-dimensional arrays on the binary wire: `ndim 4 | flags 4 | element oid 4 | (size 4 | lower bound 4) per dimension`, then
 * each element as `length 4 | bytes`, -1 for NULL (array_recv, array_send).
 */
import { viewOf } from './bytes.ts';
import { invalidBinary, unsupported } from './errors.ts';

export type BinaryArray = { readonly elementOid: number; readonly elements: readonly (Uint8Array | undefined)[] };

const EMPTY_HEADER_BYTES = 12;
const HEADER_BYTES = 20;
const NULL_LENGTH = -1;

export function decodeBinaryArray(bytes: Uint8Array): BinaryArray {
  if (bytes.length < EMPTY_HEADER_BYTES) throw invalidBinary('array');
  const view = viewOf(bytes);
  const dimensions = view.getInt32(0);
  const elementOid = view.getUint32(8);
  if (dimensions === 0 && bytes.length === EMPTY_HEADER_BYTES) return { elementOid, elements: [] };
  if (dimensions > 1) {
    throw unsupported(
      'arrays of several dimensions are not supported for a sealed column',
      'Send a one-dimensional array.',
    );
  }
  if (dimensions !== 1 || bytes.length < HEADER_BYTES) throw invalidBinary('array');
  return { elementOid, elements: readElements(bytes, view, view.getInt32(12)) };
}

function readElements(bytes: Uint8Array, view: DataView, count: number): readonly (Uint8Array | undefined)[] {
  // Each element takes four bytes at least: a count that lies does not make us allocate.
  if (count < 0 || count > (bytes.length - HEADER_BYTES) / 4) throw invalidBinary('array');
  const elements: (Uint8Array | undefined)[] = [];
  let at = HEADER_BYTES;
  for (let index = 0; index < count; index++) {
    if (at + 4 > bytes.length) throw invalidBinary('array');
    const length = view.getInt32(at);
    at += 4;
    if (length < NULL_LENGTH || at + Math.max(length, 0) > bytes.length) throw invalidBinary('array');
    elements.push(length === NULL_LENGTH ? undefined : bytes.subarray(at, at + length));
    at += Math.max(length, 0);
  }
  if (at !== bytes.length) throw invalidBinary('array');
  return elements;
}

export function encodeBinaryArray({ elementOid, elements }: BinaryArray): Uint8Array {
  const size = elements.reduce((sum, element) => sum + 4 + (element?.length ?? 0), 0);
  const bytes = new Uint8Array(elements.length === 0 ? EMPTY_HEADER_BYTES : HEADER_BYTES + size);
  const view = viewOf(bytes);
  view.setInt32(0, elements.length === 0 ? 0 : 1);
  view.setInt32(4, elements.includes(undefined) ? 1 : 0);
  view.setUint32(8, elementOid);
  if (elements.length === 0) return bytes;
  view.setInt32(12, elements.length);
  view.setInt32(16, 1);
  let at = HEADER_BYTES;
  for (const element of elements) {
    view.setInt32(at, element?.length ?? NULL_LENGTH);
    if (element !== undefined) bytes.set(element, at + 4);
    at += 4 + (element?.length ?? 0);
  }
  return bytes;
}
