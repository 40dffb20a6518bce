/** Puts together what operations may use. For `main.ts`, the demo and tests. */
import { randomBytes } from 'node:crypto';
import type { DataKeys } from '../keys/data-keys.ts';
import { createCaches } from './caches.ts';
import { forward } from './edge/forward.ts';
import { MAX_LARGE_SEGMENT_BYTES, MAX_WAITING_REQUESTS } from './limits.ts';
import type { GatewayContext, GatewayOptions, S3Log } from './operation.ts';
import { compileRules, type S3RuleEntry } from './rules.ts';
import { ByteGovernor } from './sealing/governor.ts';
import type { UpstreamClient } from './upstream/client.ts';

export type GatewayParts = {
  readonly upstream: UpstreamClient;
  readonly dataKeys: DataKeys;
  readonly rules: readonly S3RuleEntry[];
  readonly options: GatewayOptions;
  readonly log: S3Log;
  /** Bytes that all requests in flight may hold together. */
  readonly maxBytesInFlight: number;
  readonly random?: (bytes: number) => Uint8Array;
  readonly now?: () => number;
};

/** Throws ERR_S3_RULES where the rules contradict each other. */
export function createGateway(parts: GatewayParts): GatewayContext {
  const { upstream, dataKeys, options, log } = parts;
  return {
    upstream,
    dataKeys,
    options,
    log,
    rules: compileRules(parts.rules),
    random: parts.random ?? randomBytes,
    now: parts.now ?? Date.now,
    caches: createCaches(),
    governor: new ByteGovernor(parts.maxBytesInFlight, MAX_WAITING_REQUESTS),
    segments: new ByteGovernor(MAX_LARGE_SEGMENT_BYTES, MAX_WAITING_REQUESTS),
    forward: (request) => forward(request, upstream),
  };
}
