/** The body of an upstream answer: read once, to its end or released, so that no connection is held. */
import { gather, sourceOf, type ByteSource, type Take } from '../bodies/byte-source.ts';
import { S3Error } from '../errors.ts';
import { MAX_DRAIN_BYTES } from '../limits.ts';
import type { UpstreamBody } from './client.ts';

export class AnswerBody implements UpstreamBody {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  pour(take: Take): Promise<void> {
    return this.#source.pour(take);
  }

  bytes(maxBytes: number): Promise<Uint8Array> {
    return gather(this, (length) => {
      if (length > maxBytes) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL', 'The answer of the storage is too long.');
    });
  }

  async text(maxBytes: number): Promise<string> {
    return Buffer.from(await this.bytes(maxBytes)).toString('utf8');
  }

  async release(): Promise<void> {
    let length = 0;
    try {
      await this.pour((pieces) => {
        for (const piece of pieces) length += piece.length;
        if (length > MAX_DRAIN_BYTES) throw new Error('the rest of the answer is not wanted');
        return undefined;
      });
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

  pour(take: Take): Promise<void> {
    return sourceOf([this.#bytes]).pour(take);
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
