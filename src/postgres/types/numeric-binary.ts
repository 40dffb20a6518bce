/**
 * numeric in the binary wire format: `ndigits 2 | weight 2 | sign 2 | dscale 2 | digits 2 each, base 10000`
 * (numeric_recv and numeric_send in src/backend/utils/adt/numeric.c).
 */
import { viewOf } from './bytes.ts';
import { type Decimal, finite, MAX_SCALE } from './decimal.ts';
import { checkBinaryLength, invalidBinary } from './errors.ts';

const HEADER_BYTES = 8;
const BASE_DIGITS = 4;
const NEGATIVE = 0x4000;
const NAN = 0xc000;
const POSITIVE_INFINITY = 0xd000;
const NEGATIVE_INFINITY = 0xf000;
/** numeric_send reads the infinities' dscale out of their flag bits: 32, whatever it means. */
const INFINITY_DSCALE = 0x20;

export function decodeNumericBinary(bytes: Uint8Array): Decimal {
  if (bytes.length < HEADER_BYTES) checkBinaryLength(bytes, HEADER_BYTES, 'numeric');
  const view = viewOf(bytes);
  const count = view.getUint16(0);
  const sign = view.getUint16(4);
  const scale = view.getUint16(6);
  checkBinaryLength(bytes, HEADER_BYTES + 2 * count, 'numeric');
  if (scale > MAX_SCALE) throw invalidBinary('numeric');
  if (sign === NAN) return { type: 'nan' };
  if (sign === POSITIVE_INFINITY || sign === NEGATIVE_INFINITY) {
    return { type: 'infinity', negative: sign === NEGATIVE_INFINITY };
  }
  if (sign !== 0 && sign !== NEGATIVE) throw invalidBinary('numeric');
  const magnitude = readDigits(view, count, view.getInt16(2), scale);
  return finite(sign === NEGATIVE ? -magnitude : magnitude, scale);
}

/** The digits as an integer of `scale` decimals; digits that the scale hides are cut, as trunc_var does. */
function readDigits(view: DataView, count: number, weight: number, scale: number): bigint {
  let text = '';
  for (let index = 0; index < count; index++) {
    const digit = view.getUint16(HEADER_BYTES + 2 * index);
    if (digit >= 10_000) throw invalidBinary('numeric');
    text += digit.toString().padStart(BASE_DIGITS, '0');
  }
  if (text === '') return 0n;
  // The text stands for an integer times 10^exponent.
  const exponent = (weight + 1 - count) * BASE_DIGITS + scale;
  return exponent >= 0 ? BigInt(text) * 10n ** BigInt(exponent) : BigInt(text.slice(0, exponent) || '0');
}

export function encodeNumericBinary(value: Decimal): Uint8Array {
  if (value.type === 'nan') return header(0, 0, NAN, 0);
  if (value.type === 'infinity')
    return header(0, 0, value.negative ? NEGATIVE_INFINITY : POSITIVE_INFINITY, INFINITY_DSCALE);
  const { unscaled, scale } = value;
  if (unscaled === 0n) return header(0, 0, 0, scale);
  const groups = groupsOf(unscaled < 0n ? -unscaled : unscaled, scale);
  const bytes = header(groups.digits.length, groups.weight, unscaled < 0n ? NEGATIVE : 0, scale);
  const view = viewOf(bytes);
  groups.digits.forEach((digit, index) => view.setUint16(HEADER_BYTES + 2 * index, digit));
  return bytes;
}

function groupsOf(magnitude: bigint, scale: number): { digits: readonly number[]; weight: number } {
  const fractionGroups = Math.ceil(scale / BASE_DIGITS);
  const text = magnitude.toString() + '0'.repeat(fractionGroups * BASE_DIGITS - scale);
  const padded = text.padStart(Math.ceil(text.length / BASE_DIGITS) * BASE_DIGITS, '0');
  const digits: number[] = [];
  for (let at = 0; at < padded.length; at += BASE_DIGITS) digits.push(Number(padded.slice(at, at + BASE_DIGITS)));
  const weight = digits.length - fractionGroups - 1;
  // Padding leaves the first group non-zero; zero groups at the end are not sent.
  while (digits.at(-1) === 0) digits.pop();
  return { digits, weight };
}

function header(count: number, weight: number, sign: number, scale: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 2 * count);
  const view = viewOf(bytes);
  view.setUint16(0, count);
  view.setInt16(2, weight);
  view.setUint16(4, sign);
  view.setUint16(6, scale);
  return bytes;
}
