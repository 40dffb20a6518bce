/** Writes an answer's body as it comes, no faster than the client takes it. */
import type { ServerResponse } from 'node:http';
import type { ByteSource } from '../bodies/byte-source.ts';
import { freeBytes } from '../bodies/spent-bytes.ts';

/**
 * Resolves when the whole body is with the kernel; rejects with the body's error, or where the client closed. Each piece is freed once it
 * is sent: it belongs to whoever takes it, and nobody else does.
 */
export async function sendBody(body: ByteSource, outgoing: ServerResponse): Promise<void> {
  const outlet = new Outlet(outgoing);
  const drained = async (): Promise<void> => {
    await outlet.wait();
    if (outgoing.destroyed) throw closed();
  };
  await body.pour((pieces) => {
    if (outgoing.destroyed) throw closed();
    let takesMore = true;
    for (const piece of pieces) takesMore = outlet.write(piece);
    return takesMore ? undefined : drained();
  });
  outgoing.end();
  await outlet.finish();
  if (!outgoing.writableFinished) throw closed();
}

const closed = (): Error => new Error('the client closed the connection within its answer');

/** The answer's stream, with one set of listeners for the whole body. */
class Outlet {
  readonly #outgoing: ServerResponse;
  #wake: (() => void) | undefined;

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
    for (const event of ['drain', 'finish', 'close']) outgoing.on(event, this.#onEvent);
  }

  /** False where it should be waited. */
  write(piece: Uint8Array): boolean {
    return this.#outgoing.write(piece, (error) => {
      if (error === undefined || error === null) freeBytes(piece);
    });
  }

  /** Resolves at the next event. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#outgoing.destroyed) resolve();
      else this.#wake = resolve;
    });
  }

  async finish(): Promise<void> {
    if (!this.#outgoing.writableFinished) await this.wait();
  }

  readonly #onEvent = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };
}
