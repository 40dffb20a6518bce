/** interval as text, in the four IntervalStyles: EncodeInterval in src/backend/utils/adt/datetime.c. */
import { INFINITE, type Interval, MINUS_INFINITE } from './interval.ts';
import { formatFraction, MICROSECONDS, two } from '../datetime/time-parts.ts';

/** All of one sign, or mixed; hours may be many. */
type Parts = {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: bigint;
  readonly minutes: number;
  /** Below 60, with the fraction apart. */
  readonly seconds: number;
  readonly fraction: number;
};

export function printInterval(value: Interval, style = 'postgres'): string {
  if (same(value, INFINITE)) return 'infinity';
  if (same(value, MINUS_INFINITE)) return '-infinity';
  const parts = partsOf(value);
  switch (style) {
    case 'sql_standard':
      return printStandard(parts);
    case 'iso_8601':
      return printIso(parts);
    case 'postgres_verbose':
      return printVerbose(parts);
    default:
      return printPostgres(parts);
  }
}

function same(a: Interval, b: Interval): boolean {
  return a.microseconds === b.microseconds && a.days === b.days && a.months === b.months;
}

function partsOf({ microseconds, days, months }: Interval): Parts {
  const total = microseconds / MICROSECONDS;
  return {
    years: Math.trunc(months / 12),
    months: months % 12,
    days,
    hours: total / 3600n,
    minutes: Number((total / 60n) % 60n),
    seconds: Number(total % 60n),
    fraction: Number(microseconds % MICROSECONDS),
  };
}

const isNegative = ({ hours, minutes, seconds, fraction }: Parts): boolean =>
  hours < 0n || minutes < 0 || seconds < 0 || fraction < 0;
const hasTime = ({ hours, minutes, seconds, fraction }: Parts): boolean =>
  hours !== 0n || minutes !== 0 || seconds !== 0 || fraction !== 0;
const size = (value: bigint): bigint => (value < 0n ? -value : value);

function clock({ hours, minutes, seconds, fraction }: Parts, padded: boolean): string {
  const hour = size(hours).toString();
  return `${padded ? hour.padStart(2, '0') : hour}:${two(Math.abs(minutes))}:${two(Math.abs(seconds))}${formatFraction(Math.abs(fraction))}`;
}

function printPostgres(parts: Parts): string {
  const pieces: string[] = [];
  // A positive part after a negative one says its sign.
  let before = false;
  for (const [value, unit] of [
    [parts.years, 'year'],
    [parts.months, 'mon'],
    [parts.days, 'day'],
  ] as const) {
    if (value === 0) continue;
    pieces.push(`${before && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`);
    before = value < 0;
  }
  if (pieces.length === 0 || hasTime(parts))
    pieces.push(`${isNegative(parts) ? '-' : before ? '+' : ''}${clock(parts, true)}`);
  return pieces.join(' ');
}

function printStandard(parts: Parts): string {
  const { years, months, days } = parts;
  const negative = years < 0 || months < 0 || days < 0 || isNegative(parts);
  const positive = years > 0 || months > 0 || days > 0 || (hasTime(parts) && !isNegative(parts));
  const hasMonths = years !== 0 || months !== 0;
  const hasDays = days !== 0 || hasTime(parts);
  if (!negative && !positive) return '0';
  if ((negative && positive) || (hasMonths && hasDays)) {
    const monthSign = years < 0 || months < 0 ? '-' : '+';
    const timeSign = isNegative(parts) ? '-' : '+';
    return `${monthSign}${Math.abs(years)}-${Math.abs(months)} ${days < 0 ? '-' : '+'}${Math.abs(days)} ${timeSign}${clock(parts, false)}`;
  }
  const sign = negative ? '-' : '';
  if (hasMonths) return `${sign}${Math.abs(years)}-${Math.abs(months)}`;
  return days === 0 ? sign + clock(parts, false) : `${sign}${Math.abs(days)} ${clock(parts, false)}`;
}

function printIso(parts: Parts): string {
  const { years, months, days, hours, minutes, seconds, fraction } = parts;
  const designated = (value: number | bigint, letter: string): string =>
    Number(value) === 0 ? '' : `${value}${letter}`;
  const date = designated(years, 'Y') + designated(months, 'M') + designated(days, 'D');
  if (!hasTime(parts)) return date === '' ? 'PT0S' : `P${date}`;
  const rest =
    seconds === 0 && fraction === 0
      ? ''
      : `${seconds < 0 || fraction < 0 ? '-' : ''}${Math.abs(seconds)}${formatFraction(Math.abs(fraction))}S`;
  return `P${date}T${designated(hours, 'H')}${designated(minutes, 'M')}${rest}`;
}

function printVerbose(parts: Parts): string {
  const { years, months, days, hours, minutes, seconds, fraction } = parts;
  let text = '@';
  // The first part that is not zero decides whether all is said to be ago.
  let ago: boolean | undefined;
  for (const [value, unit] of [
    [BigInt(years), 'year'],
    [BigInt(months), 'mon'],
    [BigInt(days), 'day'],
    [hours, 'hour'],
    [BigInt(minutes), 'min'],
  ] as const) {
    if (value === 0n) continue;
    ago ??= value < 0n;
    const shown = ago ? -value : value;
    text += ` ${shown} ${unit}${shown === 1n ? '' : 's'}`;
  }
  if (seconds !== 0 || fraction !== 0) {
    const negative = seconds < 0 || fraction < 0;
    ago ??= negative;
    const plural = Math.abs(seconds) !== 1 || fraction !== 0;
    text += ` ${negative === ago ? '' : '-'}${Math.abs(seconds)}${formatFraction(Math.abs(fraction))} sec${plural ? 's' : ''}`;
  }
  if (ago === undefined) return `${text} 0`;
  return ago ? `${text} ago` : text;
}
