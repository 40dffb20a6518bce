/**
 * time: int8, microseconds since midnight; timetz: the same and int4, seconds west of UTC. As on the binary wire. 24:00:00 is a value of its own.
 *
 * timetz is deterministic as it is: its `=` holds only where both time and zone are equal (timetz_cmp_internal in date.c).
 */
import { decodeText, encodeText, viewOf } from '../bytes.ts';
import type { TypeCodec, ValueContext } from '../codec.ts';
import { parseClock } from './datetime-text.ts';
import { checkBinaryLength, damaged, SQLSTATE, unsupported, ValueError } from '../errors.ts';
import { timePrecision } from '../modifiers.ts';
import { formatLogicalType } from '../type-text.ts';
import {
  DAY_MICROSECONDS,
  formatClock,
  formatFraction,
  formatOffset,
  MICROSECONDS,
  roundMicroseconds,
} from './time-parts.ts';

const TIME_BYTES = 8;
const ZONED_BYTES = 12;
/** TZDISP_LIMIT in src/include/datatype/timestamp.h: 15:59:59 at most. */
const ZONE_LIMIT = 16 * 3600;

type TimeOfDay = { readonly microseconds: bigint; /** Seconds west of UTC. */ readonly zone: number | undefined };

export const timeCodec: TypeCodec = {
  fromText: (text, context) => encode(assigned(read(decodeText(text), context), context)),
  fromBinary: (bytes, context) => encode(assigned(receive(bytes, context), context)),
  toText: (canonical, { type }) => encodeText(print(valueOf(canonical, type.name === 'timetz'))),
  toBinary: (canonical, { type }) => encode(valueOf(canonical, type.name === 'timetz')),
};

function read(text: string, { type, settings }: ValueContext): TimeOfDay {
  const { time, zone } = parseClock(text, formatLogicalType({ ...type, typmod: -1 }), settings.serverVersion);
  const microseconds = BigInt(time.seconds) * MICROSECONDS + BigInt(time.microseconds);
  if (type.name === 'time') return { microseconds, zone: undefined };
  const offset = zone ?? (/^(?:UTC|GMT)$/.test(settings.timeZone) ? 0 : undefined);
  if (offset === undefined) {
    throw unsupported(
      'a time with time zone needs its zone in a sealed column: the session’s depends on the day',
      'Write the offset: 12:00:00+00.',
    );
  }
  return { microseconds, zone: -offset };
}

function receive(bytes: Uint8Array, { type }: ValueContext): TimeOfDay {
  const withZone = type.name === 'timetz';
  checkBinaryLength(bytes, withZone ? ZONED_BYTES : TIME_BYTES, formatLogicalType(type));
  const view = viewOf(bytes);
  const microseconds = view.getBigInt64(0);
  if (microseconds < 0n || microseconds > DAY_MICROSECONDS)
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.datetimeRange, 'time out of range');
  const zone = withZone ? view.getInt32(TIME_BYTES) : undefined;
  if (zone !== undefined && (zone <= -ZONE_LIMIT || zone >= ZONE_LIMIT))
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.zoneRange, 'time zone displacement out of range');
  return { microseconds, zone };
}

function assigned(time: TimeOfDay, { type, purpose }: ValueContext): TimeOfDay {
  const precision = purpose === 'store' ? timePrecision(type) : undefined;
  return precision === undefined ? time : { ...time, microseconds: roundMicroseconds(time.microseconds, precision) };
}

function encode({ microseconds, zone }: TimeOfDay): Uint8Array {
  const bytes = new Uint8Array(zone === undefined ? TIME_BYTES : ZONED_BYTES);
  const view = viewOf(bytes);
  view.setBigInt64(0, microseconds);
  if (zone !== undefined) view.setInt32(TIME_BYTES, zone);
  return bytes;
}

function valueOf(canonical: Uint8Array, withZone: boolean): TimeOfDay {
  if (canonical.length !== (withZone ? ZONED_BYTES : TIME_BYTES)) throw damaged(withZone ? 'timetz' : 'time');
  const view = viewOf(canonical);
  return { microseconds: view.getBigInt64(0), zone: withZone ? view.getInt32(TIME_BYTES) : undefined };
}

function print({ microseconds, zone }: TimeOfDay): string {
  const time = formatClock(Number(microseconds / MICROSECONDS)) + formatFraction(Number(microseconds % MICROSECONDS));
  return zone === undefined ? time : time + formatOffset(-zone);
}
