/** What times of day and timestamps have in common: precision, clock text, and microseconds as the server counts them. */

export const DAY_SECONDS = 86_400;
export const MICROSECONDS = 1_000_000n;
export const DAY_MICROSECONDS = BigInt(DAY_SECONDS) * MICROSECONDS;
const MAX_PRECISION = 6;

/** Rounds to `precision` digits after the point, halves away from zero: AdjustTimeForTypmod in date.c. */
export function roundMicroseconds(value: bigint, precision: number): bigint {
  if (precision < 0 || precision >= MAX_PRECISION) return value;
  const unit = 10n ** BigInt(MAX_PRECISION - precision);
  const half = unit / 2n;
  return value >= 0n ? ((value + half) / unit) * unit : -(((-value + half) / unit) * unit);
}

export function two(part: number): string {
  return part.toString().padStart(2, '0');
}

/** `12:34:56`; hours may be 24. */
export function formatClock(seconds: number): string {
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** `.5`, or nothing. */
export function formatFraction(microseconds: number): string {
  return microseconds === 0 ? '' : `.${microseconds.toString().padStart(MAX_PRECISION, '0').replace(/0+$/, '')}`;
}

/** EncodeTimezone in datetime.c. @param offset seconds east of UTC. */
export function formatOffset(offset: number): string {
  const size = Math.abs(offset);
  const [hours, minutes, seconds] = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60];
  const rest = seconds !== 0 ? `:${two(minutes)}:${two(seconds)}` : minutes !== 0 ? `:${two(minutes)}` : '';
  return `${offset < 0 ? '-' : '+'}${two(hours)}${rest}`;
}
