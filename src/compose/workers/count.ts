import { availableParallelism } from 'node:os';
import type { Config } from '../../config/config.ts';

/** How many processes serve data; 1: the one there is does. */
export function workerCount(workers: Config['workers']): number {
  return workers === 'auto' ? availableParallelism() : workers;
}
