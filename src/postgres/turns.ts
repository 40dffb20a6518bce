/** Work of many steps, of which a client says how many: it is done in turns, between which other connections are served. */
import { setImmediate } from 'node:timers/promises';

/** A turn takes some ten milliseconds, where each step seals or opens a value. */
const STEPS_A_TURN = 1_000;
/** Of what steps say that they have taken. */
const BYTES_A_TURN = 1024 * 1024;

/** Stops after each step, and may say how many bytes it was about. */
export type Steps<T> = Generator<number | void, T>;

/** At once where one turn is enough, so that the common case stays synchronous. Throws, or rejects with, what a step throws. */
export function inTurns<T>(steps: Steps<T>): T | Promise<T> {
  const result = takeTurn(steps);
  return result.done === true ? result.value : inMoreTurns(steps);
}

async function inMoreTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    await setImmediate();
    const result = takeTurn(steps);
    if (result.done === true) return result.value;
  }
}

function takeTurn<T>(steps: Steps<T>): IteratorResult<number | void, T> {
  let bytes = 0;
  for (let step = 1; ; step += 1) {
    const result = steps.next();
    if (result.done === true) return result;
    bytes += result.value ?? 0;
    if (step >= STEPS_A_TURN || bytes >= BYTES_A_TURN) return result;
  }
}
