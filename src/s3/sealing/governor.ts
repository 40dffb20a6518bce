/**
 * The governor: bytes that all sealed requests may hold in memory together. A request takes its share before it reads a body, in the
 * order of arrival, and gives it back when it ends; who would wait in too long a line is told to slow down.
 */
import { S3Error } from '../errors.ts';

type Waiter = { readonly bytes: number; readonly grant: () => void };

export class ByteGovernor {
  readonly #maxBytes: number;
  readonly #maxWaiting: number;
  #used = 0;
  #waiting: Waiter[] = [];

  constructor(maxBytes: number, maxWaiting: number) {
    this.#maxBytes = maxBytes;
    this.#maxWaiting = maxWaiting;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /**
   * Resolves with the way to give the bytes back (harmless when called twice). A share larger than the bound counts as the whole bound.
   * Rejects with ERR_S3_SLOW_DOWN where too many wait, and with the signal's reason where the client vanished.
   */
  async take(bytes: number, signal?: AbortSignal): Promise<() => void> {
    const share = Math.min(bytes, this.#maxBytes);
    if (this.#waiting.length > 0 || this.#used + share > this.#maxBytes) await this.#wait(share, signal);
    else this.#used += share;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#used -= share;
      this.#grantNext();
    };
  }

  #wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.length >= this.#maxWaiting) throw new S3Error('ERR_S3_SLOW_DOWN');
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const leave = (): void => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      reject(new S3Error('ERR_S3_REQUEST_TIMEOUT'));
      this.#grantNext();
    };
    const waiter: Waiter = {
      bytes,
      grant: () => {
        signal?.removeEventListener('abort', leave);
        resolve(undefined);
      },
    };
    signal?.addEventListener('abort', leave, { once: true });
    this.#waiting.push(waiter);
    return promise;
  }

  #grantNext(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || this.#used + next.bytes > this.#maxBytes) return;
      this.#waiting.shift();
      this.#used += next.bytes;
      next.grant();
    }
  }
}
