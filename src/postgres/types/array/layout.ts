/** Shape and elements as bytes, which the binary wire and canonical values have alike: `(size 4 | lower bound 4) each | length 4 (-1: NULL) | bytes`. */
import type { ArrayElements, ShapedElements } from './shape.ts';
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

/** What lies behind the header, up to the end. Throws `broken()`. */
export function readArray(
  bytes: Uint8Array,
  headerBytes: number,
  dimensions: number,
  broken: () => ValueError,
): ShapedElements {
  const reading: Reading = { bytes, view: viewOf(bytes), at: headerBytes };
  if (reading.at + DIMENSION_BYTES * dimensions > bytes.length) throw broken();
  const shape = Array.from({ length: dimensions }, (_, index) => {
    const at = headerBytes + DIMENSION_BYTES * index;
    return { size: reading.view.getInt32(at), lower: reading.view.getInt32(at + 4) };
  });
  reading.at += DIMENSION_BYTES * dimensions;
  const count = shape.reduce((product, { size }) => product * size, dimensions === 0 ? 0 : 1);
  // Each element takes four bytes at least: a count that lies does not make us allocate.
  const most = (bytes.length - reading.at) / LENGTH_BYTES;
  if (shape.some(({ size }) => size < 0) || count > most) throw broken();
  const elements: ArrayElements = Array.from({ length: count }, () => readElement(reading, broken));
  if (reading.at !== bytes.length) throw broken();
  // An array without elements has no dimensions.
  return { shape: count === 0 ? [] : shape, elements };
}

function readElement(reading: Reading, broken: () => ValueError): Uint8Array | undefined {
  const { bytes, view, at } = reading;
  if (at + LENGTH_BYTES > bytes.length) throw broken();
  const length = view.getInt32(at);
  reading.at += LENGTH_BYTES;
  if (length === NULL_LENGTH) return undefined;
  if (length < 0 || reading.at + length > bytes.length) throw broken();
  reading.at += length;
  return bytes.subarray(reading.at - length, reading.at);
}
