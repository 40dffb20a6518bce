/** The line in front of a governor: who came first is served first, and nobody waits for ever before an answer has begun. */
import { S3Error } from '../errors.ts';
import type { GovernorLimits, TakeOptions } from './governor.ts';

type Waiter = { readonly bytes: number; readonly isAdmitted: boolean; readonly grant: () => void };

export class Waiters {
  readonly #limits: Pick<GovernorLimits, 'maxWaiting' | 'maxWaitMs'>;
  #waiting: Waiter[] = [];

  constructor(limits: Pick<GovernorLimits, 'maxWaiting' | 'maxWaitMs'>) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Of the first in line. */
  get nextBytes(): number | undefined {
    return this.#waiting[0]?.bytes;
  }

  grantNext(): void {
    this.#waiting.shift()?.grant();
  }

  /** Resolves when it is granted. Rejects with ERR_S3_SLOW_DOWN, ERR_S3_REQUEST_TIMEOUT. */
  join(bytes: number, { signal, isAdmitted = false }: TakeOptions): Promise<void> {
    const { maxWaiting, maxWaitMs } = this.#limits;
    if (!isAdmitted && this.#waiting.filter((waiter) => !waiter.isAdmitted).length >= maxWaiting)
      return Promise.reject(new S3Error('ERR_S3_SLOW_DOWN'));
    if (signal?.aborted === true) return Promise.reject(new S3Error('ERR_S3_REQUEST_TIMEOUT'));
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const leave = (code: 'ERR_S3_REQUEST_TIMEOUT' | 'ERR_S3_SLOW_DOWN'): void => {
      settle();
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      reject(new S3Error(code));
    };
    const vanish = (): void => leave('ERR_S3_REQUEST_TIMEOUT');
    const late = isAdmitted ? undefined : setTimeout(() => leave('ERR_S3_SLOW_DOWN'), maxWaitMs).unref();
    const settle = (): void => {
      clearTimeout(late);
      signal?.removeEventListener('abort', vanish);
    };
    const waiter: Waiter = {
      bytes,
      isAdmitted,
      grant: () => {
        settle();
        resolve(undefined);
      },
    };
    signal?.addEventListener('abort', vanish, { once: true });
    this.#waiting.push(waiter);
    return promise;
  }
}
