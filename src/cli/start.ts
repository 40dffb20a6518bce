/** What `up` and `demo` ask of the composition root (`src/compose.ts`), handed to them by `main.ts`. */
import type { Config } from '../config/config.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { KeyAcceptance } from './options/keys.ts';

export type RunningListener = {
  readonly name: 'kms' | 's3' | 'postgres' | 'observe';
  readonly host: string;
  /** The port that was taken, also where 0 was asked for. */
  readonly port: number;
  readonly tls: boolean;
};

export type Running = {
  readonly listeners: readonly RunningListener[];
  /**
   * Ends in order: no new work, what is under way finishes until the deadline, then the key store closes. Never rejects;
   * false: something was cut off at the deadline.
   */
  readonly stop: (deadlineMs: number) => Promise<boolean>;
};

export type StartOptions = { readonly log: Log; readonly metrics: Metrics; readonly accept?: KeyAcceptance };

/** Resolves when every listener accepts. Where it rejects, everything that was started has been stopped. */
export type Start = (config: Config, options: StartOptions) => Promise<Running>;
