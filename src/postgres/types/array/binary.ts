/** Arrays on the binary wire: `ndim 4 | flags 4 | element oid 4`, then shape and elements (array_recv, array_send). */
import { readArray, writeArray } from './layout.ts';
import { MAX_DIMENSIONS, type ShapedElements } from './shape.ts';
import { viewOf } from '../bytes.ts';
import { invalidBinary, tooManyDimensions } from '../errors.ts';

export type BinaryArray = ShapedElements & { readonly elementOid: number };

const HEADER_BYTES = 12;

export function decodeBinaryArray(bytes: Uint8Array): BinaryArray {
  if (bytes.length < HEADER_BYTES) throw invalidBinary('array');
  const view = viewOf(bytes);
  const dimensions = view.getInt32(0);
  const flags = view.getInt32(4);
  if (dimensions < 0 || (flags !== 0 && flags !== 1)) throw invalidBinary('array');
  if (dimensions > MAX_DIMENSIONS) throw tooManyDimensions();
  const shaped = readArray(bytes, HEADER_BYTES, dimensions, () => invalidBinary('array'));
  return { elementOid: view.getUint32(8), ...shaped };
}

export function encodeBinaryArray({ elementOid, shape, elements }: BinaryArray): Uint8Array {
  const bytes = writeArray(HEADER_BYTES, { shape, elements });
  const view = viewOf(bytes);
  view.setInt32(0, shape.length);
  view.setInt32(4, elements.includes(undefined) ? 1 : 0);
  view.setUint32(8, elementOid);
  return bytes;
}
