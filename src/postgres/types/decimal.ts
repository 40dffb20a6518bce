/**
 * Exact decimals, and the canonical bytes that all number types share (docs/FORMAT.md, "Canonical values"):
 * `kind 1 | scale 2 | value, two's complement, big-endian, 8 * 2^k bytes (the least that holds it)`.
 *
 * Integers and numeric(p,s) are stored with the least scale (5, 5.0 and 5.00 have the same bytes, so equality is byte equality,
 * across columns too); unconstrained numeric keeps the scale it was written with. Every integer takes 11 bytes: its length
 * says nothing about its size.
 */
import { viewOf } from './bytes.ts';

export type Decimal =
  | { readonly type: 'finite'; readonly unscaled: bigint; readonly scale: number }
  | { readonly type: 'nan' }
  | { readonly type: 'infinity'; readonly negative: boolean };

const KIND_FINITE = 0;
const KIND_NAN = 1;
const KIND_POSITIVE_INFINITY = 2;
const KIND_NEGATIVE_INFINITY = 3;

const HEADER_BYTES = 3;
const WORD_BYTES = 8;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Digits a numeric has after the point at most (NUMERIC_DSCALE_MAX), and before it (NUMERIC_WEIGHT_MAX, base 10000). */
export const MAX_SCALE = 16_383;
export const MAX_INTEGER_DIGITS = 131_072;

export function finite(unscaled: bigint, scale = 0): Decimal {
  return { type: 'finite', unscaled, scale };
}

/** Drops trailing zeros after the point. */
export function reduce(value: Decimal): Decimal {
  if (value.type !== 'finite' || value.scale === 0) return value;
  let { unscaled, scale } = value;
  while (scale > 0 && unscaled % 10n === 0n) {
    unscaled /= 10n;
    scale--;
  }
  return finite(unscaled, scale);
}

export function encodeDecimal(value: Decimal): Uint8Array {
  if (value.type === 'nan') return encodeWords(KIND_NAN, 0, 0n);
  if (value.type === 'infinity') {
    return encodeWords(value.negative ? KIND_NEGATIVE_INFINITY : KIND_POSITIVE_INFINITY, 0, 0n);
  }
  return encodeWords(KIND_FINITE, value.scale, value.unscaled);
}

/** The same bytes as of `finite(BigInt(value))`, for a number that is a safe integer: what most lookups are by. */
export function encodeSafeInteger(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + WORD_BYTES);
  bytes.writeUInt8(KIND_FINITE, 0);
  bytes.writeUInt16BE(0, 1);
  bytes.writeInt32BE(Math.floor(value / 2 ** 32), HEADER_BYTES);
  bytes.writeInt32BE(value | 0, HEADER_BYTES + 4);
  return bytes;
}

function encodeWords(kind: number, scale: number, unscaled: bigint): Uint8Array {
  // Off the engine's heap, where sealing wants it.
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + widthOf(unscaled));
  bytes.writeUInt8(kind, 0);
  bytes.writeUInt16BE(scale, 1);
  if (bytes.length === HEADER_BYTES + WORD_BYTES) bytes.writeBigInt64BE(unscaled, HEADER_BYTES);
  else writeTwosComplement(bytes.subarray(HEADER_BYTES), unscaled);
  return bytes;
}

function widthOf(value: bigint): number {
  if (value >= INT64_MIN && value <= INT64_MAX) return WORD_BYTES;
  const magnitude = value < 0n ? -value - 1n : value;
  // One bit more for the sign.
  const bytes = Math.ceil((magnitude.toString(16).length * 4 + 1) / 8);
  let width = WORD_BYTES;
  while (width < bytes) width *= 2;
  return width;
}

function writeTwosComplement(target: Uint8Array, value: bigint): void {
  const hex = BigInt.asUintN(target.length * 8, value)
    .toString(16)
    .padStart(target.length * 2, '0');
  target.set(Buffer.from(hex, 'hex'));
}

/** Undefined: the bytes are no canonical number. */
export function decodeDecimal(bytes: Uint8Array): Decimal | undefined {
  const width = bytes.length - HEADER_BYTES;
  if (width < WORD_BYTES || (width & (width - 1)) !== 0) return undefined;
  const view = viewOf(bytes);
  switch (view.getUint8(0)) {
    case KIND_FINITE:
      return finite(readTwosComplement(bytes.subarray(HEADER_BYTES), view), view.getUint16(1));
    case KIND_NAN:
      return { type: 'nan' };
    case KIND_POSITIVE_INFINITY:
      return { type: 'infinity', negative: false };
    case KIND_NEGATIVE_INFINITY:
      return { type: 'infinity', negative: true };
    default:
      return undefined;
  }
}

function readTwosComplement(bytes: Uint8Array, view: DataView): bigint {
  if (bytes.length === WORD_BYTES) return view.getBigInt64(HEADER_BYTES);
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
}

/** Rounds to `scale` digits after the point (before it, if negative), halves away from zero, as numeric.c round_var does. */
export function roundTo(value: Decimal, scale: number): Decimal {
  if (value.type !== 'finite') return value;
  const { unscaled } = value;
  const drop = value.scale - scale;
  if (drop <= 0) return finite(unscaled * 10n ** BigInt(-drop), scale);
  const unit = 10n ** BigInt(drop);
  const half = unit / 2n;
  const rounded = unscaled < 0n ? -((-unscaled + half) / unit) : (unscaled + half) / unit;
  return scale >= 0 ? finite(rounded, scale) : finite(rounded * 10n ** BigInt(-scale), 0);
}

/** As numeric's output function prints it. */
export function formatDecimal(value: Decimal): string {
  if (value.type === 'nan') return 'NaN';
  if (value.type === 'infinity') return value.negative ? '-Infinity' : 'Infinity';
  const { unscaled, scale } = value;
  if (scale === 0) return unscaled.toString();
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
