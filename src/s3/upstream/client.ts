/**
 * The way to the storage behind the gateway: what operations ask of it. One store: `signing-client.ts`; several: `several-stores.ts`.
 */
import type { ByteSource } from '../bodies/byte-source.ts';
import type { S3Headers, S3Query } from '../operation.ts';
import type { UpstreamCapabilities } from './capabilities.ts';
import type { Trailer } from './framing.ts';

export type UpstreamRequest = {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS';
  /** Absent for operations on the service (ListBuckets). */
  readonly bucket?: string;
  /** The key as it is, not percent-encoded. */
  readonly key?: string;
  readonly query?: S3Query;
  /** Lower-case names. `host`, `authorization`, `x-amz-date`, `x-amz-content-sha256`, `content-length` are made by the client. */
  readonly headers?: S3Headers;
  /** A whole body is hashed and may be retried; a stream is sent once, with `contentLength` bytes exactly. */
  readonly body?: Uint8Array | ByteSource;
  /** Required for streams. A stream that ends early or fails aborts the request: the backend stores nothing. */
  readonly contentLength?: number;
  /** A checksum that is known when the stream has ended; only with `capabilities.trailingChecksums`. */
  readonly trailer?: Trailer;
  /** SHA-256 in hex of a stream of which it is known before: that is signed, as of a whole body, and no chunks are. */
  readonly bodySha256?: string;
  /** The body is the client's own, with the checksum it chose or none: `own-checksum.ts` adds nothing. */
  readonly asSent?: boolean;
  /**
   * Which connections it may take. A request that is made while another answer is held has connections of its own (`beside`: a short one;
   * `copy`: what a copy writes while it reads, and what copies that read wait for). Else all connections could be held by requests that wait for one more.
   */
  readonly lane?: 'beside' | 'copy';
  /** Ends the request when the client vanished. */
  readonly signal?: AbortSignal;
};

export type UpstreamResponse = {
  readonly status: number;
  /** Lower-case names; repeated headers joined by `, `. */
  readonly headers: S3Headers;
  /** Must be read to its end or released: an unread body holds its connection. */
  readonly body: UpstreamBody;
};

export interface UpstreamBody extends ByteSource {
  /** The whole body, at most `maxBytes` (ERR_S3_UPSTREAM_PROTOCOL beyond it). */
  bytes(maxBytes: number): Promise<Uint8Array>;
  text(maxBytes: number): Promise<string>;
  /** Reads a short rest so that the connection can be reused, or drops the connection. */
  release(): Promise<void>;
}

export interface ObjectStore {
  readonly capabilities: UpstreamCapabilities;
  /**
   * Sends one request. Answers of any status are values; rejects with S3Error only where there is no answer
   * (ERR_S3_UPSTREAM_UNREACHABLE, ERR_S3_UPSTREAM_TIMEOUT, ERR_S3_UPSTREAM_CREDENTIALS) or with the error the body stream ended with.
   */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
}

export interface UpstreamClient {
  /** All there are. The first has the buckets that none of the others is named for. */
  readonly stores: readonly ObjectStore[];
  /** Where the bucket lies, or would: one and the same of `stores` for all buckets of a store. */
  storeOf(bucket: string): ObjectStore;
  /** As `ObjectStore.send`, to the store of the bucket; what names none goes to the first. */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  close(): Promise<void>;
}

/** The same stores, asked in another way. */
export function sendingBy(upstream: UpstreamClient, send: UpstreamClient['send']): UpstreamClient {
  return {
    stores: upstream.stores,
    storeOf: (bucket) => upstream.storeOf(bucket),
    send,
    close: () => upstream.close(),
  };
}
