/**
 * HMAC-SHA-256 under keys that are used again and again, by its definition (RFC 2104): two hashes, of what the padded key and the message are
 * and of what the padded key and the first hash are. `createHmac` sets up an object that collects and is thrown away, which costs twice as
 * much as both hashes of a short message.
 *
 * What a key is padded to is kept beside its KeyObject, in memory outside the engine's heap, and zeroed once that is gone.
 */
import { createHmac, hash, type KeyObject } from 'node:crypto';
import { HMAC_BYTES } from './hmac.ts';
import { zeroWhenGone } from './zero-when-gone.ts';

const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Most messages are shorter; for others `createHmac` costs little beside the hashing. */
const MAX_MESSAGE_BYTES = 4096;

/** The key xor the inner pad, and the key xor the outer one: in one array, since the engine keeps those of up to 64 bytes on its own heap. */
type Padded = { readonly inner: Uint8Array; readonly outer: Uint8Array };

const paddedKeys = new WeakMap<KeyObject, Padded>();

/** What the two hashes are taken of; neither key nor message stays in them after a use. */
const innerBlocks = Buffer.allocUnsafeSlow(BLOCK_BYTES + MAX_MESSAGE_BYTES);
const outerBlocks = Buffer.allocUnsafeSlow(BLOCK_BYTES + HMAC_BYTES);

/**
 * The MAC as a text, for one that may lie open: never for what is a key, which may not become one. Bytes would cost what is saved, since each
 * array that node:crypto hands out is memory of its own.
 */
export function keptHmacText(key: KeyObject, message: Uint8Array, encoding: 'base64url' | 'latin1'): string {
  if (message.length > MAX_MESSAGE_BYTES) return createHmac('sha256', key).update(message).digest(encoding);
  fillOuterBlocks(key, message);
  const mac = hash('sha256', outerBlocks, encoding);
  outerBlocks.fill(0, 0, BLOCK_BYTES);
  return mac;
}

/** The MAC (32 bytes) that is a key: never a text, in memory of its own, which the caller zeroes. */
export function secretKeptHmac(key: KeyObject, message: Uint8Array): Uint8Array {
  if (message.length > MAX_MESSAGE_BYTES) return createHmac('sha256', key).update(message).digest();
  fillOuterBlocks(key, message);
  const mac = hash('sha256', outerBlocks, 'buffer');
  outerBlocks.fill(0, 0, BLOCK_BYTES);
  return mac;
}

function fillOuterBlocks(key: KeyObject, message: Uint8Array): void {
  const { inner, outer } = paddedKeys.get(key) ?? pad(key);
  innerBlocks.set(inner);
  innerBlocks.set(message, BLOCK_BYTES);
  outerBlocks.set(outer);
  // The first hash becomes a text on its way: without the key it tells nothing of the MAC.
  const first = hash('sha256', innerBlocks.subarray(0, BLOCK_BYTES + message.length), 'latin1');
  outerBlocks.write(first, BLOCK_BYTES, 'latin1');
  innerBlocks.fill(0, 0, BLOCK_BYTES + message.length);
}

/** The MAC (32 bytes) that may lie open, as bytes in memory that other buffers share. */
export function openKeptHmac(key: KeyObject, message: Uint8Array): Uint8Array {
  const mac = Buffer.allocUnsafe(HMAC_BYTES);
  mac.write(keptHmacText(key, message, 'latin1'), 'latin1');
  return mac;
}

function pad(key: KeyObject): Padded {
  const exported = key.export();
  const bytes = exported.length > BLOCK_BYTES ? hash('sha256', exported, 'buffer') : exported;
  const both = Buffer.allocUnsafeSlow(2 * BLOCK_BYTES)
    .fill(INNER_PAD, 0, BLOCK_BYTES)
    .fill(OUTER_PAD, BLOCK_BYTES);
  const padded = { inner: both.subarray(0, BLOCK_BYTES), outer: both.subarray(BLOCK_BYTES) };
  for (const [at, byte] of bytes.entries())
    for (const place of [at, BLOCK_BYTES + at]) both[place] = (both[place] ?? 0) ^ byte;
  exported.fill(0);
  bytes.fill(0);
  paddedKeys.set(key, padded);
  zeroWhenGone(key, [both]);
  return padded;
}
