/**
 * The counter-mode KDF of NIST SP 800-108r1 section 4.1 with HMAC-SHA-256: K(i) = HMAC(key, [i]32 | Label | 0x00 | Context | [L]32),
 * i from 1, L the output's length in bits, both big-endian.
 */
import type { KeyObject } from 'node:crypto';
import { HMAC_BYTES } from './hmac.ts';
import { putKeptHmac } from './kept-hmac.ts';

/** The counter, and the length at the end: 32 bits each. */
const COUNTER_BYTES = 4;
/** Two blocks. */
export const KDF_PAIR_BYTES = 2 * HMAC_BYTES;

/**
 * Derives two keys of 32 bytes, which are the two blocks of an output of 64, into the first 64 bytes of `target`; the caller zeroes them.
 * Precondition: `label` is ASCII without NUL, and the context parts are of fixed length or length-prefixed.
 */
export function putKdfPair(target: Uint8Array, key: KeyObject, label: string, context: readonly Uint8Array[]): void {
  const message = kdfMessage(label, context);
  putKdfBlock(target, key, message, 1);
  putKdfBlock(target, key, message, 2);
}

function putKdfBlock(target: Uint8Array, key: KeyObject, message: Uint8Array, counter: number): void {
  putUint32(message, 0, counter);
  putKeptHmac(target, (counter - 1) * HMAC_BYTES, key, message);
}

/** What each block is the MAC of, its counter not yet set. */
function kdfMessage(label: string, context: readonly Uint8Array[]): Uint8Array {
  let length = COUNTER_BYTES + label.length + 1 + COUNTER_BYTES;
  for (const part of context) length += part.length;
  // A label and identifiers, none of them secret.
  const message = new Uint8Array(length);
  let at = COUNTER_BYTES;
  for (let i = 0; i < label.length; i++) message[at++] = label.charCodeAt(i);
  at += 1;
  for (const part of context) for (let i = 0; i < part.length; i++) message[at++] = part[i] ?? 0;
  putUint32(message, at, KDF_PAIR_BYTES * 8);
  return message;
}

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (24 - 8 * i);
}
