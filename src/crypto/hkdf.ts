/** HKDF-SHA-256 (RFC 5869). */
import { hkdfSync, type KeyObject } from 'node:crypto';

/** `bytes` (at most 8160) of key material; the caller zeroes them. */
export function hkdfSha256(
  key: KeyObject | Uint8Array,
  salt: Uint8Array,
  info: Uint8Array | string,
  bytes: number,
): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, info, bytes));
}
