/**
 * HMAC-SHA-256 of short messages under a key that is used again and again. node:crypto makes an object for each MAC, which costs as much
 * as hashing two kilobytes; here the hash goes on from the states after the key's two padded blocks, which are made once.
 *
 * The states are as secret as the key. They lie where its KeyObject's bytes lie, in the process's memory outside of the engine's heap (no
 * heap snapshot has them), and are zeroed when the KeyObject is collected.
 */
import type { KeyObject } from 'node:crypto';
import { HMAC_BYTES } from './hmac.ts';
import { compressSha256, SHA256_BLOCK_BYTES, SHA256_START, SHA256_STATE_WORDS } from './sha256-block.ts';

const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** After a message: a one bit, zeros, and its length in bits, of 64 bits. */
const LENGTH_BYTES = 8;
/** From some 300 bytes on node:crypto is quicker, and no length here comes near 32 bits. */
const MAX_MESSAGE_BYTES = 4096;

/** The state after the inner block, then the one after the outer block. */
type States = Int32Array;

const kept = new WeakMap<KeyObject, States>();
const zeroes = new FinalizationRegistry<States>((states) => states.fill(0));

const block: Uint8Array = Buffer.allocUnsafeSlow(SHA256_BLOCK_BYTES);
const running = wordsOutside(SHA256_STATE_WORDS);

/** Puts the MAC, of 32 bytes, into `target` from `at` on. Precondition: `key` has 64 bytes at most, `message` 4096. */
export function putKeptHmac(target: Uint8Array, at: number, key: KeyObject, message: Uint8Array): void {
  if (message.length > MAX_MESSAGE_BYTES) throw new RangeError('a message that is not short');
  const states = statesOf(key);
  resume(states, 0);
  absorb(message);
  putWords(block, 0);
  resume(states, SHA256_STATE_WORDS);
  finish(HMAC_BYTES, HMAC_BYTES);
  putWords(target, at);
  running.fill(0);
}

/** `running` as it was after the block whose state is at `from`. */
function resume(states: States, from: number): void {
  for (let i = 0; i < SHA256_STATE_WORDS; i++) running[i] = states[from + i] ?? 0;
}

function absorb(message: Uint8Array): void {
  let at = 0;
  for (; at + SHA256_BLOCK_BYTES <= message.length; at += SHA256_BLOCK_BYTES) compressSha256(running, message, at);
  const rest = message.length - at;
  for (let i = 0; i < rest; i++) block[i] = message[at + i] ?? 0;
  finish(rest, message.length);
}

/** The end of a message whose last `rest` bytes are in `block`, and which has `length` after the key's block. */
function finish(rest: number, length: number): void {
  let end = rest;
  block[end++] = 0x80;
  if (end > SHA256_BLOCK_BYTES - LENGTH_BYTES) {
    while (end < SHA256_BLOCK_BYTES) block[end++] = 0;
    compressSha256(running, block, 0);
    end = 0;
  }
  const bits = (SHA256_BLOCK_BYTES + length) * 8;
  while (end < SHA256_BLOCK_BYTES - 4) block[end++] = 0;
  for (let shift = 24; shift >= 0; shift -= 8) block[end++] = bits >>> shift;
  compressSha256(running, block, 0);
}

function putWords(target: Uint8Array, start: number): void {
  for (let i = 0, at = start; i < SHA256_STATE_WORDS; i++, at += 4) {
    const value = running[i] ?? 0;
    target[at] = value >>> 24;
    target[at + 1] = value >>> 16;
    target[at + 2] = value >>> 8;
    target[at + 3] = value;
  }
}

function statesOf(key: KeyObject): States {
  const known = kept.get(key);
  if (known !== undefined) return known;
  const bytes = key.export();
  try {
    if (bytes.length > SHA256_BLOCK_BYTES) throw new RangeError('a key of more than a block');
    const states = wordsOutside(2 * SHA256_STATE_WORDS);
    startFrom(states.subarray(0, SHA256_STATE_WORDS), bytes, INNER_PAD);
    startFrom(states.subarray(SHA256_STATE_WORDS), bytes, OUTER_PAD);
    kept.set(key, states);
    zeroes.register(key, states);
    return states;
  } finally {
    bytes.fill(0);
    block.fill(0);
  }
}

function startFrom(state: Int32Array, key: Uint8Array, pad: number): void {
  for (let at = 0; at < SHA256_BLOCK_BYTES; at++) block[at] = (key[at] ?? 0) ^ pad;
  state.set(SHA256_START);
  compressSha256(state, block, 0);
}

/** Small arrays made by `new` lie on the engine's heap, which moves them about and leaves copies. */
function wordsOutside(words: number): Int32Array {
  return new Int32Array(Buffer.allocUnsafeSlow(4 * words).buffer);
}
