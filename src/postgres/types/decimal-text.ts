/**
 * Reads numbers written as text, as numeric_in does (src/backend/utils/adt/numeric.c, PostgreSQL 16 and later: with
 * underscores, and hexadecimal, octal and binary integers).
 */
import { trimSpace } from './bytes.ts';
import { type Decimal, finite, MAX_INTEGER_DIGITS, MAX_SCALE } from './decimal.ts';
import { invalidSyntax, outOfRange } from './errors.ts';

const NUMBER = /^([+-]?)(\d+(?:_\d+)*)?(?:\.(\d+(?:_\d+)*)?)?(?:[eE]([+-]?)(\d+(?:_\d+)*))?$/;
const PREFIXED = /^([+-]?)0(?:[xX]((?:_?[0-9a-fA-F])+)|[oO]((?:_?[0-7])+)|[bB]((?:_?[01])+))$/;
const SPECIAL = /^(?:(nan)|([+-]?)(?:infinity|inf))$/i;
/** numeric.c refuses exponents from PG_INT32_MAX / 2 on. */
const MAX_EXPONENT = 1_073_741_823;

/** Errors: 22P02 syntax, 22003 too large. `typeName` is what the message names. */
export function parseDecimal(text: string, typeName = 'numeric'): Decimal {
  const trimmed = trimSpace(text);
  const value = parsePlain(trimmed, typeName) ?? parsePrefixed(trimmed, typeName) ?? parseSpecial(trimmed);
  if (value === undefined) throw invalidSyntax(typeName);
  return value;
}

function parsePlain(text: string, typeName: string): Decimal | undefined {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponentSign = '', exponentDigits = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const exponent = Number(exponentDigits.replaceAll('_', ''));
  if (exponent > MAX_EXPONENT) throw outOfRange(typeName);
  return scaled({
    negative: sign === '-',
    digits: (whole + fraction).replaceAll('_', ''),
    // Where the point stands in the digits as written, from their end.
    point: fraction.replaceAll('_', '').length - (exponentSign === '-' ? -exponent : exponent),
    typeName,
  });
}

function scaled(number: { negative: boolean; digits: string; point: number; typeName: string }): Decimal {
  const { negative, point, typeName } = number;
  const digits = number.digits.replace(/^0+/, '');
  const scale = Math.max(point, 0);
  if (scale > MAX_SCALE) throw outOfRange(typeName);
  if (digits === '') return finite(0n, scale);
  if (digits.length - point > MAX_INTEGER_DIGITS) throw outOfRange(typeName);
  const unscaled = BigInt(digits) * (point < 0 ? 10n ** BigInt(-point) : 1n);
  return finite(negative ? -unscaled : unscaled, scale);
}

function parsePrefixed(text: string, typeName: string): Decimal | undefined {
  const match = PREFIXED.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, octal, binary] = match;
  const [prefix, digits] = hex !== undefined ? ['0x', hex] : octal !== undefined ? ['0o', octal] : ['0b', binary ?? ''];
  const value = BigInt(prefix + digits.replaceAll('_', ''));
  if (value.toString().length > MAX_INTEGER_DIGITS) throw outOfRange(typeName);
  return finite(sign === '-' ? -value : value);
}

function parseSpecial(text: string): Decimal | undefined {
  const match = SPECIAL.exec(text);
  if (match === null) return undefined;
  return match[1] !== undefined ? { type: 'nan' } : { type: 'infinity', negative: match[2] === '-' };
}
