/** What the owner of the key store and its workers tell each other besides questions about keys; over the channel that Node has to a child. */
import type { RunningListener } from '../../cli/start.ts';
import type { CheckResult } from '../../observe/readiness.ts';

export type WorkerStart = {
  readonly file: string;
  /** Of the config the owner runs: a worker with another one would serve by other rules. */
  readonly digest: string;
  readonly ports: Ports;
};
/** Where all workers listen: what the config says, and what the owner got where that leaves it open. */
export type Ports = { readonly s3?: number; readonly postgres?: number };

export type ToWorker =
  | ({ readonly type: 'start'; readonly worker: number } & WorkerStart)
  | { readonly type: 'stop'; readonly deadlineMs: number }
  | { readonly type: 'ask'; readonly number: number; readonly what: 'readiness' | 'metrics' };

export type FromWorker =
  /** It can be told to start. */
  | { readonly type: 'here' }
  | { readonly type: 'started'; readonly listeners: readonly RunningListener[] }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'stopped'; readonly whole: boolean }
  | { readonly type: 'readiness'; readonly number: number; readonly checks: readonly CheckResult[] }
  /** `metrics`: as prom-client's `getMetricsAsJSON` has them. */
  | { readonly type: 'metrics'; readonly number: number; readonly metrics: readonly object[] };

/** Where in a worker's files the pipe for questions about keys is: after the three standard ones and the channel. */
export const KEYS_FD = 4;
