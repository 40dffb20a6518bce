/**
 * Floats as text. With extra_float_digits above 0 (the default) the shortest digits that read as this value and no other: unlike JavaScript
 * PostgreSQL does not take a number that lies exactly between two floats (src/common/d2s.c). With 0 and below, C's %g.
 */
import { compareScaled, exactDouble } from './exact.ts';

const FLOAT8_DIGITS = 15;
const FLOAT4_DIGITS = 6;
/** The exponent of the least float4, 2^-149. */
const SMALLEST_FLOAT4 = -149;

export function printFloat(value: number, single: boolean, extraDigits = 1): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '-Infinity' : 'Infinity';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (size === 0) return `${sign}0`;
  const usual = single ? FLOAT4_DIGITS : FLOAT8_DIGITS;
  if (extraDigits > 0) return sign + laidOut(shortest(size, single), usual);
  const digits = Math.max(usual + extraDigits, 1);
  return sign + laidOut(rounded(size, digits), digits);
}

/** Exactly between two, C takes the even one and JavaScript the greater. */
function rounded(value: number, count: number): Digits {
  const [mantissa = '', exponent = '0'] = value.toExponential(count - 1).split('e');
  const digits = BigInt(mantissa.replace('.', ''));
  const below = { digits: digits * 10n - 5n, power: Number(exponent) - count };
  if (digits % 2n === 0n || compareScaled(below, exactDouble(value)) !== 0)
    return withoutZeros(`${mantissa}e${exponent}`);
  return withoutZeros(`${(digits - 1n).toString().replace(/^(.)/, '$1.')}e${exponent}`);
}

type Digits = { readonly digits: string; /** Of the first digit, as a power of ten. */ readonly exponent: number };

function withoutZeros(exponential: string): Digits {
  const [mantissa = '', exponent = '0'] = exponential.split('e');
  return { digits: mantissa.replace('.', '').replace(/0+$/, '') || '0', exponent: Number(exponent) };
}

/** Plain from 1e-5 up to so many digits before the point, as printf's %g. */
function laidOut({ digits, exponent }: Digits, limit: number): string {
  if (exponent < -4 || exponent >= limit) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${digits.charAt(0)}${fraction}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent).toString().padStart(2, '0')}`;
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0');
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

function shortest(value: number, single: boolean): Digits {
  const between = neighbourhood(value, single);
  const first = single ? 1 : withoutZeros(value.toExponential()).digits.length;
  for (let count = first; ; count++) {
    const candidates = near(value, count).filter((candidate) => isWithin(candidate, between));
    const [best] = candidates.sort((a, b) => distance(a, between, b));
    if (best !== undefined)
      return withoutZeros(
        `${best.digits.toString().replace(/^(.)/, '$1.')}e${best.power + best.digits.toString().length - 1}`,
      );
  }
}

type Candidate = { readonly digits: bigint; readonly power: number };
/** What reads as the value: strictly between the halves to its neighbours. All as multiples of 2^exponent. */
type Neighbourhood = {
  readonly low: bigint;
  readonly middle: bigint;
  readonly high: bigint;
  readonly exponent: number;
};

function neighbourhood(value: number, single: boolean): Neighbourhood {
  const { mantissa, exponent } = exactDouble(value);
  const { unit, atPower } = spacing(mantissa, exponent, single);
  const quarter = 1n << 2n;
  return {
    middle: mantissa * quarter,
    high: mantissa * quarter + unit * 2n,
    low: mantissa * quarter - (atPower ? unit : unit * 2n),
    exponent: exponent - 2,
  };
}

/** The distance to the next float, as a multiple of the double's own unit; below a power of two it is half of that. */
function spacing(
  mantissa: bigint,
  exponent: number,
  single: boolean,
): { readonly unit: bigint; readonly atPower: boolean } {
  const isPower = (mantissa & (mantissa - 1n)) === 0n;
  if (!single) return { unit: 1n, atPower: isPower && mantissa === 1n << 52n && exponent > -1074 };
  const unitExponent = Math.max(bitLength(mantissa) - 1 + exponent - 23, SMALLEST_FLOAT4);
  return { unit: 1n << BigInt(unitExponent - exponent), atPower: isPower && unitExponent > SMALLEST_FLOAT4 };
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

/** The number of so many digits nearest to the value, and those beside it. */
function near(value: number, count: number): readonly Candidate[] {
  const [mantissa = '', exponent = '0'] = value.toExponential(count - 1).split('e');
  const digits = BigInt(mantissa.replace('.', ''));
  const power = Number(exponent) - count + 1;
  return [digits, digits - 1n, digits + 1n]
    .filter((candidate) => candidate > 0n)
    .map((candidate) => ({ digits: candidate, power }));
}

function isWithin(candidate: Candidate, { low, high, exponent }: Neighbourhood): boolean {
  return (
    compareScaled(candidate, { mantissa: low, exponent }) > 0 &&
    compareScaled(candidate, { mantissa: high, exponent }) < 0
  );
}

/** Which of two candidates is nearer to the value; of two that are as near, the even one (f2s.c: "round even"). */
function distance(a: Candidate, { middle, exponent }: Neighbourhood, b: Candidate): number {
  const power = Math.min(a.power, b.power, 0);
  const scale = 10n ** BigInt(-power);
  const shift = exponent < 0 ? 1n << BigInt(-exponent) : 1n;
  const target = middle * scale * (exponent >= 0 ? 1n << BigInt(exponent) : 1n);
  const away = ({ digits, power: own }: Candidate): bigint => {
    const difference = digits * 10n ** BigInt(own - power) * shift - target;
    return difference < 0n ? -difference : difference;
  };
  return away(a) < away(b) ? -1 : away(a) > away(b) ? 1 : Number(a.digits % 2n) - Number(b.digits % 2n);
}
