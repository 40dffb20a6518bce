/**
 * Arrays: `dimensions 1 | (size 4 | lower bound 4) each | elements, row by row: length 4 (-1 for NULL) | canonical bytes`. Not deterministic.
 */
import type { LogicalType } from '../plan.ts';
import { parseArrayLiteral, printArrayLiteral } from './array-literal.ts';
import type { ArrayShape } from './array-shape.ts';
import { viewOf } from './bytes.ts';
import type { TypeCodec, ValueContext } from './codec.ts';
import { damaged, invalidBinary, SQLSTATE, tooManyDimensions, ValueError } from './errors.ts';
import { MAX_DIMENSIONS } from './array-shape.ts';

type Elements = readonly (Uint8Array | undefined)[];
type Reading = { readonly bytes: Uint8Array; readonly view: DataView; at: number };

const WIRE_HEADER_BYTES = 12;
const NULL_LENGTH = -1;

/** @param codecOf the codec of an element's type. */
export function arrayCodec(codecOf: (type: LogicalType) => TypeCodec): TypeCodec {
  const inside = (context: ValueContext): { readonly codec: TypeCodec; readonly context: ValueContext } => {
    const element = elementOf(context.type);
    return { codec: codecOf(element), context: { ...context, type: element } };
  };
  const each = (elements: Elements, convert: (bytes: Uint8Array) => Uint8Array): Elements =>
    elements.map((element) => element && convert(element));
  return {
    fromText: (text, outer) => {
      const { codec, context } = inside(outer);
      const { shape, elements } = parseArrayLiteral(text);
      return encode(
        shape,
        each(elements, (bytes) => codec.fromText(bytes, context)),
      );
    },
    fromBinary: (bytes, outer) => {
      const { codec, context } = inside(outer);
      const { shape, elements } = receive(bytes, context.type.oid);
      return encode(
        shape,
        each(elements, (element) => codec.fromBinary(element, context)),
      );
    },
    toText: (canonical, outer) => {
      const { codec, context } = inside(outer);
      const { shape, elements } = decode(canonical);
      return printArrayLiteral(
        shape,
        each(elements, (bytes) => codec.toText(bytes, context)),
      );
    },
    toBinary: (canonical, outer) => {
      const { codec, context } = inside(outer);
      const { shape, elements } = decode(canonical);
      return send(
        shape,
        context.type.oid,
        each(elements, (bytes) => codec.toBinary(bytes, context)),
      );
    },
  };
}

function elementOf({ element }: LogicalType): LogicalType {
  if (element === undefined) throw new TypeError('an array type without an element type');
  return element;
}

function sizeOf(elements: Elements): number {
  return elements.reduce((sum, element) => sum + 4 + (element?.length ?? 0), 0);
}

function writeElements(bytes: Uint8Array, from: number, elements: Elements): void {
  const view = viewOf(bytes);
  let at = from;
  for (const element of elements) {
    view.setInt32(at, element?.length ?? NULL_LENGTH);
    if (element !== undefined) bytes.set(element, at + 4);
    at += 4 + (element?.length ?? 0);
  }
}

function writeShape(view: DataView, from: number, shape: ArrayShape): void {
  shape.forEach(({ size, lower }, index) => {
    view.setInt32(from + 8 * index, size);
    view.setInt32(from + 8 * index + 4, lower);
  });
}

function encode(shape: ArrayShape, elements: Elements): Uint8Array {
  const header = 1 + 8 * shape.length;
  const bytes = new Uint8Array(header + sizeOf(elements));
  bytes[0] = shape.length;
  writeShape(viewOf(bytes), 1, shape);
  writeElements(bytes, header, elements);
  return bytes;
}

function decode(canonical: Uint8Array): { readonly shape: ArrayShape; readonly elements: Elements } {
  const dimensions = canonical[0] ?? MAX_DIMENSIONS + 1;
  const reading: Reading = { bytes: canonical, view: viewOf(canonical), at: 1 };
  if (dimensions > MAX_DIMENSIONS) throw damaged('array');
  return readBody(reading, dimensions, () => damaged('array'));
}

/** array_recv */
function receive(bytes: Uint8Array, elementOid: number): { readonly shape: ArrayShape; readonly elements: Elements } {
  if (bytes.length < WIRE_HEADER_BYTES) throw invalidBinary('array');
  const view = viewOf(bytes);
  const dimensions = view.getInt32(0);
  const flags = view.getInt32(4);
  if (dimensions < 0 || (flags !== 0 && flags !== 1)) throw invalidBinary('array');
  if (dimensions > MAX_DIMENSIONS) throw tooManyDimensions();
  if (view.getUint32(8) !== elementOid) {
    const message = 'binary data has another array element type than the sealed column';
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.datatypeMismatch, message);
  }
  return readBody({ bytes, view, at: WIRE_HEADER_BYTES }, dimensions, () => invalidBinary('array'));
}

function readBody(
  reading: Reading,
  dimensions: number,
  broken: () => ValueError,
): { readonly shape: ArrayShape; readonly elements: Elements } {
  const { bytes, view } = reading;
  if (reading.at + 8 * dimensions > bytes.length) throw broken();
  const shape: { readonly size: number; readonly lower: number }[] = [];
  for (let index = 0; index < dimensions; index++) {
    shape.push({ size: view.getInt32(reading.at), lower: view.getInt32(reading.at + 4) });
    reading.at += 8;
  }
  const count = shape.reduce((product, { size }) => product * size, dimensions === 0 ? 0 : 1);
  // Each element takes four bytes at least: a count that lies does not make us allocate.
  if (shape.some(({ size }) => size < 0) || count > (bytes.length - reading.at) / 4) throw broken();
  const elements: (Uint8Array | undefined)[] = [];
  for (let index = 0; index < count; index++) elements.push(readElement(reading, broken));
  if (reading.at !== bytes.length) throw broken();
  // An array without elements has no dimensions.
  return { shape: count === 0 ? [] : shape, elements };
}

function readElement(reading: Reading, broken: () => ValueError): Uint8Array | undefined {
  const { bytes, view } = reading;
  if (reading.at + 4 > bytes.length) throw broken();
  const length = view.getInt32(reading.at);
  reading.at += 4;
  if (length === NULL_LENGTH) return undefined;
  if (length < 0 || reading.at + length > bytes.length) throw broken();
  reading.at += length;
  return bytes.subarray(reading.at - length, reading.at);
}

/** array_send */
function send(shape: ArrayShape, elementOid: number, elements: Elements): Uint8Array {
  const header = WIRE_HEADER_BYTES + 8 * shape.length;
  const bytes = new Uint8Array(header + sizeOf(elements));
  const view = viewOf(bytes);
  view.setInt32(0, shape.length);
  view.setInt32(4, elements.includes(undefined) ? 1 : 0);
  view.setUint32(8, elementOid);
  writeShape(view, WIRE_HEADER_BYTES, shape);
  writeElements(bytes, header, elements);
  return bytes;
}
