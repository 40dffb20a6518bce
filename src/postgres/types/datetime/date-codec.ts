/** date: int4, days since 2000-01-01, as on the binary wire. */
import { decodeText, encodeText, viewOf } from '../bytes.ts';
import { daysInMonth, fromDays, toDays } from './calendar.ts';
import type { TypeCodec, ValueSettings } from '../codec.ts';
import { dateStyleOf, printDate } from './date-style.ts';
import { parseDatetime } from './datetime-text.ts';
import { checkBinaryLength, damaged, SQLSTATE, ValueError } from '../errors.ts';

const DATE_BYTES = 4;
const INFINITY = 0x7fffffff;
const NEGATIVE_INFINITY = -0x80000000;
/** 4714-11-24 BC and 5874897-12-31: DATETIME_MIN_JULIAN and DATE_END_JULIAN in src/include/datatype/timestamp.h. */
const MIN_DAYS = -2_451_545;
const END_DAYS = 2_145_031_949;

export const dateCodec: TypeCodec = {
  fromText: (text, { settings }) => encodeDays(plainDays(text) ?? readDays(decodeText(text), settings)),
  fromBinary: (bytes) => {
    checkBinaryLength(bytes, DATE_BYTES, 'date');
    return encodeDays(checkRange(viewOf(bytes).getInt32(0)));
  },
  toText: (canonical, { settings }) => encodeText(printDays(daysOf(canonical), settings)),
  toBinary: (canonical) => encodeDays(daysOf(canonical)),
};

const ZERO = 0x30;
const HYPHEN = 0x2d;

/** What nearly every client writes, `2024-02-29`, which is read alike in every DateStyle; undefined for any other form, and for no date. */
function plainDays(text: Uint8Array): number | undefined {
  if (text.length !== '2024-02-29'.length || text[4] !== HYPHEN || text[7] !== HYPHEN) return undefined;
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  return toDays({ year, month, day });
}

function digits(text: Uint8Array, start: number, end: number): number | undefined {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (text[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = 10 * value + digit;
  }
  return value;
}

function readDays(text: string, settings: ValueSettings): number {
  const parsed = parseDatetime(text, 'date', dateStyleOf(settings).order, settings.serverVersion);
  if (parsed.type === 'special') {
    if (parsed.value === 'epoch') return toDays({ year: 1970, month: 1, day: 1 });
    return parsed.value === 'infinity' ? INFINITY : NEGATIVE_INFINITY;
  }
  return checkRange(toDays(parsed.date));
}

function checkRange(days: number): number {
  if (days === INFINITY || days === NEGATIVE_INFINITY) return days;
  if (days >= MIN_DAYS && days < END_DAYS) return days;
  throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.datetimeRange, 'date out of range');
}

function encodeDays(days: number): Uint8Array {
  const bytes = new Uint8Array(DATE_BYTES);
  viewOf(bytes).setInt32(0, days);
  return bytes;
}

function daysOf(canonical: Uint8Array): number {
  if (canonical.length !== DATE_BYTES) throw damaged('date');
  return viewOf(canonical).getInt32(0);
}

function printDays(days: number, settings: ValueSettings): string {
  if (days === INFINITY) return 'infinity';
  if (days === NEGATIVE_INFINITY) return '-infinity';
  return printDate(fromDays(days), settings);
}
