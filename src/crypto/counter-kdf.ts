/**
 * The counter-mode KDF of NIST SP 800-108r1 section 4.1 with HMAC-SHA-256: K(i) = HMAC(key, [i]32 | Label | 0x00 | Context | [L]32),
 * i from 1, L the output's length in bits, both big-endian.
 */
import type { KeyObject } from 'node:crypto';
import { HMAC_BYTES, hmacSha256 } from './hmac.ts';

/** At most 255 blocks: far more than any key needs, far less than the counter could do. */
const MAX_OUTPUT_BYTES = 255 * HMAC_BYTES;

/**
 * Derives `bytes` bytes; the caller zeroes them.
 * Precondition: `label` is ASCII without NUL, and the context parts are of fixed length or length-prefixed.
 */
export function counterKdf(
  key: KeyObject | Uint8Array,
  label: string,
  context: readonly Uint8Array[],
  bytes: number,
): Uint8Array {
  if (bytes < 1 || bytes > MAX_OUTPUT_BYTES) throw new RangeError(`the KDF gives 1 to ${MAX_OUTPUT_BYTES} bytes`);
  const prefix = Buffer.from(`${label}\0`, 'ascii');
  const length = uint32(bytes * 8);
  const output = new Uint8Array(bytes);
  for (let at = 0, counter = 1; at < bytes; at += HMAC_BYTES, counter++) {
    const block = hmacSha256(key, uint32(counter), prefix, ...context, length);
    output.set(block.subarray(0, bytes - at), at);
    block.fill(0);
  }
  return output;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
