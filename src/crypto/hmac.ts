/** HMAC-SHA-256 (RFC 2104, FIPS 198-1). */
import { createHmac, type KeyObject } from 'node:crypto';

export const HMAC_BYTES = 32;

/** The MAC (32 bytes) over the parts in order. Precondition: the parts are of fixed length or length-prefixed. */
export function hmacSha256(key: KeyObject | Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}
