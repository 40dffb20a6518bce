/** DateStyle: how dates and timestamps print, and in which order the numbers of a date are read (EncodeDateTime in datetime.c). */
import { type CalendarDate, toDays } from './calendar.ts';
import type { ValueSettings } from '../codec.ts';
import { two } from './time-parts.ts';

export type DateStyle = 'iso' | 'sql' | 'german' | 'postgres';
export type DateOrder = 'mdy' | 'dmy' | 'ymd';

type StyleAndOrder = { readonly style: DateStyle; readonly order: DateOrder };

/** A session replaces its settings as a whole, so the words are read once for each state of them. */
const known = new WeakMap<ValueSettings, StyleAndOrder>();

export function dateStyleOf(settings: ValueSettings): StyleAndOrder {
  const found = known.get(settings);
  if (found !== undefined) return found;
  const read = readDateStyle(settings);
  known.set(settings, read);
  return read;
}

function readDateStyle({ dateStyle }: ValueSettings): StyleAndOrder {
  const [style = '', order = ''] = dateStyle.toLowerCase().split(/\s*,\s*/);
  return {
    style: style === 'sql' || style === 'german' || style === 'postgres' ? style : 'iso',
    order: order === 'dmy' || order === 'ymd' ? order : 'mdy',
  };
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
/** 2000-01-01 was a Saturday. */
const FIRST_WEEKDAY = 6;

/** A date in words of the style, without its era. */
function printedDate({ year, month, day }: CalendarDate, settings: ValueSettings): string {
  const { style, order } = dateStyleOf(settings);
  const shown = (year > 0 ? year : 1 - year).toString().padStart(4, '0');
  const [first, second] = order === 'dmy' ? [two(day), two(month)] : [two(month), two(day)];
  switch (style) {
    case 'iso':
      return `${shown}-${two(month)}-${two(day)}`;
    case 'sql':
      return `${first}/${second}/${shown}`;
    case 'german':
      return `${two(day)}.${two(month)}.${shown}`;
    case 'postgres':
      return `${first}-${second}-${shown}`;
  }
}

function era({ year }: CalendarDate): string {
  return year > 0 ? '' : ' BC';
}

export function printDate(date: CalendarDate, settings: ValueSettings): string {
  return printedDate(date, settings) + era(date);
}

/** `offset`: as ISO prints it; `abbreviation`: as all others do. Neither: a timestamp without time zone. */
export type PrintedZone = { readonly offset: string; readonly abbreviation: string };

export function printTimestamp(
  date: CalendarDate,
  time: string,
  zone: PrintedZone | undefined,
  settings: ValueSettings,
): string {
  const { style, order } = dateStyleOf(settings);
  const named = zone === undefined ? '' : ` ${zone.abbreviation}`;
  if (style === 'iso') return `${printedDate(date, settings)} ${time}${zone?.offset ?? ''}${era(date)}`;
  if (style !== 'postgres') return `${printedDate(date, settings)} ${time}${named}${era(date)}`;
  const weekday = DAYS[(((toDays(date) + FIRST_WEEKDAY) % 7) + 7) % 7] ?? '';
  const month = MONTHS[date.month - 1] ?? '';
  const dayAndMonth = order === 'dmy' ? `${two(date.day)} ${month}` : `${month} ${two(date.day)}`;
  const shown = (date.year > 0 ? date.year : 1 - date.year).toString().padStart(4, '0');
  return `${weekday} ${dayAndMonth} ${time} ${shown}${named}${era(date)}`;
}
