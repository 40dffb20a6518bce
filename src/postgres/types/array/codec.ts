/**
 * Arrays: `dimensions 1 | (size 4 | lower bound 4) each | elements, row by row: length 4 (-1 for NULL) | canonical bytes`. Not deterministic.
 */
import type { LogicalType } from '../../plan.ts';
import { decodeBinaryArray, encodeBinaryArray } from './binary.ts';
import { readArray, writeArray } from './layout.ts';
import { parseArrayLiteral, printArrayLiteral } from './literal.ts';
import { MAX_DIMENSIONS, type ShapedElements } from './shape.ts';
import type { TypeCodec, ValueContext } from '../codec.ts';
import { damaged, type ValueError } from '../errors.ts';

type Convert = (codec: TypeCodec, bytes: Uint8Array, context: ValueContext) => Uint8Array;

/** @param codecOf the codec of an element's type. */
export function arrayCodec(codecOf: (type: LogicalType) => TypeCodec): TypeCodec {
  const each = ({ shape, elements }: ShapedElements, context: ValueContext, convert: Convert): ShapedElements => {
    const type = elementOf(context.type);
    const codec = codecOf(type);
    const inside = { ...context, type };
    return { shape, elements: elements.map((element) => element && convert(codec, element, inside)) };
  };
  return {
    fromText: (text, outer) =>
      encode(each(parseArrayLiteral(text), outer, (codec, bytes, context) => codec.fromText(bytes, context))),
    fromBinary: (bytes, outer) =>
      encode(each(received(bytes, outer), outer, (codec, element, context) => codec.fromBinary(element, context))),
    toText: (canonical, outer) =>
      printArrayLiteral(each(decode(canonical), outer, (codec, bytes, context) => codec.toText(bytes, context))),
    toBinary: (canonical, outer) =>
      encodeBinaryArray({
        elementOid: elementOf(outer.type).oid,
        ...each(decode(canonical), outer, (codec, bytes, context) => codec.toBinary(bytes, context)),
      }),
  };
}

function elementOf({ element }: LogicalType): LogicalType {
  if (element === undefined) throw new TypeError('an array type without an element type');
  return element;
}

function received(bytes: Uint8Array, { type }: ValueContext): ShapedElements {
  return decodeBinaryArray(bytes, elementOf(type).oid);
}

function encode(shaped: ShapedElements): Uint8Array {
  const bytes = writeArray(1, shaped);
  bytes[0] = shaped.shape.length;
  return bytes;
}

function decode(canonical: Uint8Array): ShapedElements {
  const dimensions = canonical[0] ?? MAX_DIMENSIONS + 1;
  if (dimensions > MAX_DIMENSIONS) throw damaged('array');
  const fault = (): ValueError => damaged('array');
  return readArray(canonical, 1, dimensions, { cutOff: fault, broken: fault, tooLarge: fault });
}
