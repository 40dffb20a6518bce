/**
 * CORS configurations of buckets, asked of the backend and remembered for a short while. Browsers ask without a signature: so what is
 * remembered is bounded, and how many questions are under way at once.
 */
import { LRUCache } from 'lru-cache';
import { S3Error } from '../errors.ts';
import { MAX_ERROR_DOCUMENT_BYTES } from '../limits.ts';
import { childText, parseXml } from '../listing/xml-tree.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { timedQuestions } from '../upstream/timed-questions.ts';
import { parseCorsRules, type CorsRule } from './cors-rules.ts';

export type BucketCors =
  | { readonly type: 'rules'; readonly rules: readonly CorsRule[] }
  | { readonly type: 'none' }
  | { readonly type: 'no-bucket' };

/** So long after a change another gateway may still answer by what was before; S3 says "a few minutes". */
const REMEMBERED_MS = 30 * 1000;
const MAX_BUCKETS = 1_000;
/** Questions for buckets of any name, which nobody signed: few are enough, since an answer is remembered. */
const MAX_AT_ONCE = 16;

export class CorsLookup {
  readonly #known: LRUCache<string, Promise<BucketCors>>;
  #underWay = 0;

  constructor() {
    this.#known = new LRUCache({ max: MAX_BUCKETS, ttl: REMEMBERED_MS });
  }

  /** Rejects with ERR_S3_SLOW_DOWN where too many are asked for, or where the backend cannot say. */
  of(bucket: string, upstream: UpstreamClient): Promise<BucketCors> {
    const known = this.#known.get(bucket);
    if (known !== undefined) return known;
    if (this.#underWay >= MAX_AT_ONCE) return Promise.reject(new S3Error('ERR_S3_SLOW_DOWN'));
    this.#underWay += 1;
    const asked = fetchCors(bucket, upstream).finally(() => (this.#underWay -= 1));
    this.#known.set(bucket, asked);
    // A failure is not remembered, nor is it anybody's but those who wait for it.
    asked.catch(() => {
      if (this.#known.peek(bucket) === asked) this.#known.delete(bucket);
    });
    return asked;
  }

  /** After a change: who asks next sees it. */
  forget(bucket: string): void {
    this.#known.delete(bucket);
  }
}

async function fetchCors(bucket: string, upstream: UpstreamClient): Promise<BucketCors> {
  const response = await timedQuestions(upstream).send({ method: 'GET', bucket, query: new Map([['cors', '']]) });
  const text = await response.body.text(MAX_ERROR_DOCUMENT_BYTES);
  if (response.status === 200) {
    const rules = parseCorsRules(text);
    // A backend that does not know the parameter lists the bucket.
    return rules === undefined ? { type: 'none' } : { type: 'rules', rules };
  }
  if (response.status >= 500 && response.status !== 501) throw new S3Error('ERR_S3_UPSTREAM_UNREACHABLE');
  return childText(parseXml(text, 'Error'), 'Code') === 'NoSuchBucket' ? { type: 'no-bucket' } : { type: 'none' };
}
