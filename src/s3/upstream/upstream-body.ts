/** The body of an upstream answer: read once, to its end or released, so that no connection is held. */
import { S3Error } from '../errors.ts';
import { MAX_DRAIN_BYTES } from '../limits.ts';
import type { UpstreamBody } from './client.ts';

/** What undici gives: a stream that can be drained. */
export interface Drainable extends AsyncIterable<Uint8Array> {
  dump(options: { limit: number }): Promise<void>;
  destroy(): unknown;
}

export class AnswerBody implements UpstreamBody {
  readonly #source: Drainable;

  constructor(source: Drainable) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* this.#source;
    } catch (error) {
      throw new S3Error('ERR_S3_UPSTREAM_UNREACHABLE', 'The storage closed the connection within its answer.', {
        cause: error,
      });
    }
  }

  async bytes(maxBytes: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this) {
      length += chunk.length;
      if (length > maxBytes) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL', 'The answer of the storage is too long.');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async text(maxBytes: number): Promise<string> {
    return Buffer.from(await this.bytes(maxBytes)).toString('utf8');
  }

  async release(): Promise<void> {
    await this.#source.dump({ limit: MAX_DRAIN_BYTES }).catch(() => this.#source.destroy());
  }
}

/** A body that was read already. */
export class WholeBody implements UpstreamBody {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    if (this.#bytes.length > 0) yield this.#bytes;
  }

  bytes(): Promise<Uint8Array> {
    return Promise.resolve(this.#bytes);
  }

  text(): Promise<string> {
    return Promise.resolve(Buffer.from(this.#bytes).toString('utf8'));
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}
