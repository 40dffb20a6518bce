/**
 * timestamp and timestamptz: int8, microseconds since 2000-01-01 00:00 (timestamptz: UTC), as on the binary wire. Text of timestamptz is in
 * the session's TimeZone.
 */
import { decodeText, encodeText, viewOf } from '../bytes.ts';
import { fromDays, toDays, UNIX_EPOCH_DAYS } from './calendar.ts';
import type { TimeZone, TypeCodec, ValueContext } from '../codec.ts';
import { dateStyleOf, type PrintedZone, printTimestamp } from './date-style.ts';
import { parseDatetime } from './datetime-text.ts';
import { checkBinaryLength, damaged, SQLSTATE, unsupported, ValueError } from '../errors.ts';
import { timePrecision } from '../modifiers.ts';
import { formatLogicalType } from '../type-text.ts';
import {
  DAY_SECONDS,
  formatClock,
  formatFraction,
  formatOffset,
  MICROSECONDS,
  roundMicroseconds,
} from './time-parts.ts';

const TIMESTAMP_BYTES = 8;
export const TIMESTAMP_INFINITY = 2n ** 63n - 1n;
export const TIMESTAMP_NEGATIVE_INFINITY = -(2n ** 63n);
const UNIX_EPOCH_SECONDS = UNIX_EPOCH_DAYS * DAY_SECONDS;
/** 4714-11-24 BC and 294277-01-01: MIN_TIMESTAMP and END_TIMESTAMP in src/include/datatype/timestamp.h. */
const MIN_TIMESTAMP = -211_813_488_000_000_000n;
const END_TIMESTAMP = 9_223_371_331_200_000_000n;

export const timestampCodec: TypeCodec = {
  fromText: (text, context) => encodeTimestamp(read(decodeText(text), context)),
  fromBinary: (bytes, context) => {
    checkBinaryLength(bytes, TIMESTAMP_BYTES, formatLogicalType(context.type));
    return encodeTimestamp(assigned(checkTimestamp(viewOf(bytes).getBigInt64(0)), context));
  },
  toText: (canonical, context) => encodeText(print(timestampOf(canonical), context)),
  toBinary: (canonical) => encodeTimestamp(timestampOf(canonical)),
};

function read(text: string, context: ValueContext): bigint {
  const { type, settings } = context;
  const withZone = type.name === 'timestamptz';
  const typeName = formatLogicalType({ ...type, typmod: -1 });
  const parsed = parseDatetime(text, typeName, dateStyleOf(settings).order, settings.serverVersion);
  if (parsed.type === 'special') {
    if (parsed.value === 'epoch') return BigInt(-UNIX_EPOCH_SECONDS) * MICROSECONDS;
    return parsed.value === 'infinity' ? TIMESTAMP_INFINITY : TIMESTAMP_NEGATIVE_INFINITY;
  }
  const local = toDays(parsed.date) * DAY_SECONDS + parsed.time.seconds;
  const offset = withZone ? (parsed.zone ?? zoneOf(context).offsetForLocal(local + UNIX_EPOCH_SECONDS)) : 0;
  const value = BigInt(local - offset) * MICROSECONDS + BigInt(parsed.time.microseconds);
  return assigned(checkTimestamp(value), context);
}

/** timestamp(p), where the value is stored. */
function assigned(value: bigint, { type, purpose }: ValueContext): bigint {
  if (purpose !== 'store' || value === TIMESTAMP_INFINITY || value === TIMESTAMP_NEGATIVE_INFINITY) return value;
  const precision = timePrecision(type);
  return precision === undefined ? value : checkTimestamp(roundMicroseconds(value, precision));
}

function zoneOf({ settings, zones }: ValueContext): TimeZone {
  const zone = zones.zone(settings.timeZone);
  if (zone !== undefined) return zone;
  throw unsupported(
    `the session's TimeZone is not known to Sealgate yet`,
    "SET TimeZone = 'UTC', write the offset (2024-02-29 12:00:00+00), or use the binary format.",
  );
}

export function checkTimestamp(value: bigint): bigint {
  if (value === TIMESTAMP_INFINITY || value === TIMESTAMP_NEGATIVE_INFINITY) return value;
  if (value >= MIN_TIMESTAMP && value < END_TIMESTAMP) return value;
  throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.datetimeRange, 'timestamp out of range');
}

export function encodeTimestamp(value: bigint): Uint8Array {
  const bytes = new Uint8Array(TIMESTAMP_BYTES);
  viewOf(bytes).setBigInt64(0, value);
  return bytes;
}

export function timestampOf(canonical: Uint8Array): bigint {
  if (canonical.length !== TIMESTAMP_BYTES) throw damaged('timestamp');
  return viewOf(canonical).getBigInt64(0);
}

/** Microseconds as the clock on a wall shows them, and back: what a cast between the two types does. */
export function toLocal(value: bigint, context: ValueContext): bigint {
  if (value === TIMESTAMP_INFINITY || value === TIMESTAMP_NEGATIVE_INFINITY) return value;
  return value + BigInt(zoneOf(context).offsetAt(unixSeconds(value))) * MICROSECONDS;
}

export function fromLocal(value: bigint, context: ValueContext): bigint {
  if (value === TIMESTAMP_INFINITY || value === TIMESTAMP_NEGATIVE_INFINITY) return value;
  return checkTimestamp(value - BigInt(zoneOf(context).offsetForLocal(unixSeconds(value))) * MICROSECONDS);
}

function unixSeconds(value: bigint): number {
  return Number((value - microsecondsOf(value)) / MICROSECONDS) + UNIX_EPOCH_SECONDS;
}

function microsecondsOf(value: bigint): bigint {
  return ((value % MICROSECONDS) + MICROSECONDS) % MICROSECONDS;
}

function print(value: bigint, context: ValueContext): string {
  if (value === TIMESTAMP_INFINITY) return 'infinity';
  if (value === TIMESTAMP_NEGATIVE_INFINITY) return '-infinity';
  const zone = context.type.name === 'timestamptz' ? zoneOf(context) : undefined;
  const unix = unixSeconds(value);
  const offset = zone?.offsetAt(unix) ?? 0;
  const local = unix - UNIX_EPOCH_SECONDS + offset;
  const day = Math.floor(local / DAY_SECONDS);
  const time = formatClock(local - day * DAY_SECONDS) + formatFraction(Number(microsecondsOf(value)));
  return printTimestamp(fromDays(day), time, zone && printedZone(zone, unix, offset, context), context.settings);
}

function printedZone(zone: TimeZone, unix: number, offset: number, { settings }: ValueContext): PrintedZone {
  if (dateStyleOf(settings).style === 'iso') return { offset: formatOffset(offset), abbreviation: '' };
  const abbreviation = zone.abbreviationAt?.(unix);
  if (abbreviation === undefined) {
    throw unsupported(
      'what the session’s time zone is called in this DateStyle is not known to Sealgate yet',
      "SET DateStyle = 'ISO', or ask for the column in binary format.",
    );
  }
  return { offset: '', abbreviation };
}
