/** A body taken piece by piece by who asks for the next one: for what must be understood before it is known where the rest goes. */
import type { ByteSource } from './byte-source.ts';

export class PulledBytes {
  readonly #source: ByteSource;
  #begun = false;
  #pieces: Uint8Array[] = [];
  #end: { readonly failure: Error | undefined } | undefined;
  #wake: () => void = () => undefined;
  /** The source waits until all that it gave is used up. */
  #room: PromiseWithResolvers<void> | undefined;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Undefined at the end. Rejects with what ended the body early. The piece belongs to the caller. */
  async next(): Promise<Uint8Array | undefined> {
    if (!this.#begun) this.#begin();
    while (this.#pieces.length === 0) {
      if (this.#end !== undefined) {
        if (this.#end.failure !== undefined) throw this.#end.failure;
        return undefined;
      }
      const came = new Promise<void>((resolve) => (this.#wake = resolve));
      this.#room?.resolve();
      this.#room = undefined;
      await came;
    }
    return this.#pieces.shift();
  }

  /** Lets the source go: nothing more is wanted of it. */
  release(): void {
    this.#end ??= { failure: new Error('the body is not read on') };
    this.#room?.reject(this.#end.failure);
    this.#room = undefined;
    this.#pieces = [];
  }

  #begin(): void {
    this.#begun = true;
    const over = (failure: Error | undefined): void => {
      this.#end ??= { failure };
      this.#wake();
    };
    this.#source
      .pour((pieces) => {
        if (this.#end?.failure !== undefined) throw this.#end.failure;
        this.#pieces.push(...pieces);
        this.#room = Promise.withResolvers();
        this.#wake();
        return this.#room.promise;
      })
      .then(
        () => over(undefined),
        (error: unknown) => over(error instanceof Error ? error : new Error('no error', { cause: error })),
      );
  }
}
