/**
 * The dates and times we read: an enumerated grammar, whose forms mean the same under every clock. The order of a date's numbers is the
 * session's DateStyle, as the server has it.
 *
 *   date      = year "-" month "-" day | YYYYMMDD | numbers in the order of DateStyle with "/", "-" or "." | with the month's name
 *   time      = hour ":" minute [":" second ["." fraction]] ["AM" | "PM"]
 *   zone      = "Z" | "UTC" | ("+" | "-") hour [":" minute [":" second]] | ("+" | "-") hhmm
 *   timestamp = date [("T" | space) time [zone] | space ("+" | "-") ...] [" AD" | " BC"]   (JDBC's dates have a zone and no time)
 *             | [weekday] month day time year [zone]              (what the style Postgres prints)
 *   special   = "infinity" | "+infinity" | "-infinity" | "epoch"
 *
 * Whatever else PostgreSQL takes (now, abbreviations and names of zones, Julian days) depends on the server and is refused.
 * Source: DecodeDateTime in src/backend/utils/adt/datetime.c.
 */
import { trimSpace } from '../bytes.ts';
import { type CalendarDate, daysInMonth } from './calendar.ts';
import { type DateOrder, MONTHS } from './date-style.ts';
import { SQLSTATE, unsupported, ValueError } from '../errors.ts';

export type ParsedTime = {
  /** Seconds since midnight; 86400 for 24:00:00. */
  readonly seconds: number;
  /** 0 to 1000000 (rounded up from a long fraction). */
  readonly microseconds: number;
};

export type ParsedDatetime =
  | { readonly type: 'special'; readonly value: 'infinity' | '-infinity' | 'epoch' }
  | {
      readonly type: 'calendar';
      readonly date: CalendarDate;
      readonly time: ParsedTime;
      /** Seconds east of UTC, if the text says. */
      readonly zone: number | undefined;
    };

const DATE = '(?:(\\d{3,7})-(\\d{1,2})-(\\d{1,2})|(\\d{4})(\\d\\d)(\\d\\d))';
const TIME = '(\\d{1,2}):(\\d{1,2})(?::(\\d{1,2})(?:\\.(\\d*))?)?';
const HALF = '(?:\\s*([ap]m))?';
const ZONE = '(?:(z|utc)|([+-])(\\d{1,2})(?::(\\d\\d)(?::(\\d\\d))?)?|([+-])(\\d\\d)(\\d\\d))';
const TIMESTAMP = new RegExp(
  `^${DATE}(?:(?:(?:\\s*t|\\s+)${TIME}${HALF}\\s*|\\s+(?=[+-]))${ZONE}?)?(?:\\s*(ad|bc))?$`,
  'i',
);
const CLOCK = new RegExp(`^t?${TIME}${HALF}\\s*${ZONE}?$`, 'i');
const SPECIAL = /^(?:(\+?infinity)|(-infinity)|(epoch))$/i;
/** What is certainly no date: without a digit or a word that means one, or a number alone. */
const NOTHING = /^(?:(?!.*(?:now|today|tomorrow|yesterday|allballs|epoch|infinity))\D*|\d{1,3})$/i;
/** A year, with a month or without. */
const INCOMPLETE = /^\d{4}(?:-\d{1,2})?$/;

/** More than any date has: expressions with several runs of blanks are not let loose on long ones. MAXDATELEN in miscadmin.h. */
const MAX_LENGTH = 128;

/** What is a blank to an expression beyond it is none to the server, which takes nothing of it. */
const ASCII = /^[\t-~]*$/;

/** MAX_TZDISP_HOUR in src/include/datatype/timestamp.h. */
const MAX_ZONE_HOUR = 15;

/** The first major version that reads `+infinity`; and the first that reads seconds that end in a point. */
const PLUS_SINCE = 16;
const POINT_SINCE = 15;

/** @param serverVersion the server's major version: older ones read less. */
export function parseDatetime(
  text: string,
  typeName: string,
  order: DateOrder,
  serverVersion: number = PLUS_SINCE,
): ParsedDatetime {
  const trimmed = trimSpace(text);
  if (trimmed.length > MAX_LENGTH || !ASCII.test(trimmed)) throw notRead('', typeName);
  const special = SPECIAL.exec(trimmed);
  if (special?.[1]?.startsWith('+') && serverVersion < PLUS_SINCE) throw invalidSyntax(typeName);
  if (special !== null) return { type: 'special', value: special[1] ? 'infinity' : special[2] ? '-infinity' : 'epoch' };
  const match = TIMESTAMP.exec(trimmed) ?? TIMESTAMP.exec(inIsoOrder(trimmed, order) ?? '');
  if (match === null) throw INCOMPLETE.test(trimmed) ? invalidSyntax(typeName) : notRead(trimmed, typeName);
  if (match[10] === '' && serverVersion < POINT_SINCE) throw invalidSyntax(typeName);
  return {
    type: 'calendar',
    date: dateOf([match[1] ?? match[4], match[2] ?? match[5], match[3] ?? match[6]], match[20], typeName),
    time: timeOf(match.slice(7, 12), typeName),
    zone: zoneOf(match.slice(12, 20), typeName),
  };
}

/** A time of day by itself. */
export function parseClock(
  text: string,
  typeName: string,
  serverVersion: number = POINT_SINCE,
): { readonly time: ParsedTime; readonly zone: number | undefined } {
  const trimmed = trimSpace(text);
  if (trimmed.length > MAX_LENGTH || !ASCII.test(trimmed)) throw notRead('', typeName);
  const match = CLOCK.exec(trimmed) ?? dated(trimmed);
  if (match === null) throw notRead(trimmed, typeName);
  if (match[4] === '' && serverVersion < POINT_SINCE) throw invalidSyntax(typeName);
  return { time: timeOf(match.slice(1, 6), typeName), zone: zoneOf(match.slice(6, 14), typeName) };
}

/** A date before a time is the server's to read: of timetz it decides the zone. */
function dated(text: string): null {
  if (!/^\d{3,}-\d/.test(text)) return null;
  throw unsupported('a date before a time is not supported for a sealed column', 'Write the time alone: 12:00:00.');
}

const MONTH =
  '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|january|february|march|april|june|july|august|sept|september|october|november|december)';
const NUMBERS = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{1,7})(?=$|[\s t])(.*)$/i;
const YEAR_FIRST = /^(\d{3,7})([/.])(\d{1,2})\2(\d{1,2})(?=$|[\s t])(.*)$/i;
const DAY_MONTH = new RegExp(
  `^(?=\\d+(?:-[a-z]+-|\\s[a-z]+\\s))(\\d{1,2})[-\\s]${MONTH}[-\\s](\\d{3,7})(?=$|\\s)(.*)$`,
  'i',
);
const MONTH_DAY = new RegExp(`^${MONTH}\\s+(\\d{1,2}),?\\s+(\\d{3,7})(?=$|\\s)(.*)$`, 'i');
const YEAR_MONTH = new RegExp(`^(\\d{3,7})-${MONTH}-(\\d{1,2})(?=$|\\s)(.*)$`, 'i');
const WEEKDAY = '(?:(?:sun|mon|tue|wed|thu|fri|sat)\\s+)?';
const PRINTED = new RegExp(
  `^${WEEKDAY}(?:${MONTH}\\s+(\\d{1,2})|(\\d{1,2})\\s+${MONTH})\\s+([\\d:.]+)\\s+(\\d{4,7})(?=$|\\s)(.*)$`,
  'i',
);
/** Years of two digits: ValidateDate in datetime.c. */
const FIRST_YEAR_OF_1900 = 70;

/** `29/02/2024 12:00` as `2024-02-29 12:00`. Undefined: none of these forms. */
function inIsoOrder(text: string, order: DateOrder): string | undefined {
  const [, first = '', , second = '', third = '', after = ''] = NUMBERS.exec(text) ?? [];
  if (first !== '') {
    // A day of more than two digits is none.
    if (order === 'ymd') return iso(fullYear(first, after), second, third.length > 2 ? '99' : third, after);
    const [month, day] = order === 'dmy' ? [second, first] : [first, second];
    return iso(fullYear(third, after), month, day, after);
  }
  const yearFirst = YEAR_FIRST.exec(text);
  if (yearFirst !== null) return iso(yearFirst[1], yearFirst[3], yearFirst[4], yearFirst[5]);
  return withMonthName(text);
}

function withMonthName(text: string): string | undefined {
  const dayMonth = DAY_MONTH.exec(text);
  if (dayMonth !== null) return iso(dayMonth[3], monthNumber(dayMonth[2]), dayMonth[1], dayMonth[4]);
  const monthDay = MONTH_DAY.exec(text);
  if (monthDay !== null) return iso(monthDay[3], monthNumber(monthDay[1]), monthDay[2], monthDay[4]);
  const yearMonth = YEAR_MONTH.exec(text);
  if (yearMonth !== null) return iso(yearMonth[1], monthNumber(yearMonth[2]), yearMonth[3], yearMonth[4]);
  const printed = PRINTED.exec(text);
  if (printed === null) return undefined;
  const [, month, day, dayBefore, monthAfter, time = '', year, after = ''] = printed;
  return iso(year, monthNumber(month ?? monthAfter), day ?? dayBefore, ` ${time}${after}`);
}

function monthNumber(name = ''): string {
  return String(MONTHS.findIndex((month) => month.toLowerCase() === name.slice(0, 3).toLowerCase()) + 1);
}

function fullYear(year: string, after: string): string {
  if (year.length > 2 || /bc$/i.test(after)) return year.padStart(3, '0');
  return String(Number(year) + (Number(year) < FIRST_YEAR_OF_1900 ? 2000 : 1900));
}

function iso(year = '', month = '', day = '', after = ''): string {
  return `${year.padStart(3, '0')}-${month}-${day}${after}`;
}

/** The server reads past most punctuation, and much else that nobody writes: only what is certainly no date is called so. */
function notRead(text: string, typeName: string): ValueError {
  if (NOTHING.test(text)) return invalidSyntax(typeName);
  return unsupported(
    `this way of writing a ${typeName} is not supported for a sealed column`,
    'Write dates as 2024-02-29, timestamps as 2024-02-29 12:00:00+00.',
  );
}

function invalidSyntax(typeName: string): ValueError {
  return new ValueError(
    'ERR_POSTGRES_VALUE_INVALID',
    SQLSTATE.datetimeSyntax,
    `invalid input syntax for type ${typeName}`,
  );
}

function fieldRange(typeName: string): ValueError {
  const message = `date/time field value out of range for type ${typeName}`;
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.datetimeRange, message);
}

function dateOf(parts: readonly (string | undefined)[], era: string | undefined, typeName: string): CalendarDate {
  const [written = 0, month = 0, day = 0] = parts.map(Number);
  // There is no year 0; 1 BC is astronomical year 0.
  if (written === 0 || month < 1 || month > 12) throw fieldRange(typeName);
  const year = era?.toLowerCase() === 'bc' ? 1 - written : written;
  if (day < 1 || day > daysInMonth(year, month)) throw fieldRange(typeName);
  return { year, month, day };
}

function timeOf(parts: readonly (string | undefined)[], typeName: string): ParsedTime {
  const [written = 0, minute = 0, second = 0] = parts.slice(0, 3).map((part) => Number(part ?? 0));
  const half = parts[4]?.toLowerCase();
  if (half !== undefined && written > 12) throw fieldRange(typeName);
  const hour = half === undefined ? written : (written % 12) + (half === 'pm' ? 12 : 0);
  const microseconds = roundHalfEven(Number(`0.${parts[3] ?? ''}0`) * 1e6);
  const valid = hour <= 24 && minute <= 59 && second <= 60;
  const pastMidnight = hour === 24 && (minute > 0 || second > 0 || microseconds > 0);
  if (!valid || pastMidnight) throw fieldRange(typeName);
  return { seconds: hour * 3600 + minute * 60 + second, microseconds };
}

/** C's rint, which the server rounds fractions of a second with. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function zoneOf(match: readonly (string | undefined)[], typeName: string): number | undefined {
  if (match[0] !== undefined) return 0;
  const sign = match[1] ?? match[5];
  if (sign === undefined) return undefined;
  const hour = Number(match[2] ?? match[6]);
  const minute = Number(match[3] ?? match[7] ?? 0);
  const second = Number(match[4] ?? 0);
  if (hour > MAX_ZONE_HOUR || minute > 59 || second > 59) {
    const message = `time zone displacement out of range for type ${typeName}`;
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.zoneRange, message);
  }
  const seconds = hour * 3600 + minute * 60 + second;
  return sign === '-' ? -seconds : seconds;
}
