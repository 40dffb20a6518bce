/**
 * Reads intervals as interval_in does: units (`1 year -2 days 03:04:05 ago`), the SQL standard's (`1-2 3 4:05:06`), and ISO 8601 with
 * designators. A transcription of ParseDateTime and DecodeInterval in src/backend/utils/adt/datetime.c, so fields are read from the end.
 */
import { trimSpace } from '../bytes.ts';
import { SQLSTATE, ValueError } from '../errors.ts';
import { INFINITE, type Interval, MINUS_INFINITE } from './interval.ts';
import type { IntervalReading } from './releases.ts';
import { NarrowSum } from './narrow-sum.ts';
import { IntervalSum } from './sum.ts';
import { intervalTokens, type IntervalToken, numberToken } from './tokens.ts';
import { parseIsoInterval } from './iso.ts';

export function badInterval(): ValueError {
  return new ValueError(
    'ERR_POSTGRES_VALUE_INVALID',
    SQLSTATE.datetimeSyntax,
    'invalid input syntax for type interval',
  );
}

/** `deltatktbl` in datetime.c; compared by their first ten characters. */
const UNITS: Readonly<Record<string, string>> = {
  c: 'century',
  cent: 'century',
  centuries: 'century',
  century: 'century',
  d: 'day',
  day: 'day',
  days: 'day',
  dec: 'decade',
  decade: 'decade',
  decades: 'decade',
  decs: 'decade',
  h: 'hour',
  hour: 'hour',
  hours: 'hour',
  hr: 'hour',
  hrs: 'hour',
  m: 'minute',
  min: 'minute',
  mins: 'minute',
  minute: 'minute',
  minutes: 'minute',
  microsecon: 'microsecond',
  us: 'microsecond',
  usec: 'microsecond',
  usecond: 'microsecond',
  useconds: 'microsecond',
  usecs: 'microsecond',
  mil: 'millennium',
  millennia: 'millennium',
  millennium: 'millennium',
  mils: 'millennium',
  millisecon: 'millisecond',
  ms: 'millisecond',
  msec: 'millisecond',
  msecond: 'millisecond',
  mseconds: 'millisecond',
  msecs: 'millisecond',
  mon: 'month',
  mons: 'month',
  month: 'month',
  months: 'month',
  s: 'second',
  sec: 'second',
  second: 'second',
  seconds: 'second',
  secs: 'second',
  w: 'week',
  week: 'week',
  weeks: 'week',
  y: 'year',
  year: 'year',
  years: 'year',
  yr: 'year',
  yrs: 'year',
};
const UNIT_LENGTH = 10;
/** Of a number with `ago` behind it. */
const NO_UNIT = '';

export function parseInterval(text: string, style: string | undefined, reading: IntervalReading): Interval {
  const trimmed = trimSpace(text);
  if (/^\+?infinity$/i.test(trimmed)) return INFINITE;
  if (/^-infinity$/i.test(trimmed)) return MINUS_INFINITE;
  // What is a blank to an expression beyond ASCII is none to the server.
  if (!/^[\t-~]*$/.test(trimmed)) throw badInterval();
  const tokens = intervalTokens(trimmed);
  const reader = tokens && new IntervalReader(tokens, style, reading);
  const sum = reader?.read() ?? parseIsoInterval(trimmed, reading);
  if (sum === undefined) throw badInterval();
  return sum.interval();
}

class IntervalReader {
  readonly #tokens: readonly IntervalToken[];
  readonly #allNegative: boolean;
  readonly #reading: IntervalReading;
  readonly #sum: IntervalSum | NarrowSum;
  readonly #seen = new Set<string>();
  /** Of the number to come; undefined: none was named. */
  #unit: string | undefined;
  #unitWaits = false;
  #ago = false;

  constructor(tokens: readonly IntervalToken[], style: string | undefined, reading: IntervalReading) {
    this.#tokens = tokens;
    this.#reading = reading;
    this.#sum = reading.narrow ? new NarrowSum() : new IntervalSum();
    // In the SQL standard one sign in front is the sign of all.
    this.#allNegative =
      style === 'sql_standard' &&
      tokens[0]?.text.startsWith('-') === true &&
      tokens.slice(1).every(({ text }) => !/^[-+]/.test(text));
  }

  /** Undefined: no interval in this form. Throws for one that is too large. */
  read(): IntervalSum | NarrowSum | undefined {
    for (let index = this.#tokens.length - 1; index >= 0; index--) {
      const token = this.#tokens[index];
      if (token === undefined || !this.#token(token, index)) return undefined;
    }
    if (this.#seen.size === 0 || (this.#unitWaits && !this.#reading.lax)) return undefined;
    if (this.#allNegative && this.#sum instanceof NarrowSum) this.#sum.makeNegative();
    if (this.#ago) this.#sum.negate();
    return this.#sum;
  }

  #token({ type, text }: IntervalToken, index: number): boolean {
    switch (type) {
      case 'time':
        return this.#time(text, '');
      case 'signed': {
        const time = text.slice(1);
        return time.includes(':') ? this.#signedTime(time, text.charAt(0)) : this.#number(text);
      }
      case 'number':
        return this.#number(text);
      case 'word':
        return this.#word(text, index);
    }
  }

  #time(text: string, sign: string): boolean {
    if (!isTime(text) || this.#endsInPoint(text)) return false;
    const [first = '', second = '', third] = text.split(':');
    // Two parts with a fraction are minutes and seconds.
    const short = third === undefined && second.includes('.');
    const [hours, minutes, seconds] = short ? ['0', first, second] : [first, second, third ?? '0'];
    this.#sum.setTime(hours, minutes, seconds, sign === '-' || this.#allNegative);
    this.#unit = 'day';
    this.#unitWaits = false;
    return this.#mark('hour', 'minute', 'second', 'millisecond', 'microsecond');
  }

  /** What is out of range as a time is tried as a number, which it is not. */
  #signedTime(text: string, sign: string): boolean {
    try {
      return this.#time(text, sign);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const hours = BigInt(`${sign}${/^\d+/.exec(text)?.[0] ?? 0}`.replace('+', ''));
      // Which the number is refused for before its form is.
      if (BigInt.asIntN(this.#reading.narrow ? 32 : 64, hours) !== hours) throw error;
      return false;
    }
  }

  /** Which strtod() alone refuses, where it is called for the decimals by themselves. */
  #endsInPoint(text: string): boolean {
    return this.#reading.narrow && text.endsWith('.');
  }

  #number(text: string): boolean {
    const number = numberToken(text);
    if (number === undefined || this.#endsInPoint(text)) return false;
    let unit = this.#unit ?? 'second';
    if (unit === NO_UNIT) return false;
    if (number.months !== undefined) unit = 'month';
    // Older servers make all of it negative in the end.
    this.#sum.add(unit, this.#allNegative && !this.#reading.narrow ? number.negative() : number);
    this.#unit = unit === 'hour' ? 'day' : unit;
    this.#unitWaits = false;
    return this.#mark(...marksOf(unit, number.fraction !== 0));
  }

  #word(text: string, index: number): boolean {
    const { lax } = this.#reading;
    if (this.#unitWaits && !lax) return false;
    if (text === 'ago') {
      if (index !== this.#tokens.length - 1 && !lax) return false;
      this.#ago = true;
      this.#unit = NO_UNIT;
      return true;
    }
    const unit = UNITS[text.slice(0, UNIT_LENGTH)];
    if (unit === undefined) return false;
    this.#unit = unit;
    this.#unitWaits = true;
    return true;
  }

  /** False: the unit was there already. */
  #mark(...units: readonly string[]): boolean {
    if (units.some((unit) => this.#seen.has(unit))) return false;
    for (const unit of units) this.#seen.add(unit);
    return true;
  }
}

function marksOf(unit: string, hasFraction: boolean): readonly string[] {
  return unit === 'second' && hasFraction ? ['second', 'millisecond', 'microsecond'] : [unit];
}

function isTime(text: string): boolean {
  return /^\d+:\d*(?::\d*(?:\.\d*)?|\.\d*)?$/.test(text);
}
