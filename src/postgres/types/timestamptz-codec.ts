/** timestamptz: int8, microseconds since 2000-01-01 00:00 UTC, as on the binary wire; text in the session's TimeZone. */
import { decodeText, encodeText, viewOf } from './bytes.ts';
import { formatDate, fromDays, toDays, UNIX_EPOCH_DAYS } from './calendar.ts';
import type { TimeZone, TypeCodec, ValueContext } from './codec.ts';
import { requireIsoDates } from './date-codec.ts';
import { parseDatetime } from './datetime-text.ts';
import { checkBinaryLength, damaged, SQLSTATE, unsupported, ValueError } from './errors.ts';

const TIMESTAMP_BYTES = 8;
const INFINITY = 2n ** 63n - 1n;
const NEGATIVE_INFINITY = -(2n ** 63n);
const MICROSECONDS = 1_000_000n;
const DAY_SECONDS = 86_400;
const UNIX_EPOCH_SECONDS = UNIX_EPOCH_DAYS * DAY_SECONDS;
/** 4714-11-24 BC and 294277-01-01: MIN_TIMESTAMP and END_TIMESTAMP in src/include/datatype/timestamp.h. */
const MIN_TIMESTAMP = -211_813_488_000_000_000n;
const END_TIMESTAMP = 9_223_371_331_200_000_000n;
const TYPE_NAME = 'timestamp with time zone';

export const timestamptzCodec: TypeCodec = {
  fromText: (text, context) => encode(read(decodeText(text), context)),
  fromBinary: (bytes) => {
    checkBinaryLength(bytes, TIMESTAMP_BYTES, TYPE_NAME);
    return encode(checkRange(viewOf(bytes).getBigInt64(0)));
  },
  toText: (canonical, context) => encodeText(print(valueOf(canonical), context)),
  toBinary: (canonical) => encode(valueOf(canonical)),
};

function read(text: string, context: ValueContext): bigint {
  const parsed = parseDatetime(text, TYPE_NAME);
  if (parsed.type === 'special') {
    if (parsed.value === 'epoch') return BigInt(-UNIX_EPOCH_SECONDS) * MICROSECONDS;
    return parsed.value === 'infinity' ? INFINITY : NEGATIVE_INFINITY;
  }
  const local = toDays(parsed.date) * DAY_SECONDS + parsed.time.seconds;
  const offset = parsed.zone ?? sessionZone(context).offsetForLocal(local + UNIX_EPOCH_SECONDS);
  return checkRange(BigInt(local - offset) * MICROSECONDS + BigInt(parsed.time.microseconds));
}

function sessionZone({ settings, zones }: ValueContext): TimeZone {
  const zone = zones.zone(settings.timeZone);
  if (zone !== undefined) return zone;
  throw unsupported(
    `the session's TimeZone is not known to Sealgate yet`,
    "SET TimeZone = 'UTC', write the offset (2024-02-29 12:00:00+00), or use the binary format.",
  );
}

function checkRange(value: bigint): bigint {
  if (value === INFINITY || value === NEGATIVE_INFINITY) return value;
  if (value >= MIN_TIMESTAMP && value < END_TIMESTAMP) return value;
  throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.datetimeRange, 'timestamp out of range');
}

function encode(value: bigint): Uint8Array {
  const bytes = new Uint8Array(TIMESTAMP_BYTES);
  viewOf(bytes).setBigInt64(0, value);
  return bytes;
}

function valueOf(canonical: Uint8Array): bigint {
  if (canonical.length !== TIMESTAMP_BYTES) throw damaged(TYPE_NAME);
  return viewOf(canonical).getBigInt64(0);
}

/** `2024-02-29 12:00:00.5+01`, as EncodeDateTime prints it in ISO style. */
function print(value: bigint, context: ValueContext): string {
  requireIsoDates(context.settings);
  if (value === INFINITY) return 'infinity';
  if (value === NEGATIVE_INFINITY) return '-infinity';
  const microseconds = Number(((value % MICROSECONDS) + MICROSECONDS) % MICROSECONDS);
  const utc = Number((value - BigInt(microseconds)) / MICROSECONDS);
  const offset = sessionZone(context).offsetAt(utc + UNIX_EPOCH_SECONDS);
  const local = utc + offset;
  const day = Math.floor(local / DAY_SECONDS);
  const { date, suffix } = formatDate(fromDays(day));
  return `${date} ${formatClock(local - day * DAY_SECONDS)}${formatFraction(microseconds)}${formatOffset(offset)}${suffix}`;
}

function two(part: number): string {
  return part.toString().padStart(2, '0');
}

function formatClock(seconds: number): string {
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function formatFraction(microseconds: number): string {
  return microseconds === 0 ? '' : `.${microseconds.toString().padStart(6, '0').replace(/0+$/, '')}`;
}

function formatOffset(offset: number): string {
  const size = Math.abs(offset);
  const [hours, minutes, seconds] = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60];
  const rest = seconds !== 0 ? `:${two(minutes)}:${two(seconds)}` : minutes !== 0 ? `:${two(minutes)}` : '';
  return `${offset < 0 ? '-' : '+'}${two(hours)}${rest}`;
}
