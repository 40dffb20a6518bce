/** Where fresh bytes come from. The edge passes those of node:crypto; only tests and frozen vectors pass anything else. */
import { randomFillSync } from 'node:crypto';

/**
 * Precondition: the bytes are unpredictable and never given twice; nonces, salts and keys are made of them. `open`: what will lie open
 * to everybody may be given where the engine moves it about and leaves copies. A member and no argument, since randomBytes of
 * node:crypto, which is a source too, takes any second argument for a callback.
 */
export type RandomSource = {
  (bytes: number): Uint8Array;
  readonly open?: (bytes: number) => Uint8Array;
  /** Into memory that the caller has: for what is used up at once, it is a third of the price. */
  readonly into?: (target: Uint8Array) => void;
};

/** Bytes that everybody will see, such as a salt or a nonce. */
export const openBytes = (random: RandomSource, bytes: number): Uint8Array => (random.open ?? random)(bytes);

/** Fills `target`, which the caller zeroes after use. */
export function drawInto(random: RandomSource, target: Uint8Array): void {
  if (random.into !== undefined) {
    random.into(target);
    return;
  }
  const drawn = random(target.length);
  target.set(drawn);
  drawn.fill(0);
}

/** One draw from the system's generator costs as much for a nonce as for this. */
const POOL_BYTES = 4096;
/** Keys, salts and nonces; what is longer is drawn by itself. */
const MAX_POOLED_BYTES = 64;

/**
 * The system's generator, drawn on for many small requests at once. Each gets memory of its own, and what it gets is zeroed here: no
 * byte is given twice, and none that was given is left.
 */
export function pooledRandom(fill: (bytes: Uint8Array) => void = randomFillSync): RandomSource {
  // Never the memory that other buffers share.
  const pool: Uint8Array = Buffer.allocUnsafeSlow(POOL_BYTES);
  let at = POOL_BYTES;
  const filled = (given: Uint8Array): Uint8Array => {
    const bytes = given.length;
    if (bytes > MAX_POOLED_BYTES) {
      fill(given);
      return given;
    }
    if (at + bytes > POOL_BYTES) {
      fill(pool);
      at = 0;
    }
    // By hand: for so few, a view to copy from and a call to zero it cost more.
    for (let i = 0; i < bytes; i++, at++) {
      given[i] = pool[at] ?? 0;
      pool[at] = 0;
    }
    return given;
  };
  return Object.assign((bytes: number) => filled(new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)), {
    // A short array made by `new` lies on the engine's heap, at a seventh of the price.
    open: (bytes: number) => filled(new Uint8Array(bytes)),
    into: (target: Uint8Array) => void filled(target),
  });
}
