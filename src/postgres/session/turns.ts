/** Work of many steps, of which a client says how many: it is done in turns, between which other connections are served. */
import { setImmediate } from 'node:timers/promises';

/** A turn takes a few milliseconds, where each step seals or opens a value. */
const STEPS_A_TURN = 1_000;

/** At once where one turn is enough, so that the common case stays synchronous. Throws, or rejects with, what a step throws. */
export function inTurns<T>(steps: Generator<void, T>): T | Promise<T> {
  const result = takeTurn(steps);
  return result.done === true ? result.value : inMoreTurns(steps);
}

async function inMoreTurns<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    await setImmediate();
    const result = takeTurn(steps);
    if (result.done === true) return result.value;
  }
}

function takeTurn<T>(steps: Generator<void, T>): IteratorResult<void, T> {
  let result = steps.next();
  for (let step = 1; step < STEPS_A_TURN && result.done !== true; step += 1) result = steps.next();
  return result;
}
