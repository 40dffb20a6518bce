/**
 * The end of the proxy: no new sessions, and those there are end where they are between two transactions; what is left at the deadline
 * is cut off. To a client it is a server that is shut down, which drivers and pools know how to take.
 */
import { encodeOwnError } from './messages/error-response.ts';

/** One session: ends now where it is idle, or else as soon as it is. Called once. */
export type EndWhenIdle = () => void;

export class Draining {
  readonly #sessions = new Set<EndWhenIdle>();
  #begun = false;

  /** Returns what takes the session away again, when it has ended. */
  add(endWhenIdle: EndWhenIdle): () => void {
    this.#sessions.add(endWhenIdle);
    if (this.#begun) endWhenIdle();
    return () => void this.#sessions.delete(endWhenIdle);
  }

  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    for (const endWhenIdle of this.#sessions) endWhenIdle();
  }
}

/** What a server says that is shut down (57P01), in its words. */
export const shutdownError = (): Uint8Array =>
  encodeOwnError({
    severity: 'FATAL',
    sqlstate: '57P01',
    code: 'ERR_POSTGRES_SHUTDOWN',
    message: 'terminating connection due to administrator command',
  });

/** Terminate ('X'): the server ends its side in order. */
export const TERMINATE: Uint8Array = Uint8Array.from([0x58, 0, 0, 0, 4]);
