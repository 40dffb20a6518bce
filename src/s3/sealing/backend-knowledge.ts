/**
 * What is known of each store, found out once, before it is needed first: the configuration may name any. While it cannot be found out,
 * nothing is presumed: sizes are looked up, and parts carry what completing them needs.
 *
 * Which conditions of writes it decides on is known by whether the bucket keeps versions: Ceph RGW 16 obeys `If-None-Match: *` where it keeps
 * none, and ignores it where it does. A bucket's versions may be turned on at any time, so that is asked before such a write.
 */
import type { ConditionCapabilities } from '../check-conditions.ts';
import type { ProbedCapabilities } from '../check.ts';
import { S3Error } from '../errors.ts';
import { STORE_QUESTION_MS } from '../limits.ts';
import type { GatewayContext } from '../operation.ts';
import type { ObjectStore, UpstreamClient } from '../upstream/client.ts';
import { PROBE_SWEEP_AFTER_MS } from './limits.ts';
import { StoreProbe, type StoreProbeTimes } from './store-probe.ts';
import { versioningState, type AskedBucket, type VersioningState } from './versioning-state.ts';

type Known = {
  /** What was found first, in whichever bucket: true of all, but for conditions. */
  first: ProbedCapabilities | undefined;
  /** Of whichever bucket is asked about first. */
  readonly any: StoreProbe;
  /** Of buckets in this state alone. */
  readonly in: Readonly<Record<VersioningState, StoreProbe>>;
};

export class BackendKnowledge {
  readonly #stores = new WeakMap<ObjectStore, Known>();
  readonly #times: StoreProbeTimes;

  /** As `StoreProbeTimes` has them. */
  constructor(limitMs = STORE_QUESTION_MS, sweepAfterMs = PROBE_SWEEP_AFTER_MS) {
    this.#times = { limitMs, sweepAfterMs };
  }

  /** Of the store in which the bucket lies. Undefined where it could not be tried, or not yet; after a while the next caller tries again. */
  async learn(gateway: GatewayContext, bucket: string): Promise<ProbedCapabilities | undefined> {
    const known = this.#knownOf(gateway, bucket);
    // What goes by it, such as open uploads, has to find it the same.
    if (known.first !== undefined) return known.first;
    return this.#noted(known, await known.any.learn(gateway, bucket));
  }

  /**
   * Which conditions hold in the bucket as it is set now; undefined likewise. Throws ERR_S3_NOT_IMPLEMENTED where the store does not tell how it is set,
   * and what asking throws.
   */
  async learnConditions(gateway: GatewayContext, asked: AskedBucket): Promise<ConditionCapabilities | undefined> {
    const { bucket } = asked;
    const state = await versioningState(gateway.upstream, asked);
    const confirm = async (upstream: UpstreamClient): Promise<void> => {
      if ((await versioningState(upstream, { bucket })) !== state)
        throw new S3Error('ERR_S3_SLOW_DOWN', 'Whether the bucket keeps versions was changed meanwhile.');
    };
    const known = this.#knownOf(gateway, bucket);
    const found = await known.in[state].learn(gateway, bucket, confirm);
    this.#noted(known, found);
    return found;
  }

  #noted(known: Known, found: ProbedCapabilities | undefined): ProbedCapabilities | undefined {
    known.first ??= found;
    return known.first;
  }

  #knownOf({ upstream }: GatewayContext, bucket: string): Known {
    const store = upstream.storeOf(bucket);
    const probe = (): StoreProbe => new StoreProbe(this.#times);
    const known = this.#stores.get(store) ?? {
      first: undefined,
      any: probe(),
      in: { never: probe(), enabled: probe(), suspended: probe() },
    };
    this.#stores.set(store, known);
    return known;
  }
}
