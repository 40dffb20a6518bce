/**
 * The counter-mode KDF of NIST SP 800-108r1 section 4.1 with HMAC-SHA-256: K(i) = HMAC(key, [i]32 | Label | 0x00 | Context | [L]32),
 * i from 1, L the output's length in bits, both big-endian.
 */
import type { KeyObject } from 'node:crypto';
import { HMAC_BYTES, hmacSha256 } from './hmac.ts';

/** At most 255 blocks: far more than any key needs, far less than the counter could do. */
const MAX_OUTPUT_BYTES = 255 * HMAC_BYTES;
/** The counter, and the length at the end: 32 bits each. */
const COUNTER_BYTES = 4;

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
  const message = kdfMessage(label, context, bytes);
  // Of its own, and not on the engine's heap: it is cut into keys, which go into node:crypto.
  const output = new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
  for (let at = 0, counter = 1; at < bytes; at += HMAC_BYTES, counter++) {
    const block = kdfBlock(key, message, counter);
    output.set(block.subarray(0, bytes - at), at);
    block.fill(0);
  }
  return output;
}

/** Two keys of 32 bytes: what `counterKdf` derives as 64, in its two blocks as they are. Likewise. */
export function counterKdfPair(
  key: KeyObject | Uint8Array,
  label: string,
  context: readonly Uint8Array[],
): readonly [Uint8Array, Uint8Array] {
  const message = kdfMessage(label, context, 2 * HMAC_BYTES);
  return [kdfBlock(key, message, 1), kdfBlock(key, message, 2)];
}

function kdfBlock(key: KeyObject | Uint8Array, message: Buffer, counter: number): Uint8Array {
  message.writeUInt32BE(counter);
  return hmacSha256(key, message);
}

/** What each block is the MAC of, its counter not yet set. One array: each part handed over by itself costs as much as the hash. */
function kdfMessage(label: string, context: readonly Uint8Array[], bytes: number): Buffer {
  let length = COUNTER_BYTES + label.length + 1 + COUNTER_BYTES;
  for (const part of context) length += part.length;
  // A label and identifiers, none of them secret.
  const message = Buffer.allocUnsafe(length);
  let at = COUNTER_BYTES + message.write(`${label}\0`, COUNTER_BYTES, 'latin1');
  for (const part of context) {
    message.set(part, at);
    at += part.length;
  }
  message.writeUInt32BE(bytes * 8, at);
  return message;
}
