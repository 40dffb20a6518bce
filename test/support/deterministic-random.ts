/** Random bytes that are the same in every run: SHAKE-128 of a seed, read on. For frozen vectors and tests alone. */
import { createHash } from 'node:crypto';
import type { RandomSource } from '../../src/crypto/random.ts';

export function deterministicRandom(seed: string): RandomSource {
  let count = 0;
  return (bytes) =>
    Uint8Array.from(createHash('shake128', { outputLength: bytes }).update(`${seed}:${count++}`).digest());
}
