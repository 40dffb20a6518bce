/** Reads a stream of chunks by counted bytes: small records whole, large runs as chunks, gaps skipped. One consumer at a time. */
import { S3Error } from '../errors.ts';

export class ByteCursor {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #position = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Bytes handed out or skipped so far. */
  get position(): number {
    return this.#position;
  }

  /** Exactly `length` bytes as one array: for small records. Throws ERR_S3_SEALED_OBJECT_INVALID where the stream ends before. */
  async read(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let at = 0;
    for await (const chunk of this.run(length)) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /** The next `length` bytes as they come. */
  async *run(length: number): AsyncGenerator<Uint8Array> {
    let left = length;
    while (left > 0) {
      const chunk = await this.#next(left);
      if (chunk === undefined)
        throw new S3Error('ERR_S3_SEALED_OBJECT_INVALID', 'The stored object is shorter than it says.');
      left -= chunk.length;
      yield chunk;
    }
  }

  async skip(length: number): Promise<void> {
    for await (const _ of this.run(length));
  }

  /** Throws where anything follows. */
  async expectEnd(): Promise<void> {
    if ((await this.#next(1)) !== undefined) {
      throw new S3Error('ERR_S3_SEALED_OBJECT_INVALID', 'The stored object is longer than it says.');
    }
  }

  /** Leaves the stream: the source may let its connection go. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** Up to `most` bytes; undefined at the end. */
  async #next(most: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#rest = next.value;
    }
    const chunk = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(chunk.length);
    this.#position += chunk.length;
    return chunk;
  }
}
