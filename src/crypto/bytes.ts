/** Small helpers over byte arrays that every room may use. */
import { timingSafeEqual } from 'node:crypto';

/** Whether two byte arrays are equal, in time that depends on their lengths alone. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** One new array that holds the parts in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Whether every byte is zero. Not secret: for padding. */
export function isZero(bytes: Uint8Array): boolean {
  let seen = 0;
  for (const byte of bytes) seen |= byte;
  return seen === 0;
}

/**
 * An array, its bytes not yet set, for what goes straight into node:crypto: a small array made by `new` lies on the engine's own
 * heap, and is moved off it, which costs as much as the hash that wants it. A view of shared memory: never for keys.
 */
export function nativeBytes(length: number): Uint8Array {
  return Buffer.allocUnsafe(length);
}
