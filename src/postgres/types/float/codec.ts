/**
 * float4 and float8: the bytes of the binary wire. Not deterministic: 0 = -0, and both print as they were written.
 *
 * Text: float4in_internal and float8in_internal in src/backend/utils/adt/float.c; output src/common/d2s.c and f2s.c (Ryu).
 */
import { decodeText, encodeText, trimSpace, viewOf } from '../bytes.ts';
import type { TypeCodec, ValueContext } from '../codec.ts';
import { checkBinaryLength, damaged, floatRange, invalidSyntax, unsupported } from '../errors.ts';
import { nearestFloat4 } from './nearest.ts';
import { printFloat } from './print.ts';
import { formatLogicalType } from '../type-text.ts';

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const SPECIAL = /^(?:([+-]?)(?:inf|infinity)|[+-]?nan)$/i;
const HEXADECIMAL = /^[+-]?0x/i;

export const floatCodec: TypeCodec = {
  fromText: (text, context) => {
    const trimmed = trimSpace(decodeText(text));
    const bytes = encodeFloat(read(trimmed, context), context);
    // The C library's, whose sign nobody sees but in binary.
    if (/^-nan$/i.test(trimmed)) bytes[0] = (bytes[0] ?? 0) | 0x80;
    return bytes;
  },
  fromBinary: (bytes, { type }) => {
    checkBinaryLength(bytes, type.typlen, formatLogicalType(type));
    return bytes;
  },
  toText: (canonical, context) =>
    encodeText(
      printFloat(floatOf(canonical, context), context.type.name === 'float4', context.settings.extraFloatDigits),
    ),
  toBinary: (canonical, { type }) => {
    if (canonical.length !== type.typlen) throw damaged(type.name);
    return canonical;
  },
};

function read(trimmed: string, context: ValueContext): number {
  const typeName = formatLogicalType(context.type);
  const special = SPECIAL.exec(trimmed);
  if (special !== null) return special[1] === undefined ? NaN : special[1] === '-' ? -Infinity : Infinity;
  if (!NUMBER.test(trimmed)) {
    if (HEXADECIMAL.test(trimmed))
      throw unsupported('hexadecimal floats are not supported for a sealed column', 'Write it in decimals.');
    throw invalidSyntax(typeName);
  }
  return parseFloatText(trimmed, context);
}

/** A decimal number as the nearest float. Errors: 22003 where it is too large, or too small to be told from 0. */
export function parseFloatText(text: string, { type }: ValueContext): number {
  const value = type.name === 'float4' ? nearestFloat4(text) : Number(text);
  if (!Number.isFinite(value) || (value === 0 && /[1-9]/.test(text.replace(/[eE].*$/, ''))))
    throw floatRange(formatLogicalType(type));
  return value;
}

export function encodeFloat(value: number, { type }: ValueContext): Uint8Array {
  const bytes = new Uint8Array(type.typlen);
  if (type.name === 'float4') viewOf(bytes).setFloat32(0, value);
  else viewOf(bytes).setFloat64(0, value);
  return bytes;
}

export function floatOf(canonical: Uint8Array, { type }: Pick<ValueContext, 'type'>): number {
  if (canonical.length !== type.typlen) throw damaged(type.name);
  return type.name === 'float4' ? viewOf(canonical).getFloat32(0) : viewOf(canonical).getFloat64(0);
}
