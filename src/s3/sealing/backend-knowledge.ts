/**
 * What is known of each store, found out once, before it is needed first: the configuration may name any. While it cannot be found out,
 * nothing is presumed: sizes are looked up, and parts carry what completing them needs.
 *
 * Which conditions of writes it decides on is known by whether the bucket keeps versions: Ceph RGW 16 obeys `If-None-Match: *` where it keeps
 * none, and ignores it where it does. A bucket's versions may be turned on at any time, so that is asked with each such write.
 */
import { setTimeout } from 'node:timers/promises';
import { probeAt, type ProbedCapabilities } from '../check.ts';
import { clearProbe, newProbeKey, type ProbePlace } from '../check-leftovers.ts';
import { STORE_QUESTION_MS } from '../limits.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import { sweepProbes, type SweptPlace } from '../sweep-probes.ts';
import type { ConditionCapabilities } from '../check-conditions.ts';
import type { ObjectStore } from '../upstream/client.ts';
import { timedQuestions } from '../upstream/timed-questions.ts';
import { PROBE_AGAIN_MS, PROBE_SWEEP_AFTER_MS } from './limits.ts';
import { versioningState } from './versioning-state.ts';

type Known = {
  /** What those who ask wait for. */
  probe: Promise<ProbedCapabilities | undefined> | undefined;
  failedAt: number;
  /** By bucket the key of a probe that broke off, of which something may lie there. */
  readonly left: Map<string, string>;
};

/** Whatever bucket comes first: nothing is said of its settings. */
const ANY = 'any';

export class BackendKnowledge {
  /** By what buckets have in common there; what holds for all of them is known of whichever was tried first. */
  readonly #stores = new WeakMap<ObjectStore, Map<string, Known>>();
  readonly #limitMs: number;
  readonly #sweepAfterMs: number;

  /** `limitMs`: how long one who asks waits, and how long the store has for each request. `sweepAfterMs`: of what earlier probes left. */
  constructor(limitMs = STORE_QUESTION_MS, sweepAfterMs = PROBE_SWEEP_AFTER_MS) {
    this.#limitMs = limitMs;
    this.#sweepAfterMs = sweepAfterMs;
  }

  /** Of the store in which the bucket lies. Undefined where it could not be tried, or not yet; after a while the next caller tries again. */
  async learn(gateway: GatewayContext, bucket: string): Promise<ProbedCapabilities | undefined> {
    const [known] = this.#knownOf(gateway, bucket).values();
    return this.#learn(gateway, bucket, known ?? this.#begin(gateway, bucket, ANY));
  }

  /** Which conditions hold in the bucket as it is set now; undefined likewise. Throws what asking how it is set throws. */
  async learnConditions(
    gateway: GatewayContext,
    request: Pick<S3Request, 'bucket' | 'signal'>,
  ): Promise<ConditionCapabilities | undefined> {
    const { bucket } = request;
    const state = await versioningState(gateway.upstream, request);
    // What nobody tells is tried in the very bucket, and true for as long as nobody sets it otherwise.
    const like = state === 'unknown' ? `unknown ${bucket}` : state;
    return this.#learn(gateway, bucket, this.#knownOf(gateway, bucket).get(like) ?? this.#begin(gateway, bucket, like));
  }

  async #learn(gateway: GatewayContext, bucket: string, known: Known): Promise<ProbedCapabilities | undefined> {
    // Each row of a listing asks: a backend that may not be written to must not be tried for each.
    if (gateway.now() - known.failedAt < PROBE_AGAIN_MS) return undefined;
    // A probe is some thirty requests, and clearing up after one that broke off: a slow store is found out in the background, and holds nobody.
    known.probe ??= Promise.race([
      this.#try(gateway, bucket, known),
      setTimeout(this.#limitMs, undefined, { ref: false }),
    ]);
    return known.probe;
  }

  #knownOf({ upstream }: GatewayContext, bucket: string): Map<string, Known> {
    const store = upstream.storeOf(bucket);
    const known = this.#stores.get(store) ?? new Map<string, Known>();
    this.#stores.set(store, known);
    return known;
  }

  #begin(gateway: GatewayContext, bucket: string, like: string): Known {
    const known: Known = { probe: undefined, failedAt: -Infinity, left: new Map() };
    this.#knownOf(gateway, bucket).set(like, known);
    return known;
  }

  async #try(
    { upstream, random, log, now }: GatewayContext,
    bucket: string,
    known: Known,
  ): Promise<ProbedCapabilities | undefined> {
    const place = { upstream: timedQuestions(upstream, this.#limitMs), bucket };
    try {
      const found = await probeCleanly(place, random, known);
      known.probe = Promise.resolve(found);
      log.info({ bucket, capabilities: found }, 'what the storage behind the gateway can do');
      void this.#sweepLater(place, log, now);
      return found;
    } catch (error) {
      known.probe = undefined;
      known.failedAt = now();
      log.warn({ err: error, bucket }, 'what the storage can do is not known yet');
      return undefined;
    }
  }

  /** Hundreds of requests perhaps: nobody waits for them, and they do not come beside those of who asked. */
  async #sweepLater(place: SweptPlace, log: GatewayContext['log'], now: GatewayContext['now']): Promise<void> {
    await setTimeout(this.#sweepAfterMs, undefined, { ref: false });
    try {
      await sweepProbes(place, now());
    } catch (error) {
      log.warn({ err: error, bucket: place.bucket }, 'what earlier probes left behind could not be swept');
    }
  }
}

/** While something of the last probe in the bucket may be left, there is no other: or they would pile up, one a minute. */
async function probeCleanly(
  place: Omit<ProbePlace, 'key'>,
  random: GatewayContext['random'],
  { left }: Known,
): Promise<ProbedCapabilities> {
  const { bucket } = place;
  const clear = async (key: string): Promise<void> => {
    await clearProbe({ ...place, key });
    left.delete(bucket);
  };
  const last = left.get(bucket);
  if (last !== undefined) await clear(last);
  const key = newProbeKey(random);
  left.set(bucket, key);
  try {
    const found = await probeAt({ ...place, key });
    left.delete(bucket);
    return found;
  } catch (error) {
    // What failed first is what is told.
    await clear(key).catch(() => undefined);
    throw error;
  }
}
