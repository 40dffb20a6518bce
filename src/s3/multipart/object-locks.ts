/** Which buckets have Object Lock, asked of the backend and remembered for a short while: it can be switched on at any time. */
import { LRUCache } from 'lru-cache';
import { S3Error } from '../errors.ts';
import { MAX_ERROR_DOCUMENT_BYTES } from '../limits.ts';
import { childText, parseXml } from '../listing/xml-tree.ts';
import type { GatewayContext } from '../operation.ts';
import { PROBE_AGAIN_MS } from '../sealing/limits.ts';
import { timedQuestions } from '../upstream/timed-questions.ts';

const REMEMBERED_MS = 60 * 1000;
const MAX_BUCKETS = 1_000;

export class ObjectLocks {
  readonly #known = new LRUCache<string, Promise<boolean>>({ max: MAX_BUCKETS, ttl: REMEMBERED_MS });
  readonly #limitMs: number | undefined;

  /** `limitMs`: how long a store may take to say. */
  constructor(limitMs?: number) {
    this.#limitMs = limitMs;
  }

  /** False too where the backend would not say: then it is for the backend to take or refuse what comes. */
  isLocked(bucket: string, gateway: GatewayContext): Promise<boolean> {
    const known = this.#known.get(bucket);
    if (known !== undefined) return known;
    const asked = askFor(bucket, gateway, this.#limitMs).catch((error: unknown) => {
      const isLatest = this.#known.peek(bucket) === asked;
      // Each part of an upload would wait as long for a store that hangs; else who asks next may be told.
      if (isLatest && hung(error)) this.#known.set(bucket, asked, { ttl: PROBE_AGAIN_MS });
      else if (isLatest) this.#known.delete(bucket);
      gateway.log.warn({ err: error, bucket }, 'whether the bucket has Object Lock is not known');
      return false;
    });
    this.#known.set(bucket, asked);
    return asked;
  }
}

const hung = (error: unknown): boolean => error instanceof S3Error && error.code === 'ERR_S3_UPSTREAM_TIMEOUT';

async function askFor(
  bucket: string,
  { upstream, log }: GatewayContext,
  limitMs: number | undefined,
): Promise<boolean> {
  const query = new Map([['object-lock', '']]);
  const response = await timedQuestions(upstream, limitMs).send({ method: 'GET', bucket, query });
  const text = await response.body.text(MAX_ERROR_DOCUMENT_BYTES);
  if (response.status >= 500 && response.status !== 501) throw new S3Error('ERR_S3_UPSTREAM_UNREACHABLE');
  // Of buckets without it S3 says 404.
  if (response.status === 403) log.warn({ bucket }, 'the gateway may not ask whether the bucket has Object Lock');
  return childText(parseXml(text.trim(), 'ObjectLockConfiguration'), 'ObjectLockEnabled') === 'Enabled';
}
