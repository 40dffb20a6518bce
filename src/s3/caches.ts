/** What operations remember between requests: only accelerations, safe to lose. The operations own this file's content. */
import { LRUCache } from 'lru-cache';

export type GatewayCaches = {
  /** Part tables of sealed multipart objects by bucket, key and ETag. */
  readonly partTables: LRUCache<string, object>;
};

const MAX_PART_TABLES = 1_000;

export function createCaches(): GatewayCaches {
  return { partTables: new LRUCache({ max: MAX_PART_TABLES }) };
}
