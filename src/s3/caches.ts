/** What operations remember between requests: only accelerations, safe to lose. The operations own this file's content. */
import { LRUCache } from 'lru-cache';
import { CorsLookup } from './cors/cors-lookup.ts';
import { BackendKnowledge } from './sealing/backend-knowledge.ts';
import type { ObjectLayout } from './sealing/object-layout.ts';
import type { KnownPart } from './multipart/known-parts.ts';
import type { KnownPlain } from './plain/known-plain.ts';
import { PartsInFlight } from './multipart/parts-in-flight.ts';
import { ObjectLocks } from './multipart/object-locks.ts';
import { OneAtATime } from './multipart/one-at-a-time.ts';
import { SweepTimes } from './multipart/sweep-times.ts';

export type GatewayCaches = {
  readonly cors: CorsLookup;
  readonly backend: BackendKnowledge;
  /** Where the plaintext lies in sealed objects, by bucket, key and version; each holds the ETag it is true for. */
  readonly layouts: LRUCache<string, ObjectLayout>;
  /** Reads of layouts under way, by object and ETag. */
  readonly layoutReads: OneAtATime;
  /** Plaintext sizes for listings of backends whose ETags do not count parts, by bucket, key, ETag and stored size. */
  readonly sizes: LRUCache<string, number>;
  /** Objects that lie plain under a rule that seals, by bucket, key and version; each with the ETag it is true for. */
  readonly plain: LRUCache<string, KnownPlain>;
  /** What was sealed into parts of open uploads, by upload, part number and ETag. */
  readonly knownParts: LRUCache<string, KnownPart>;
  /** Completions and abortions of uploads under way, by object id. */
  readonly endings: OneAtATime;
  readonly objectLocks: ObjectLocks;
  /** Which buckets may hold what uploads left behind. */
  readonly sweeps: SweepTimes;
  /** By object id. */
  readonly partsInFlight: PartsInFlight;
};

/** A row is about 200 bytes with its prefix: 40 MB when full. An object has up to 10 000. */
const MAX_LAYOUT_PARTS = 200_000;
const MAX_SIZES = 100_000;
const MAX_PLAIN = 100_000;
const MAX_KNOWN_PARTS = 100_000;

export function createCaches(): GatewayCaches {
  return {
    cors: new CorsLookup(),
    backend: new BackendKnowledge(),
    layouts: new LRUCache({ maxSize: MAX_LAYOUT_PARTS, sizeCalculation: (layout) => 4 + layout.parts.length }),
    layoutReads: new OneAtATime(),
    sizes: new LRUCache({ max: MAX_SIZES }),
    plain: new LRUCache({ max: MAX_PLAIN }),
    knownParts: new LRUCache({ max: MAX_KNOWN_PARTS }),
    endings: new OneAtATime(),
    objectLocks: new ObjectLocks(),
    sweeps: new SweepTimes(),
    partsInFlight: new PartsInFlight(),
  };
}
