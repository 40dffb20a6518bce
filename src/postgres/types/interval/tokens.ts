/** The fields of an interval's text: ParseDateTime in src/backend/utils/adt/datetime.c, as far as intervals have them. */
import { isSpace } from '../bytes.ts';
import { intervalField } from '../errors.ts';

export type IntervalToken = { readonly type: 'time' | 'number' | 'signed' | 'word'; readonly text: string };

const MAX_FIELDS = 25;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
/** Words of dates after which a digit may follow at once; after others it belongs to a date. */
const CORE_WORDS: ReadonlySet<string> = new Set([
  ...['d', 'h', 'j', 'jd', 'm', 'mm', 's', 't', 'y', 'am', 'pm', 'at', 'on', 'ad', 'bc', 'dow', 'doy', 'mon', 'dec'],
]);
const FORMS: readonly (readonly [IntervalToken['type'], RegExp])[] = [
  ['time', /\d+:[\d:.]*/y],
  // A letter behind the point makes it a date, which is none of an interval's numbers.
  [
    'number',
    /\d+\.[a-z][\da-z.]*|\d+-\d+(?:-[\d-]*)?|\d+\.\d*(?:\.[\d.]*)?|\d+\/[\da-z/]*|\d+-[a-z][\da-z-]*|\d+|\.\d*/iy,
  ],
];
const WORD = /[a-z]+/iy;
const SIGNED_NUMBER = /\d[\d:.-]*/y;

/** Undefined: no fields of any interval. */
export function intervalTokens(text: string): readonly IntervalToken[] | undefined {
  const tokens: IntervalToken[] = [];
  for (let at = 0; at < text.length;) {
    const character = text[at] ?? '';
    if (isSpace(character)) {
      at++;
      continue;
    }
    const read = character === '+' || character === '-' ? signed(text, at) : (unsigned(text, at) ?? word(text, at));
    if (read === undefined) {
      if (!PUNCTUATION.test(character) || character === '+' || character === '-') return undefined;
      at++;
      continue;
    }
    if (tokens.length >= MAX_FIELDS) return undefined;
    tokens.push(read.token);
    at = read.end;
  }
  return tokens;
}

type Read = { readonly token: IntervalToken; readonly end: number } | undefined;

function unsigned(text: string, at: number): Read {
  for (const [type, form] of FORMS) {
    const found = matchAt(form, text, at);
    if (found !== undefined) return { token: { type, text: found }, end: at + found.length };
  }
  return undefined;
}

/** White space may stand after a sign. */
function signed(text: string, at: number): Read {
  let start = at + 1;
  while (isSpace(text[start])) start++;
  const found = matchAt(SIGNED_NUMBER, text, start);
  if (found === undefined) return undefined;
  return { token: { type: 'signed', text: text.charAt(at) + found }, end: start + found.length };
}

function word(text: string, at: number): Read {
  const found = matchAt(WORD, text, at)?.toLowerCase();
  if (found === undefined) return undefined;
  const next = text[at + found.length] ?? '';
  const isDate = /[-/.]/.test(next) || (/[+\d]/.test(next) && !CORE_WORDS.has(found));
  // A date is no part of an interval.
  return { token: { type: 'word', text: isDate ? '' : found }, end: at + found.length };
}

function matchAt(form: RegExp, text: string, at: number): string | undefined {
  form.lastIndex = at;
  return form.exec(text)?.[0];
}

export type IntervalNumber = {
  readonly whole: bigint;
  readonly fraction: number;
  /** Of `years-months`: then `whole` counts months. */
  readonly months: true | undefined;
  /** With all of it below zero. */
  readonly negative: () => IntervalNumber;
};

const NUMBER = /^([+-]?)(\d*)(?:(\.\d*)|-(\d+))?$/;
const MAX_WHOLE = 2n ** 63n;

/** Undefined: no number. Throws for one beyond 64 bits, and for `years-months` of more than eleven months. */
export function numberToken(text: string): IntervalNumber | undefined {
  const match = NUMBER.exec(text);
  const [, sign = '', digits = '', decimals, months] = match ?? [];
  if (match === null || (digits === '' && decimals === undefined)) return undefined;
  const whole = BigInt(digits === '' ? '0' : digits);
  const isBelow = sign === '-';
  if (whole > MAX_WHOLE || (whole === MAX_WHOLE && !isBelow)) throw intervalField();
  const fraction = decimals === undefined ? 0 : Number(`0${decimals}0`);
  if (months !== undefined && Number(months) >= 12) throw intervalField();
  const total = months === undefined ? whole : whole * 12n + BigInt(months);
  return made(isBelow ? -total : total, isBelow ? -fraction : fraction, months === undefined ? undefined : true);
}

function made(whole: bigint, fraction: number, months: true | undefined): IntervalNumber {
  return {
    whole,
    fraction,
    months,
    negative: () => made(whole > 0n ? -whole : whole, fraction > 0 ? -fraction : fraction, months),
  };
}
