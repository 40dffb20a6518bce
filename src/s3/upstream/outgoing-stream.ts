/** A request's body on its way into undici, and what the signing client must know of it, which undici wraps or hides. */
import { Readable } from 'node:stream';
import type { ByteSource, Take } from '../bodies/byte-source.ts';
import type { UpstreamRequest } from './client.ts';

type Body = UpstreamRequest['body'];

export type Watched = { readonly stream: Body; started(): boolean; failure(): unknown };

/** A source that remembers whether it was poured and what it failed with itself; what its taker failed with is known there. */
export function watched(body: Body): Watched {
  if (body === undefined || body instanceof Uint8Array)
    return { stream: body, started: () => false, failure: () => undefined };
  let started = false;
  let failure: unknown;
  const pour = async (take: Take): Promise<void> => {
    started = true;
    let isTaken = true;
    const taking: Take = (pieces) => {
      isTaken = false;
      const taken = take(pieces);
      isTaken = true;
      return taken;
    };
    await body.pour(taking).catch((error: unknown) => {
      if (isTaken) failure = error;
      throw error;
    });
  };
  return { stream: { pour }, started: () => started, failure: () => failure };
}

/** Less than a piece: with what the socket holds (`freeing-socket.ts`), one waiting here is as much as a stream's share has room for. */
const HELD_BYTES = 16 * 1024;

/**
 * What undici reads. It listens for data as long as its socket takes more: then a piece that is pushed is written in the same turn. `see` is shown
 * each piece before.
 */
export class OutgoingStream extends Readable {
  readonly #source: ByteSource;
  readonly #see: (piece: Uint8Array) => void;
  #started = false;
  #pushedBytes = 0;
  #wake: (() => void) | undefined;

  constructor(source: ByteSource, see: (piece: Uint8Array) => void) {
    super({ highWaterMark: HELD_BYTES });
    this.#source = source;
    this.#see = see;
    // Told by the request that sends it. After that has ended nobody listens, and it must not end the process.
    this.on('error', () => undefined);
  }

  /** Bytes that have left for the socket. */
  get sentBytes(): number {
    return this.#pushedBytes - this.readableLength;
  }

  override _read(): void {
    this.#resume();
    if (this.#started) return;
    this.#started = true;
    this.#source.pour(this.#take).then(
      () => this.push(null),
      (error: unknown) => this.destroy(error as Error), // Sources fail with errors alone.
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // The source, if it waits, learns it from its next piece.
    this.#resume();
    callback(error);
  }

  readonly #take: Take = (pieces) => {
    if (this.destroyed) throw new Error('the request to the storage has ended');
    let wantsMore = true;
    for (const piece of pieces) {
      this.#see(piece);
      this.#pushedBytes += piece.length;
      wantsMore = this.push(piece);
    }
    if (wantsMore) return undefined;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  };

  #resume(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
