/** Arrays on the binary wire: `ndim 4 | flags 4 | element oid 4`, then shape and elements (array_recv, array_send). */
import { readArray, writeArray, type ArrayFaults } from './layout.ts';
import { MAX_DIMENSIONS, type ShapedElements } from './shape.ts';
import { viewOf } from '../bytes.ts';
import {
  arrayBound,
  arrayTooLarge,
  insufficientData,
  invalidBinary,
  otherElements,
  tooManyDimensions,
} from '../errors.ts';

export type BinaryArray = ShapedElements & { readonly elementOid: number };

const HEADER_BYTES = 12;

const FAULTS: ArrayFaults = {
  cutOff: () => insufficientData('array'),
  broken: () => invalidBinary('array'),
  tooLarge: arrayTooLarge,
  outOfBounds: arrayBound,
};

/** `elementOid`: of the elements it is to have. Errors: as array_recv has them, in its order; 42804 where the elements are of another type. */
export function decodeBinaryArray(bytes: Uint8Array, elementOid?: number): BinaryArray {
  const view = viewOf(bytes);
  const word = (at: number): number => {
    if (bytes.length < at + 4) throw insufficientData('array');
    return view.getInt32(at);
  };
  const dimensions = word(0);
  if (dimensions < 0) throw invalidBinary('array');
  if (dimensions > MAX_DIMENSIONS) throw tooManyDimensions();
  const flags = word(4);
  if (flags !== 0 && flags !== 1) throw invalidBinary('array');
  const foundOid = word(8) >>> 0;
  if (elementOid !== undefined && foundOid !== elementOid) throw otherElements();
  return { elementOid: foundOid, ...readArray(bytes, HEADER_BYTES, dimensions, FAULTS) };
}

export function encodeBinaryArray({ elementOid, shape, elements }: BinaryArray): Uint8Array {
  const bytes = writeArray(HEADER_BYTES, { shape, elements });
  const view = viewOf(bytes);
  view.setInt32(0, shape.length);
  view.setInt32(4, elements.includes(undefined) ? 1 : 0);
  view.setUint32(8, elementOid);
  return bytes;
}
