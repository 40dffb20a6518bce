/**
 * `interval '1' hour` and `interval '1 2:03' day to minute` for a sealed column: texts of which the server cuts nothing off, as what they say without the
 * words. DecodeInterval and AdjustIntervalForTypmod in src/backend/utils/adt (datetime.c, timestamp.c).
 */
import type { A_Const, TypeCast } from 'libpg-query';
import { storedType } from '../../columns/stored-type.ts';
import type { SealedColumn } from '../../plan.ts';
import { trimSpace } from '../../types/bytes.ts';
import type { Analysis } from '../query/analysis.ts';
import { tokenSpan } from '../text/call-places.ts';
import { builtinName, locationOf, namesOf } from '../text/syntax.ts';
import { replaceType } from './casts.ts';
import { typeNameSpan } from './constants.ts';

type Field = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';
/** Undefined: it is no such text, or may mean something else. */
type ReadText = (text: string) => string | undefined;
/** `others`: what may stand there besides a whole number of the last field; undefined: it is none of them, and may mean something else. */
type Fields = {
  readonly words: readonly string[];
  readonly last: Field;
  readonly others?: ReadText;
};

const one = (last: Field): Fields => ({ words: [last], last });
const to = (first: Field, last: Field, others: ReadText): Fields => ({
  words: [first, 'to', last],
  last,
  others,
});

const HOURS = String.raw`\d+`;
const MINUTES = String.raw`${HOURS}:\d\d?`;
const SECONDS = String.raw`${MINUTES}(?::\d\d?(?:\.\d+)?)?`;

/** Days without a sign, for under one style of intervals it holds for what comes behind them as well; and a time. */
const days = (time: string, print: (time: string) => string = (as) => as): ReadText => {
  // The blanks of trimSpace: the server takes no others.
  const pattern = new RegExp(String.raw`^(\d+)[ \t\n\v\f\r]+(${time})$`);
  return (text) => {
    const [, day, rest] = pattern.exec(text) ?? [];
    return day === undefined || rest === undefined ? undefined : `${day} day ${print(rest)}`;
  };
};
/** A time alone is what it is without the words. */
const time = (pattern: string): ReadText => {
  const whole = new RegExp(`^[+-]?${pattern}$`);
  return (text) => (whole.test(text) ? text : undefined);
};

function yearsAndMonths(text: string): string | undefined {
  const [, sign = '', years, months] = /^([+-]?)(\d+)-(\d\d?)$/.exec(text) ?? [];
  // Twelve months are an error there.
  if (years === undefined || Number(months) > 11) return undefined;
  return `${sign}${years} year ${sign}${String(months)} month`;
}

/** Without the words it would be hours and minutes. */
function minutesAndSeconds(text: string): string | undefined {
  const [, sign = '', minutes, seconds] = /^([+-]?)(\d\d?):(\d\d?(?:\.\d+)?)$/.exec(text) ?? [];
  return minutes === undefined ? undefined : `${sign}0:${minutes}:${String(seconds)}`;
}

const FIELDS: readonly Fields[] = [
  ...(['year', 'month', 'day', 'hour', 'minute', 'second'] as const).map(one),
  to('year', 'month', yearsAndMonths),
  to(
    'day',
    'hour',
    days(HOURS, (hours) => `${hours} hour`),
  ),
  to('day', 'minute', days(MINUTES)),
  to('day', 'second', days(SECONDS)),
  to('hour', 'minute', time(MINUTES)),
  to('hour', 'second', time(SECONDS)),
  to('minute', 'second', minutesAndSeconds),
];
const WHOLE_NUMBER = /^[+-]?\d+$/;

/** The constant that it stands for; undefined: it is another cast, or of its text the server cuts off what is below the fields. */
export function ofFields(analysis: Analysis, cast: TypeCast, column: SealedColumn): A_Const | undefined {
  const { arg } = cast;
  if (column.type.name !== 'interval' || !hasFields(cast) || arg === undefined || !('A_Const' in arg)) return undefined;
  const constant = arg.A_Const.sval?.sval;
  if (constant === undefined) return undefined;
  const text = trimSpace(constant);
  const { source } = analysis;
  // In front of a constant the fields are behind that, else behind the type.
  const ahead = cast.location === -1 ? locationOf(arg.A_Const) : typeNameSpan(source, cast).start;
  const first = (source.tokenAt(ahead) ?? source.tokens.length) + 1;
  const found = FIELDS.filter(({ words }) =>
    words.every((word, index) => source.tokenText(first + index).toLowerCase() === word),
  ).at(-1);
  const whole = found && (WHOLE_NUMBER.test(text) ? `${text} ${found.last}` : found.others?.(text));
  if (found === undefined || whole === undefined) return undefined;
  // The constant is another than the text has.
  analysis.literalsMatter = true;
  replaceType(analysis, cast, storedType(column).name, column);
  for (const index of found.words.keys()) analysis.edit({ ...tokenSpan(source, first + index), replacement: '' });
  return { ...arg.A_Const, sval: { sval: whole } };
}

/** And no precision of seconds. */
function hasFields({ typeName }: TypeCast): boolean {
  if (builtinName(namesOf(typeName?.names)) !== 'interval' || (typeName?.arrayBounds ?? []).length > 0) return false;
  const [mask, ...more] = typeName?.typmods ?? [];
  const bits = mask !== undefined && 'A_Const' in mask ? mask.A_Const.ival?.ival : undefined;
  return bits !== undefined && more.length === 0;
}
