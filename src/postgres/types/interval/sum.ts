/** Adds up the fields of an interval as pg_itm_in does: fractions go down to days and microseconds (AdjustFract* in datetime.c). */
import { intervalField, SQLSTATE, ValueError } from '../errors.ts';
import type { Interval } from './interval.ts';
import type { IntervalNumber } from './tokens.ts';

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DAYS_PER_MONTH = 30;
const TIME_UNITS: Readonly<Record<string, number>> = {
  microsecond: 1,
  millisecond: 1000,
  second: SECOND,
  minute: MINUTE,
  hour: HOUR,
};
const YEAR_UNITS: Readonly<Record<string, number>> = { year: 1, decade: 10, century: 100, millennium: 1000 };

export type SummedNumber = Pick<IntervalNumber, 'whole' | 'fraction'> & { readonly months?: true | undefined };

/** As PostgreSQL 15 and later do. */
export class IntervalSum {
  #microseconds = 0n;
  #days = 0n;
  #months = 0n;
  #years = 0n;

  add(unit: string, { whole, fraction, months }: SummedNumber): void {
    const time = TIME_UNITS[unit];
    const years = YEAR_UNITS[unit];
    if (time !== undefined) {
      this.#addMicroseconds(whole * BigInt(time));
      this.#addFraction(fraction, time);
    } else if (years !== undefined) {
      this.#years = int4(this.#years + int4(whole) * BigInt(years));
      this.#months = int4(this.#months + BigInt(roundHalfEven(fraction * years * 12)));
    } else if (unit === 'month' || months) {
      this.#months = int4(this.#months + int4(whole));
      this.#addFractionOfDays(fraction, DAYS_PER_MONTH);
    } else if (unit === 'week') {
      this.#days = int4(this.#days + int4(whole) * 7n);
      this.#addFractionOfDays(fraction, 7);
    } else {
      this.#days = int4(this.#days + int4(whole));
      this.#addFraction(fraction, DAY);
    }
  }

  /** `HH:MM[:SS[.f]]`: DecodeTimeCommon. */
  setTime(hours: string, minutes: string, seconds: string, negative: boolean): void {
    const [whole = '0', decimals = ''] = seconds.split('.');
    const fraction = roundHalfEven(Number(`0.${decimals}0`) * SECOND);
    const [minute, second] = [Number(minutes), Number(whole)];
    if (minute > 59 || second > 60) throw intervalField();
    const total =
      BigInt(hours === '' ? 0 : hours) * BigInt(HOUR) + BigInt(minute * MINUTE + second * SECOND + fraction);
    // Before its sign is looked at: the least value of all cannot be written.
    if (BigInt.asIntN(64, total) !== total) throw intervalField();
    const signed = negative ? -total : total;
    // What fractions of days came to is kept, as the server keeps none: the time is read first.
    this.#microseconds = signed;
  }

  negate(): void {
    const microseconds = -this.#microseconds;
    if (BigInt.asIntN(64, microseconds) !== microseconds) throw intervalField();
    this.#microseconds = microseconds;
    this.#days = int4(-this.#days);
    this.#months = int4(-this.#months);
    this.#years = int4(-this.#years);
  }

  interval(): Interval {
    return intervalOf(this.#years * 12n + this.#months, this.#days, this.#microseconds);
  }

  #addMicroseconds(value: bigint): void {
    const sum = this.#microseconds + value;
    if (BigInt.asIntN(64, sum) !== sum) throw intervalField();
    this.#microseconds = sum;
  }

  /** A fraction of so many microseconds, rounded to the nearest; halves go to zero. */
  #addFraction(fraction: number, scale: number): void {
    if (fraction === 0) return;
    const scaled = fraction * scale;
    const whole = Math.trunc(scaled);
    const rest = scaled - whole;
    this.#addMicroseconds(BigInt(whole + (rest > 0.5 ? 1 : rest < -0.5 ? -1 : 0)));
  }

  #addFractionOfDays(fraction: number, scale: number): void {
    if (fraction === 0) return;
    const scaled = fraction * scale;
    const whole = Math.trunc(scaled);
    this.#days = int4(this.#days + BigInt(whole));
    this.#addFraction(scaled - whole, DAY);
  }
}

/** Throws where it is out of range. */
export function intervalOf(months: bigint, days: bigint, microseconds: bigint): Interval {
  if (BigInt.asIntN(32, months) !== months || BigInt.asIntN(64, microseconds) !== microseconds)
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.datetimeRange, 'interval out of range');
  return { microseconds, days: Number(days), months: Number(months) };
}

function int4(value: bigint): bigint {
  if (BigInt.asIntN(32, value) !== value) throw intervalField();
  return value;
}

/** C's rint. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
