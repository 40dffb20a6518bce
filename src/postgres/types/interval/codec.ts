/**
 * interval: `microseconds 8 | days 4 | months 4`, as on the binary wire. Not deterministic: 1 day = 24 hours, and both print as they were
 * written.
 */
import { decodeText, encodeText, viewOf } from '../bytes.ts';
import type { TypeCodec, ValueContext } from '../codec.ts';
import { checkBinaryLength, damaged, SQLSTATE, ValueError } from '../errors.ts';
import { INFINITE, type Interval, MINUS_INFINITE } from './interval.ts';
import { printInterval } from './print.ts';
import { readingOf } from './releases.ts';
import { badInterval, parseInterval } from './text.ts';
import { intervalPrecision } from '../modifiers.ts';
import { roundMicroseconds } from '../datetime/time-parts.ts';

const INTERVAL_BYTES = 16;
/** The first major version that reads it. */
const INFINITY_SINCE = 17;

export const intervalCodec: TypeCodec = {
  fromText: (text, context) => {
    const { intervalStyle, serverVersion = INFINITY_SINCE } = context.settings;
    const value = parseInterval(decodeText(text), intervalStyle, readingOf(serverVersion));
    if (serverVersion < INFINITY_SINCE && isInfinite(value)) throw badInterval();
    return encode(assigned(value, context));
  },
  fromBinary: (bytes, context) => {
    checkBinaryLength(bytes, INTERVAL_BYTES, 'interval');
    return encode(assigned(decode(bytes), context));
  },
  toText: (canonical, { settings }) => encodeText(printInterval(valueOf(canonical), settings.intervalStyle)),
  toBinary: (canonical) => encode(valueOf(canonical)),
};

function decode(bytes: Uint8Array): Interval {
  const view = viewOf(bytes);
  return { microseconds: view.getBigInt64(0), days: view.getInt32(8), months: view.getInt32(12) };
}

function encode({ microseconds, days, months }: Interval): Uint8Array {
  const bytes = new Uint8Array(INTERVAL_BYTES);
  const view = viewOf(bytes);
  view.setBigInt64(0, microseconds);
  view.setInt32(8, days);
  view.setInt32(12, months);
  return bytes;
}

function valueOf(canonical: Uint8Array): Interval {
  if (canonical.length !== INTERVAL_BYTES) throw damaged('interval');
  return decode(canonical);
}

/** AdjustIntervalForTypmod in timestamp.c, of a precision alone. */
function assigned(value: Interval, { type, purpose }: ValueContext): Interval {
  const precision = purpose === 'store' ? intervalPrecision(type) : undefined;
  if (precision === undefined || isInfinite(value)) return value;
  const microseconds = roundMicroseconds(value.microseconds, precision);
  if (BigInt.asIntN(64, microseconds) !== microseconds)
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.datetimeRange, 'interval out of range');
  return { ...value, microseconds };
}

function isInfinite({ microseconds, days, months }: Interval): boolean {
  return [INFINITE, MINUS_INFINITE].some(
    (bound) => bound.microseconds === microseconds && bound.days === days && bound.months === months,
  );
}
