/**
 * Adds up the fields of an interval as servers before PostgreSQL 15 do: each field is a number of 32 bits, fractions of years are cut off to
 * months, and halves of a microsecond go to the even one. Where their fields would wrap around, the interval is refused instead.
 *
 * Source: DecodeInterval, AdjustFractSeconds and AdjustFractDays in src/backend/utils/adt/datetime.c of REL_14_STABLE.
 */
import { intervalField } from '../errors.ts';
import type { Interval } from './interval.ts';
import { intervalOf, roundHalfEven, type SummedNumber } from './sum.ts';

const FIELDS = ['year', 'month', 'day', 'hour', 'minute', 'second', 'microsecond'] as const;
type Field = (typeof FIELDS)[number];
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SECOND = 1_000_000;
const YEARS: Readonly<Record<string, number>> = { year: 1, decade: 10, century: 100, millennium: 1000 };

export class NarrowSum {
  #fields: Record<Field, number> = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, microsecond: 0 };

  add(unit: string, { whole, fraction }: SummedNumber): void {
    const value = Number(narrow(whole));
    switch (unit) {
      case 'microsecond':
        return this.#add('microsecond', roundHalfEven(value + fraction));
      case 'millisecond': {
        const seconds = Math.trunc(value / 1000);
        this.#add('second', seconds);
        return this.#add('microsecond', roundHalfEven((value - seconds * 1000 + fraction) * 1000));
      }
      case 'second':
        this.#add('second', value);
        return this.#add('microsecond', roundHalfEven(fraction * SECOND));
      case 'minute':
        return this.#addParted('minute', value, fraction * MINUTE);
      case 'hour':
        return this.#addParted('hour', value, fraction * HOUR);
      case 'day':
        return this.#addParted('day', value, fraction * DAY);
      case 'week':
        return this.#addDays('day', value * 7, fraction * 7);
      case 'month':
        return this.#addDays('month', value, fraction * 30);
      default: {
        const years = YEARS[unit] ?? 1;
        this.#add('year', value * years);
        // The sum is cut off, not what is added.
        this.#fields.month = Math.trunc(this.#fields.month + fraction * 12 * years);
      }
    }
  }

  setTime(hours: string, minutes: string, seconds: string, negative: boolean): void {
    const [whole = '0', decimals = ''] = seconds.split('.');
    const [hour, minute, second] = [hours, minutes, whole].map((part) => Number(narrow(BigInt(part))));
    if (hour === undefined || minute === undefined || second === undefined || minute > 59 || second > 60)
      throw intervalField();
    const microsecond = roundHalfEven(Number(`0.${decimals}0`) * SECOND);
    const sign = negative ? -1 : 1;
    this.#fields = {
      ...this.#fields,
      ...{ hour: sign * hour, minute: sign * minute, second: sign * second, microsecond: sign * microsecond },
    };
  }

  /** One sign in front is the sign of all. */
  makeNegative(): void {
    for (const field of FIELDS) this.#fields[field] = -Math.abs(this.#fields[field]);
  }

  negate(): void {
    for (const field of FIELDS) this.#fields[field] = -this.#fields[field];
  }

  interval(): Interval {
    const { year, month, day, hour, minute, second, microsecond } = this.#fields;
    const seconds = BigInt(hour) * BigInt(HOUR) + BigInt(minute) * BigInt(MINUTE) + BigInt(second);
    return intervalOf(BigInt(year * 12 + month), BigInt(day), seconds * BigInt(SECOND) + BigInt(microsecond));
  }

  #add(field: Field, value: number): void {
    const sum = this.#fields[field] + value;
    narrow(BigInt(sum));
    this.#fields[field] = sum;
  }

  /** With a fraction of so many seconds. */
  #addParted(field: Field, value: number, seconds: number): void {
    this.#add(field, value);
    const whole = Math.trunc(seconds);
    this.#add('second', whole);
    this.#add('microsecond', roundHalfEven((seconds - whole) * SECOND));
  }

  /** With a fraction of so many days. */
  #addDays(field: Field, value: number, days: number): void {
    this.#add(field, value);
    const whole = Math.trunc(days);
    this.#addParted('day', whole, (days - whole) * DAY);
  }
}

function narrow(value: bigint): bigint {
  if (BigInt.asIntN(32, value) !== value) throw intervalField();
  return value;
}
