/** int2, int4, int8 and numeric: one canonical form, so that they compare with each other (decimal.ts). */
import type { LogicalType, LogicalTypeName } from '../plan.ts';
import { decodeText, encodeText, trimSpace, viewOf } from './bytes.ts';
import type { TypeCodec, ValueContext } from './codec.ts';
import {
  decodeDecimal,
  type Decimal,
  encodeDecimal,
  encodeSafeInteger,
  finite,
  formatDecimal,
  reduce,
  roundTo,
} from './decimal.ts';
import { parseDecimal } from './decimal-text.ts';
import { checkBinaryLength, damaged, invalidBinary, invalidSyntax, outOfRange, unsupported } from './errors.ts';
import { decodeNumericBinary, encodeNumericBinary } from './numeric-binary.ts';
import { numericModifier } from './modifiers.ts';
import { formatLogicalType } from './type-text.ts';

const INTEGER_BYTES: Readonly<Partial<Record<LogicalTypeName, number>>> = { int2: 2, int4: 4, int8: 8 };
/** pg_strtoint32_safe: like numeric's syntax without point, exponent and special values. */
const INTEGER =
  /^[ \t\n\v\f\r]*[+-]?(?:\d+(?:_\d+)*|0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+)[ \t\n\v\f\r]*$/;

const ZERO = 0x30;
const MINUS = 0x2d;
/** Fewer digits than would leave what a double holds exactly. */
const PLAIN_DIGITS = 15;

/** What nearly every client writes, `-?[0-9]+`, without a detour by text; undefined for any other form. */
function plainInteger(text: Uint8Array): number | undefined {
  const start = text[0] === MINUS ? 1 : 0;
  if (text.length === start || text.length > start + PLAIN_DIGITS) return undefined;
  let value = 0;
  for (let at = start; at < text.length; at++) {
    const digit = (text[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = 10 * value + digit;
  }
  return start === 1 ? -value : value;
}

/** The first release that reads them. */
const BASES_SINCE = 16;
/** Underscores between digits, and a prefix that names the base. */
const OF_BASES = /_|^[+-]?0[xXoObB]/;

/** A server that cannot read the form refuses it, and so it is here. */
function requireKnownBase(digits: string, { type, settings }: ValueContext): void {
  const { serverVersion = BASES_SINCE } = settings;
  if (serverVersion < BASES_SINCE && OF_BASES.test(trimSpace(digits))) throw invalidSyntax(formatLogicalType(type));
}

export const integerCodec: TypeCodec = {
  fromText: (text, context) => {
    const { type } = context;
    const plain = plainInteger(text);
    if (plain !== undefined) return encodeSafeInteger(fitPlain(plain, type));
    const digits = decodeText(text);
    if (!INTEGER.test(digits)) throw invalidSyntax(formatLogicalType(type));
    requireKnownBase(digits, context);
    return encodeDecimal(fitInteger(parseDecimal(digits, formatLogicalType(type)), type));
  },
  fromBinary: (bytes, { type }) => encodeDecimal(finite(readInteger(bytes, type))),
  toText: (canonical, { type }) => encodeText(formatDecimal(integerFrom(canonical, type))),
  toBinary: (canonical, { type }) => writeInteger(integerFrom(canonical, type).unscaled, type),
};

export const numericCodec: TypeCodec = {
  fromText: (text, context) => {
    const digits = decodeText(text);
    const value = parseDecimal(digits);
    requireKnownBase(digits, context);
    if (!isKnown(value, context)) throw invalidSyntax('numeric');
    return encodeNumeric(value, context);
  },
  fromBinary: (bytes, context) => {
    const value = decodeNumericBinary(bytes);
    if (!isKnown(value, context)) throw invalidBinary('numeric');
    return encodeNumeric(value, context);
  },
  toText: (canonical, { type }) => encodeText(formatDecimal(numericFrom(canonical, type))),
  toBinary: (canonical, { type }) => encodeNumericBinary(numericFrom(canonical, type)),
};

/** The first release whose numeric has infinite values; for others they are no numbers. */
const INFINITE_SINCE = 14;

function isKnown(value: Decimal, { settings: { serverVersion = INFINITE_SINCE } }: ValueContext): boolean {
  return value.type !== 'infinity' || serverVersion >= INFINITE_SINCE;
}

/** A canonical number as a client's declared type has it, becomes one of the column's type, as an assignment would. */
export function assignNumber(canonical: Uint8Array, context: ValueContext): Uint8Array {
  const value = decodeDecimal(canonical);
  if (value === undefined) throw damaged(context.type.name);
  if (context.type.name === 'numeric') return encodeNumeric(value, context);
  if (context.purpose !== 'store') return encodeDecimal(reduce(value));
  return encodeDecimal(fitInteger(roundTo(value, 0), context.type));
}

function encodeNumeric(value: Decimal, { type, purpose }: ValueContext): Uint8Array {
  const modifier = numericModifier(type);
  if (modifier === undefined) return encodeDecimal(value);
  if (purpose === 'choose') requireScale(value, Math.max(modifier.scale, 0));
  return encodeDecimal(reduce(purpose === 'store' ? applyModifier(value, modifier, type) : value));
}

/** Canonical bytes do not keep the scale of numeric(p,s), and print with the column's: any other would come out changed. */
function requireScale(value: Decimal, scale: number): void {
  if (value.type !== 'finite' || value.scale === scale) return;
  throw unsupported(
    'a number that may stand in the place of a sealed column has another number of decimals than it',
    `Write it with ${scale} decimals.`,
  );
}

/** numeric.c apply_typmod: round first, then measure. */
function applyModifier(value: Decimal, modifier: { precision: number; scale: number }, type: LogicalType): Decimal {
  if (value.type === 'nan') return value;
  if (value.type === 'infinity') throw outOfRange(formatLogicalType(type));
  const rounded = roundTo(value, modifier.scale);
  const limit =
    modifier.scale < 0 ? 10n ** BigInt(modifier.precision - modifier.scale) : 10n ** BigInt(modifier.precision);
  const unscaled = rounded.type === 'finite' ? rounded.unscaled : 0n;
  if (unscaled >= limit || unscaled <= -limit) throw outOfRange(formatLogicalType(type));
  return rounded;
}

function fitInteger(value: Decimal, type: LogicalType): Decimal {
  const bits = BigInt((INTEGER_BYTES[type.name] ?? 0) * 8);
  if (value.type !== 'finite' || value.scale !== 0) throw outOfRange(formatLogicalType(type));
  if (BigInt.asIntN(Number(bits), value.unscaled) !== value.unscaled) throw outOfRange(formatLogicalType(type));
  return value;
}

/** The same for a number. */
function fitPlain(value: number, type: LogicalType): number {
  const limit = 2 ** ((INTEGER_BYTES[type.name] ?? 0) * 8 - 1);
  if (value < -limit || value >= limit) throw outOfRange(formatLogicalType(type));
  return value;
}

function readInteger(bytes: Uint8Array, type: LogicalType): bigint {
  checkBinaryLength(bytes, INTEGER_BYTES[type.name] ?? 0, formatLogicalType(type));
  const view = viewOf(bytes);
  if (bytes.length === 2) return BigInt(view.getInt16(0));
  return bytes.length === 4 ? BigInt(view.getInt32(0)) : view.getBigInt64(0);
}

function writeInteger(value: bigint, type: LogicalType): Uint8Array {
  const bytes = new Uint8Array(INTEGER_BYTES[type.name] ?? 0);
  const view = viewOf(bytes);
  if (bytes.length === 2) view.setInt16(0, Number(value));
  else if (bytes.length === 4) view.setInt32(0, Number(value));
  else view.setBigInt64(0, value);
  return bytes;
}

function integerFrom(canonical: Uint8Array, type: LogicalType): Decimal & { type: 'finite' } {
  const value = decodeDecimal(canonical);
  if (value?.type !== 'finite' || value.scale !== 0) throw damaged(type.name);
  const bits = (INTEGER_BYTES[type.name] ?? 0) * 8;
  if (BigInt.asIntN(bits, value.unscaled) !== value.unscaled) throw damaged(type.name);
  return value;
}

function numericFrom(canonical: Uint8Array, type: LogicalType): Decimal {
  const value = decodeDecimal(canonical);
  if (value === undefined) throw damaged(type.name);
  const modifier = numericModifier(type);
  if (modifier === undefined || value.type !== 'finite') return value;
  const scale = Math.max(modifier.scale, 0);
  if (value.scale > scale) throw damaged(type.name);
  return roundTo(value, scale);
}
