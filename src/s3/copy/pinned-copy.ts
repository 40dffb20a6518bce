/** What a copy by the backend works with, and its answer where the source is another object by now. */
import type { ProbedCapabilities } from '../check.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import type { OpenedEnvelope } from '../sealing/envelope-headers.ts';
import { ObjectChanged, type StoredAnswer } from '../sealing/fetch-stored.ts';

/** Headers that make the backend copy just what was looked at. */
export type Pin = S3Headers;

/** Bytes at the destination, as the backend says. */
export type Copied = { readonly etag: string; readonly lastModified: string | undefined; readonly headers: S3Headers };

export type ServerCopy = {
  readonly request: S3Request;
  readonly gateway: GatewayContext;
  readonly source: S3Request;
  readonly stored: StoredAnswer;
  readonly opened: OpenedEnvelope;
  readonly pin: Pin;
  /** With which the destination is made. */
  readonly headers: S3Headers;
  readonly backend: ProbedCapabilities;
};

/** The pin did not hold: the source is another object now. */
export async function pinnedCopy<T>(copy: () => Promise<T>): Promise<T> {
  try {
    return await copy();
  } catch (error) {
    if (error instanceof S3Error && error.status === 412) throw new ObjectChanged();
    throw error;
  }
}
