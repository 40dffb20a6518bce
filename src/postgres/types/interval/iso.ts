/** ISO 8601 intervals with designators, `P1Y2M3DT4H5M6.7S`: DecodeISO8601Interval in src/backend/utils/adt/datetime.c. */
import { intervalField, unsupported } from '../errors.ts';
import type { IntervalReading } from './releases.ts';
import { NarrowSum } from './narrow-sum.ts';
import { IntervalSum } from './sum.ts';

/** No sign but minus: ParseISO8601Number. */
const FIELD = /(-?\d*(?:\.\d*)?)([A-Z]?)/y;
const DATE_UNITS: Readonly<Record<string, string>> = { Y: 'year', M: 'month', W: 'week', D: 'day' };
const TIME_UNITS: Readonly<Record<string, string>> = { H: 'hour', M: 'minute', S: 'second' };

/** Undefined: no interval of that form. */
export function parseIsoInterval(text: string, { narrow }: IntervalReading): IntervalSum | NarrowSum | undefined {
  if (text.length < 2 || !text.startsWith('P')) return undefined;
  const sum = narrow ? new NarrowSum() : new IntervalSum();
  let inTime = false;
  for (let at = 1; at < text.length;) {
    if (text[at] === 'T') {
      inTime = true;
      at++;
      continue;
    }
    FIELD.lastIndex = at;
    const [whole = '', number = '', letter = ''] = FIELD.exec(text) ?? [];
    if (!/\d/.test(number)) return undefined;
    const unit = (inTime ? TIME_UNITS : DATE_UNITS)[letter];
    if (unit === undefined) {
      if (letter !== '' && letter !== 'T') return undefined;
      throw unsupported(
        'the alternative format of ISO 8601 is not supported for intervals of a sealed column',
        'Write it with designators: P1Y2M3DT4H5M6S.',
      );
    }
    sum.add(unit, narrow ? narrowed(number) : parted(number));
    at += whole.length;
  }
  return sum;
}

type Parted = { readonly whole: bigint; readonly fraction: number };

function parted(number: string): Parted {
  const [integer = '', decimals] = number.replace(/^[+-]/, '').split('.');
  const isBelow = number.startsWith('-');
  const whole = BigInt(integer === '' ? '0' : integer);
  const fraction = decimals === undefined ? 0 : Number(`0.${decimals}0`);
  return { whole: isBelow ? -whole : whole, fraction: isBelow ? -fraction : fraction };
}

/** As one double, which is parted afterwards: ParseISO8601Number before PostgreSQL 15. */
function narrowed(number: string): Parted {
  const value = Number(number);
  if (!Number.isFinite(value)) throw intervalField();
  const whole = Math.trunc(value);
  return { whole: BigInt(whole), fraction: value - whole };
}
