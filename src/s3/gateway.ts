/** Puts together what operations may use. For `main.ts`, the demo and tests. */
import { pooledRandom, type RandomSource } from '../crypto/random.ts';
import type { DataKeys } from '../keys/uses/data-keys.ts';
import { createCaches } from './caches.ts';
import { forward } from './edge/forward.ts';
import {
  CLIENT_PATIENCE_MS,
  MAX_DOCUMENTS_BYTES,
  MAX_LARGE_SEGMENT_BYTES,
  MAX_WAIT_MS,
  MAX_WAITING_REQUESTS,
  MAX_WHOLE_PARTS_BYTES,
} from './limits.ts';
import type { GatewayContext, GatewayOptions, S3Log } from './operation.ts';
import { compileRules, type S3RuleEntry } from './rules.ts';
import { ByteGovernor, type GovernorLimits } from './sealing/governor.ts';
import type { UpstreamClient } from './upstream/client.ts';

export type GatewayParts = {
  readonly upstream: UpstreamClient;
  readonly dataKeys: DataKeys;
  readonly rules: readonly S3RuleEntry[];
  readonly options: GatewayOptions;
  readonly log: S3Log;
  /** Bytes that all requests in flight may hold together. */
  readonly maxBytesInFlight: number;
  /** What large segments may hold together; MAX_LARGE_SEGMENT_BYTES unless told. */
  readonly maxSegmentBytes?: number;
  /** How long is waited for memory, and for slow clients that hold it; as in `limits.ts` unless told. */
  readonly waiting?: Partial<Omit<GovernorLimits, 'maxBytes'>>;
  readonly random?: RandomSource;
  readonly now?: () => number;
};

const WAITING = { maxWaiting: MAX_WAITING_REQUESTS, maxWaitMs: MAX_WAIT_MS, patienceMs: CLIENT_PATIENCE_MS };

/** Throws ERR_S3_RULES where the rules contradict each other. */
export function createGateway(parts: GatewayParts): GatewayContext {
  const { upstream, dataKeys, options, log } = parts;
  const waiting = { ...WAITING, ...parts.waiting };
  return {
    upstream,
    dataKeys,
    options,
    log,
    rules: compileRules(parts.rules),
    random: parts.random ?? pooledRandom(),
    now: parts.now ?? Date.now,
    caches: createCaches(),
    governor: new ByteGovernor({ ...waiting, maxBytes: parts.maxBytesInFlight }),
    segments: new ByteGovernor({ ...waiting, maxBytes: parts.maxSegmentBytes ?? MAX_LARGE_SEGMENT_BYTES }),
    documents: new ByteGovernor({ ...waiting, maxBytes: MAX_DOCUMENTS_BYTES }),
    wholeParts: new ByteGovernor({ ...waiting, maxBytes: MAX_WHOLE_PARTS_BYTES }),
    forward: (request) => forward(request, upstream),
  };
}
