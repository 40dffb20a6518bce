/** ISO 8601 intervals with designators, `P1Y2M3DT4H5M6.7S`: DecodeISO8601Interval in src/backend/utils/adt/datetime.c. */
import { unsupported } from '../errors.ts';
import { IntervalSum } from './sum.ts';

const FIELD = /([+-]?\d*(?:\.\d*)?)([A-Z]?)/y;
const DATE_UNITS: Readonly<Record<string, string>> = { Y: 'year', M: 'month', W: 'week', D: 'day' };
const TIME_UNITS: Readonly<Record<string, string>> = { H: 'hour', M: 'minute', S: 'second' };

/** Undefined: no interval of that form. */
export function parseIsoInterval(text: string): IntervalSum | undefined {
  if (text.length < 2 || !text.startsWith('P')) return undefined;
  const sum = new IntervalSum();
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
    add(sum, unit, number);
    at += whole.length;
  }
  return sum;
}

function add(sum: IntervalSum, unit: string, number: string): void {
  const [integer = '', decimals] = number.replace(/^[+-]/, '').split('.');
  const isBelow = number.startsWith('-');
  const whole = BigInt(integer === '' ? '0' : integer);
  const fraction = decimals === undefined ? 0 : Number(`0.${decimals}0`);
  sum.add(unit, { whole: isBelow ? -whole : whole, fraction: isBelow ? -fraction : fraction });
}
