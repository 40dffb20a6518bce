/** The body of an upstream answer: read once, to its end or released, so that no connection is held. */
import { S3Error } from '../errors.ts';
import { MAX_DRAIN_BYTES } from '../limits.ts';
import type { UpstreamBody } from './client.ts';

/** What an answer's bytes come from. */
export interface AnswerSource extends AsyncIterator<Uint8Array, undefined> {
  /** Drops the connection. Nothing is read afterwards. */
  return(): Promise<IteratorResult<Uint8Array, undefined>>;
}

export class AnswerBody implements UpstreamBody {
  readonly #source: AnswerSource;

  constructor(source: AnswerSource) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return this.#source;
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
    let length = 0;
    try {
      for await (const chunk of this) {
        length += chunk.length;
        if (length > MAX_DRAIN_BYTES) break;
      }
    } catch {
      // The connection is gone, which is all that was wanted.
    }
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
