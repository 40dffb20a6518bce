/**
 * The dates and times we read: an enumerated grammar, each form meaning the same under every DateStyle and clock.
 *
 *   date      = year "-" month "-" day | YYYYMMDD          (a year of three digits or more)
 *   time      = hour ":" minute [":" second ["." fraction]]
 *   zone      = "Z" | "UTC" | ("+" | "-") hour [":" minute [":" second]] | ("+" | "-") hhmm
 *   timestamp = date [("T" | space) time [zone] | space ("+" | "-") ...] [" AD" | " BC"]   (JDBC's dates have a zone and no time)
 *   special   = "infinity" | "+infinity" | "-infinity" | "epoch"
 *
 * Whatever else PostgreSQL takes (now, month names, abbreviations, zone names, 1/2/2024) depends on the server and is refused.
 * Source: DecodeDateTime in src/backend/utils/adt/datetime.c.
 */
import { trimSpace } from './bytes.ts';
import { type CalendarDate, daysInMonth } from './calendar.ts';
import { SQLSTATE, unsupported, ValueError } from './errors.ts';

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
const ZONE = '(?:(z|utc)|([+-])(\\d{1,2})(?::(\\d\\d)(?::(\\d\\d))?)?|([+-])(\\d\\d)(\\d\\d))';
const TIMESTAMP = new RegExp(`^${DATE}(?:(?:(?:\\s*t|\\s+)${TIME}\\s*|\\s+(?=[+-]))${ZONE}?)?(?:\\s*(ad|bc))?$`, 'i');
const SPECIAL = /^(?:(\+?infinity)|(-infinity)|(epoch))$/i;
/** What only the server can tell, as opposed to what is no date at all. */
const SERVER_FORMS = new RegExp(
  [
    '^(?:now|today|tomorrow|yesterday|allballs)\\b',
    '\\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\b',
    '^\\d{1,4}[/.]\\d{1,2}[/.]\\d{1,4}',
    '^\\d{1,2}-\\d{1,2}-\\d{1,4}',
    '^j\\d+',
    '^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\\b',
    '^\\d{3,}-\\d{1,2}-\\d{1,2}[t\\s]+\\d.*[a-z]',
  ].join('|'),
  'i',
);

/** MAX_TZDISP_HOUR in src/include/datatype/timestamp.h. */
const MAX_ZONE_HOUR = 15;

export function parseDatetime(text: string, typeName: string): ParsedDatetime {
  const trimmed = trimSpace(text);
  const special = SPECIAL.exec(trimmed);
  if (special !== null) return { type: 'special', value: special[1] ? 'infinity' : special[2] ? '-infinity' : 'epoch' };
  const match = TIMESTAMP.exec(trimmed);
  if (match === null) throw notRead(trimmed, typeName);
  return {
    type: 'calendar',
    date: dateOf([match[1] ?? match[4], match[2] ?? match[5], match[3] ?? match[6]], match[19], typeName),
    time: timeOf(match.slice(7, 11), typeName),
    zone: zoneOf(match, typeName),
  };
}

function notRead(text: string, typeName: string): ValueError {
  if (SERVER_FORMS.test(text)) {
    return unsupported(
      `this way of writing a ${typeName} is not supported for a sealed column`,
      'Write dates as 2024-02-29, timestamps as 2024-02-29 12:00:00+00.',
    );
  }
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
  const [hour = 0, minute = 0, second = 0] = parts.slice(0, 3).map((part) => Number(part ?? 0));
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

function zoneOf(match: RegExpExecArray, typeName: string): number | undefined {
  if (match[11] !== undefined) return 0;
  const sign = match[12] ?? match[16];
  if (sign === undefined) return undefined;
  const hour = Number(match[13] ?? match[17]);
  const minute = Number(match[14] ?? match[18] ?? 0);
  const second = Number(match[15] ?? 0);
  if (hour > MAX_ZONE_HOUR || minute > 59 || second > 59) {
    const message = `time zone displacement out of range for type ${typeName}`;
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.zoneRange, message);
  }
  const seconds = hour * 3600 + minute * 60 + second;
  return sign === '-' ? -seconds : seconds;
}
