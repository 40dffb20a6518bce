/** Doubles as exact fractions, for what rounding alone cannot tell. */
import type { Decimal } from '../decimal.ts';

const FRACTION_BITS = 52n;
const HIDDEN_BIT = 1n << FRACTION_BITS;

/** `value = mantissa * 2^exponent`, exactly. */
export function exactDouble(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const stored = Number(bits >> FRACTION_BITS);
  const fraction = bits & (HIDDEN_BIT - 1n);
  const mantissa = stored === 0 ? fraction : fraction | HIDDEN_BIT;
  return { mantissa: value < 0 ? -mantissa : mantissa, exponent: Math.max(stored, 1) - 1075 };
}

/** The sign of `decimal - value`. */
export function compareToDouble(decimal: Decimal, value: number): number {
  if (decimal.type !== 'finite') throw new TypeError('a finite number is compared');
  const { mantissa, exponent } = exactDouble(value);
  return compareScaled({ digits: decimal.unscaled, power: -decimal.scale }, { mantissa, exponent });
}

/** The sign of `digits * 10^power - mantissa * 2^exponent`. */
export function compareScaled(
  decimal: { readonly digits: bigint; readonly power: number },
  binary: { readonly mantissa: bigint; readonly exponent: number },
): number {
  let left = decimal.digits;
  let right = binary.mantissa;
  if (decimal.power >= 0) left *= 10n ** BigInt(decimal.power);
  else right *= 10n ** BigInt(-decimal.power);
  if (binary.exponent >= 0) right <<= BigInt(binary.exponent);
  else left <<= BigInt(-binary.exponent);
  return left < right ? -1 : left > right ? 1 : 0;
}
