/**
 * The counter-mode KDF of NIST SP 800-108r1 section 4.1 with HMAC-SHA-256: K(i) = HMAC(key, [i]32 | Label | 0x00 | Context | [L]32),
 * i from 1, L the output's length in bits, both big-endian.
 */
import type { KeyObject } from 'node:crypto';
import { HMAC_BYTES } from './hmac.ts';
import { openKeptHmac, secretKeptHmac } from './kept-hmac.ts';

/** The counter, and the length at the end: 32 bits each. */
const COUNTER_BYTES = 4;

/**
 * Derives a key of 32 bytes, which the caller zeroes, and 32 bytes that are to lie open, as a commitment: the two blocks of an output of 64.
 * Precondition: `label` is ASCII without NUL, and the context parts are of fixed length or length-prefixed.
 */
export function counterKdfPair(
  key: KeyObject,
  label: string,
  context: readonly Uint8Array[],
): readonly [Uint8Array, Uint8Array] {
  const message = kdfMessage(label, context);
  message.writeUInt32BE(1);
  const derived = secretKeptHmac(key, message);
  message.writeUInt32BE(2);
  return [derived, openKeptHmac(key, message)];
}

/** What each block is the MAC of, its counter not yet set. One array: each part handed over by itself costs as much as the hash. */
function kdfMessage(label: string, context: readonly Uint8Array[]): Buffer {
  let length = COUNTER_BYTES + label.length + 1 + COUNTER_BYTES;
  for (const part of context) length += part.length;
  // A label and identifiers, none of them secret.
  const message = Buffer.allocUnsafe(length);
  let at = COUNTER_BYTES + message.write(`${label}\0`, COUNTER_BYTES, 'latin1');
  for (const part of context) {
    message.set(part, at);
    at += part.length;
  }
  message.writeUInt32BE(2 * HMAC_BYTES * 8, at);
  return message;
}
