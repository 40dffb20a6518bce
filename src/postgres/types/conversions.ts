/**
 * A value of the type that a client declared becomes one of the column's type, as the server's own cast would make it: an assignment where it is
 * stored; where it is compared only what leaves equality as it is.
 */
import type { LogicalType } from '../plan.ts';
import { bitCodec } from './bit-codec.ts';
import { assignChar, withoutBlanks } from './bpchar-codec.ts';
import { viewOf } from './bytes.ts';
import type { ValueContext } from './codec.ts';
import { decodeDecimal, encodeDecimal, formatDecimal } from './decimal.ts';
import { parseDecimal } from './decimal-text.ts';
import { damaged, floatRange } from './errors.ts';
import { encodeFloat, floatOf, parseFloatText } from './float/codec.ts';
import { printFloat } from './float/print.ts';
import { assignNumber } from './number-codec.ts';
import { isFloat, isNumber, isText } from './registry.ts';
import { applyLength } from './text-codec.ts';
import { DAY_MICROSECONDS, roundMicroseconds } from './datetime/time-parts.ts';
import {
  checkTimestamp,
  encodeTimestamp,
  fromLocal,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
  timestampOf,
  toLocal,
} from './datetime/timestamp-codec.ts';
import { timePrecision } from './modifiers.ts';
import { formatLogicalType } from './type-text.ts';

type Conversion = (canonical: Uint8Array, from: LogicalType, context: ValueContext) => Uint8Array;

/** Undefined: the server has no such assignment, or comparing would not be by these bytes. */
export function conversion(
  from: LogicalType,
  to: LogicalType,
  purpose: ValueContext['purpose'],
): Conversion | undefined {
  const stores = purpose === 'store';
  if (isNumber(from) && isNumber(to)) return (canonical, _from, context) => assignNumber(canonical, context);
  if (isText(from) && isText(to)) return (canonical, _from, context) => applyLength(canonical, context);
  if (isText(from) && to.name === 'bpchar' && purpose !== 'choose') return stores ? toChar : comparedWithChar;
  // A varchar beside a char is compared as one, so blanks at the end of what is stored would not count.
  if (from.name === 'bpchar' && isText(to) && (stores || (to.name === 'text' && purpose === 'compare')))
    return (canonical, _from, context) => applyLength(canonical, context);
  // Canonical bytes are the wire's; the length is the column's to judge.
  if (from.name === 'bit' && to.name === 'varbit')
    return (canonical, _from, context) => bitCodec.fromBinary(canonical, context);
  if (from.name === 'cidr' && to.name === 'inet') return (canonical) => canonical;
  if (from.name === 'inet' && to.name === 'cidr' && purpose === 'compare') return (canonical) => canonical;
  if (from.name === 'timestamp' && to.name === 'timestamptz' && purpose !== 'choose')
    return (canonical, _from, context) => storeTimestamp(fromLocal(timestampOf(canonical), context), context);
  // Beside a float a number is a float.
  if (isFloat(to) && isNumber(from) && purpose !== 'compare') return toFloat;
  if (!stores) return undefined;
  if (isFloat(to) && isFloat(from)) return toFloat;
  if (isFloat(from) && to.name === 'numeric') return floatToNumeric;
  return assignDatetime(from, to);
}

const toChar: Conversion = (canonical, _from, context) => assignChar(canonical, context);

/** Beside text a char is text without blanks at its end, and the other text keeps its own; varchar becomes char. */
const comparedWithChar: Conversion = (canonical, { name }) =>
  name === 'varchar' ? withoutBlanks(canonical) : canonical;

function toFloat(canonical: Uint8Array, from: LogicalType, context: ValueContext): Uint8Array {
  if (isNumber(from)) {
    const value = decodeDecimal(canonical);
    if (value === undefined) throw damaged(from.name);
    const text = formatDecimal(value);
    return encodeFloat(value.type === 'finite' ? parseFloatText(text, context) : Number(text), context);
  }
  const value = floatOf(canonical, { type: from });
  if (context.type.name === 'float8') return encodeFloat(value, context);
  const single = Math.fround(value);
  if ((Number.isFinite(value) && !Number.isFinite(single)) || (single === 0 && value !== 0))
    throw floatRange(formatLogicalType(context.type));
  return encodeFloat(single, context);
}

/** By "%.15g", float4 by "%.6g": float8_numeric and float4_numeric. */
function floatToNumeric(canonical: Uint8Array, from: LogicalType, context: ValueContext): Uint8Array {
  const text = printFloat(floatOf(canonical, { type: from }), from.name === 'float4', 0);
  return assignNumber(encodeDecimal(parseDecimal(text)), context);
}

const DATE_INFINITY = 0x7fffffff;
const DATE_NEGATIVE_INFINITY = -0x80000000;
const DATETIMES: ReadonlySet<string> = new Set(['date', 'timestamp', 'timestamptz']);

function assignDatetime(from: LogicalType, to: LogicalType): Conversion | undefined {
  if (!DATETIMES.has(from.name) || !DATETIMES.has(to.name)) return undefined;
  return (canonical, _from, context) => {
    const local = localOf(canonical, from, context);
    if (to.name === 'date') return encodeDate(local);
    return storeTimestamp(to.name === 'timestamptz' ? fromLocal(local, context) : local, context);
  };
}

/** Microseconds as the clock on a wall shows them. */
function localOf(canonical: Uint8Array, from: LogicalType, context: ValueContext): bigint {
  if (from.name === 'timestamptz') return toLocal(timestampOf(canonical), context);
  if (from.name === 'timestamp') return timestampOf(canonical);
  const days = viewOf(canonical).getInt32(0);
  if (days === DATE_INFINITY) return TIMESTAMP_INFINITY;
  if (days === DATE_NEGATIVE_INFINITY) return TIMESTAMP_NEGATIVE_INFINITY;
  return checkTimestamp(BigInt(days) * DAY_MICROSECONDS);
}

function encodeDate(local: bigint): Uint8Array {
  const bytes = new Uint8Array(4);
  const floor = (local - (((local % DAY_MICROSECONDS) + DAY_MICROSECONDS) % DAY_MICROSECONDS)) / DAY_MICROSECONDS;
  const days =
    local === TIMESTAMP_INFINITY
      ? DATE_INFINITY
      : local === TIMESTAMP_NEGATIVE_INFINITY
        ? DATE_NEGATIVE_INFINITY
        : Number(floor);
  viewOf(bytes).setInt32(0, days);
  return bytes;
}

/** timestamp(p), where it is stored. */
export function storeTimestamp(value: bigint, { type, purpose }: ValueContext): Uint8Array {
  const precision = purpose === 'store' ? timePrecision(type) : undefined;
  const isFinite = value !== TIMESTAMP_INFINITY && value !== TIMESTAMP_NEGATIVE_INFINITY;
  return encodeTimestamp(
    precision === undefined || !isFinite ? value : checkTimestamp(roundMicroseconds(value, precision)),
  );
}
