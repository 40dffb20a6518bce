/**
 * The governor: bytes that all requests may hold in memory together. A request takes its share before it needs it, in the order of
 * arrival, and gives it back when it ends; who would wait in too long a line, or has waited too long in it, is told to slow down.
 *
 * Threat: clients that take or send a byte now and then hold their shares for hours, and nobody else is served. While others wait, a
 * holder whose client moves fewer bytes in a time than it holds is given up.
 */
import { Waiters } from './waiters.ts';

/** What a holder of a share says of its client. */
export type ShareHolder = {
  /** Bytes that the client has sent and taken so far. */
  movedBytes(): number;
  /** Whether the next step is the client's. */
  awaitsClient(): boolean;
  /** Ends the exchange, upon which the share comes back. */
  giveUp(): void;
};

export type Share = {
  /** Harmless when called twice. */
  readonly giveBack: () => void;
  /** Keeps as many bytes and gives back the rest. */
  readonly shrinkTo: (bytes: number) => void;
};

export type GovernorLimits = {
  readonly maxBytes: number;
  readonly maxWaiting: number;
  /** So long somebody waits in line. */
  readonly maxWaitMs: number;
  /** In so long a client is to move as many bytes as are held for it. */
  readonly patienceMs: number;
};

export type TakeOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly holder?: ShareHolder | undefined;
  /** Its answer has begun: it waits as long as it takes, and is not counted among those who wait. */
  readonly isAdmitted?: boolean;
};

type Held = { bytes: number; readonly holder: ShareHolder; seenAt: number; seenBytes: number };

export class ByteGovernor {
  readonly #limits: GovernorLimits;
  readonly #waiters: Waiters;
  readonly #held = new Set<Held>();
  #used = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(limits: GovernorLimits) {
    this.#limits = limits;
    this.#waiters = new Waiters(limits);
  }

  get usedBytes(): number {
    return this.#used;
  }

  get isContended(): boolean {
    return this.#waiters.length > 0;
  }

  /**
   * A share larger than the bound counts as the whole bound. Rejects with ERR_S3_SLOW_DOWN where too many wait or it took too long, and
   * with ERR_S3_REQUEST_TIMEOUT where the client vanished.
   */
  async take(bytes: number, options: TakeOptions = {}): Promise<Share> {
    const share = Math.min(bytes, this.#limits.maxBytes);
    if (this.isContended || this.#used + share > this.#limits.maxBytes) await this.#wait(share, options);
    else this.#used += share;
    return this.#share(share, options.holder);
  }

  async #wait(bytes: number, options: TakeOptions): Promise<void> {
    const granted = this.#waiters.join(bytes, options);
    this.#beginWatching();
    try {
      await granted;
    } catch (error) {
      this.#grantNext();
      throw error;
    }
  }

  #share(bytes: number, holder: ShareHolder | undefined): Share {
    let left = bytes;
    const held = holder && { bytes, holder, seenAt: performance.now(), seenBytes: holder.movedBytes() };
    if (held !== undefined) this.#held.add(held);
    const shrinkTo = (kept: number): void => {
      if (kept >= left) return;
      this.#used -= left - kept;
      left = kept;
      if (held !== undefined) held.bytes = kept;
      this.#grantNext();
    };
    const giveBack = (): void => {
      if (held !== undefined) this.#held.delete(held);
      shrinkTo(0);
    };
    return { giveBack, shrinkTo };
  }

  #grantNext(): void {
    for (;;) {
      const { nextBytes } = this.#waiters;
      if (nextBytes === undefined || this.#used + nextBytes > this.#limits.maxBytes) return;
      this.#used += nextBytes;
      this.#waiters.grantNext();
    }
  }

  /** What clients did before somebody waited for it is not held against them. */
  #beginWatching(): void {
    if (this.#watch !== undefined) return;
    for (const held of this.#held) look(held, performance.now());
    this.#watch = setInterval(() => this.#giveUpSlowOnes(), this.#limits.patienceMs / 2).unref();
  }

  #giveUpSlowOnes(): void {
    if (!this.isContended) {
      clearInterval(this.#watch);
      this.#watch = undefined;
      return;
    }
    const now = performance.now();
    for (const held of this.#held) {
      if (now - held.seenAt < this.#limits.patienceMs) continue;
      const { holder, seenBytes, bytes } = held;
      const isSlow = holder.awaitsClient() && holder.movedBytes() - seenBytes < bytes;
      look(held, now);
      if (isSlow) holder.giveUp();
    }
  }
}

function look(held: Held, now: number): void {
  held.seenAt = now;
  held.seenBytes = held.holder.movedBytes();
}
