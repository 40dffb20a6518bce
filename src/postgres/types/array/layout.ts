/** Shape and elements as bytes, which the binary wire and canonical values have alike: `(size 4 | lower bound 4) each | length 4 (-1: NULL) | bytes`. */
import type { ShapedElements } from './shape.ts';
import { viewOf } from '../bytes.ts';
import type { ValueError } from '../errors.ts';

const NULL_LENGTH = -1;
const DIMENSION_BYTES = 8;
const LENGTH_BYTES = 4;

type Reading = { readonly bytes: Uint8Array; readonly view: DataView; at: number };

/** A buffer whose first `headerBytes` are the caller's to fill. */
export function writeArray(headerBytes: number, { shape, elements }: ShapedElements): Uint8Array {
  const size = elements.reduce((sum, element) => sum + LENGTH_BYTES + (element?.length ?? 0), 0);
  const bytes = new Uint8Array(headerBytes + DIMENSION_BYTES * shape.length + size);
  const view = viewOf(bytes);
  let at = headerBytes;
  for (const { size: count, lower } of shape) {
    view.setInt32(at, count);
    view.setInt32(at + 4, lower);
    at += DIMENSION_BYTES;
  }
  for (const element of elements) {
    view.setInt32(at, element?.length ?? NULL_LENGTH);
    if (element !== undefined) bytes.set(element, at + LENGTH_BYTES);
    at += LENGTH_BYTES + (element?.length ?? 0);
  }
  return bytes;
}

export type ArrayFaults = {
  /** Ends before what it says it has. */
  readonly cutOff: () => ValueError;
  readonly broken: () => ValueError;
  /** Says it has more elements than there may be. */
  readonly tooLarge: () => ValueError;
  /** Counts beyond what an int holds; undefined: it may, as values that were sealed before this was looked at. */
  readonly outOfBounds?: () => ValueError;
};

const MOST_INT = 0x7fffffff;
/** MaxArraySize in src/include/utils/array.h. */
const MOST_ELEMENTS = Math.floor(0x3fffffff / 8);

/** What lies behind the header, up to the end. Throws the fault that array_recv comes to first. */
export function readArray(
  bytes: Uint8Array,
  headerBytes: number,
  dimensions: number,
  faults: ArrayFaults,
): ShapedElements {
  const reading: Reading = { bytes, view: viewOf(bytes), at: headerBytes };
  if (reading.at + DIMENSION_BYTES * dimensions > bytes.length) throw faults.cutOff();
  const shape = Array.from({ length: dimensions }, (_, index) => {
    const at = headerBytes + DIMENSION_BYTES * index;
    return { size: reading.view.getInt32(at), lower: reading.view.getInt32(at + 4) };
  });
  reading.at += DIMENSION_BYTES * dimensions;
  const count = shape.reduce((product, { size }) => product * size, dimensions === 0 ? 0 : 1);
  if (shape.some(({ size }) => size < 0) || count > MOST_ELEMENTS) throw faults.tooLarge();
  if (faults.outOfBounds && shape.some(({ size, lower }) => lower + size > MOST_INT)) throw faults.outOfBounds();
  // One after the other: a count that lies does not make us allocate.
  const elements: (Uint8Array | undefined)[] = [];
  while (elements.length < count) elements.push(readElement(reading, faults));
  if (reading.at !== bytes.length) throw faults.broken();
  // An array without elements has no dimensions.
  return { shape: count === 0 ? [] : shape, elements };
}

function readElement(reading: Reading, { cutOff, broken }: ArrayFaults): Uint8Array | undefined {
  const { bytes, view, at } = reading;
  if (at + LENGTH_BYTES > bytes.length) throw cutOff();
  const length = view.getInt32(at);
  reading.at += LENGTH_BYTES;
  if (length === NULL_LENGTH) return undefined;
  if (length < 0 || reading.at + length > bytes.length) throw broken();
  reading.at += length;
  return bytes.subarray(reading.at - length, reading.at);
}
