/** What a store can do, found out once, by whoever asks first; where that breaks off, again after a while, and never over what it left. */
import { setTimeout } from 'node:timers/promises';
import { probeAt, type ProbedCapabilities } from '../check.ts';
import { clearProbe, newProbeKey, type ProbePlace } from '../check-leftovers.ts';
import type { GatewayContext } from '../operation.ts';
import { sweepProbes, type SweptPlace } from '../sweep-probes.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { timedQuestions } from '../upstream/timed-questions.ts';
import { PROBE_AGAIN_MS } from './limits.ts';

export type StoreProbeTimes = {
  /** How long one who asks waits, and how long the store has for each request. */
  readonly limitMs: number;
  /** After which what earlier probes left is swept. */
  readonly sweepAfterMs: number;
};

/** Throws where what was found is not to be kept; asks by the probe's own client, with its limits. */
type Confirm = (upstream: UpstreamClient) => Promise<void>;

export class StoreProbe {
  readonly #times: StoreProbeTimes;
  /** What those who ask wait for. */
  #probe: Promise<ProbedCapabilities | undefined> | undefined;
  #failedAt = -Infinity;
  /** By bucket the key of a probe that broke off, of which something may lie there. */
  readonly #left = new Map<string, string>();

  constructor(times: StoreProbeTimes) {
    this.#times = times;
  }

  /**
   * Undefined where it could not be tried, or not yet; after a while the next caller tries again. `confirm`: throws where what was found is not to be
   * kept, asked once it was.
   */
  async learn(
    gateway: GatewayContext,
    bucket: string,
    confirm: Confirm = () => Promise.resolve(),
  ): Promise<ProbedCapabilities | undefined> {
    // Each row of a listing asks: a backend that may not be written to must not be tried for each.
    if (gateway.now() - this.#failedAt < PROBE_AGAIN_MS) return undefined;
    // A probe is some thirty requests, and clearing up after one that broke off: a slow store is found out in the background, and holds nobody.
    this.#probe ??= Promise.race([
      this.#try(gateway, bucket, confirm),
      setTimeout(this.#times.limitMs, undefined, { ref: false }),
    ]);
    return this.#probe;
  }

  async #try(
    { upstream, random, log, now }: GatewayContext,
    bucket: string,
    confirm: Confirm,
  ): Promise<ProbedCapabilities | undefined> {
    const place = { upstream: timedQuestions(upstream, this.#times.limitMs), bucket };
    try {
      const found = await this.#probeCleanly(place, random);
      await confirm(place.upstream);
      this.#probe = Promise.resolve(found);
      log.info({ bucket, capabilities: found }, 'what the storage behind the gateway can do');
      void this.#sweepLater(place, log, now);
      return found;
    } catch (error) {
      this.#probe = undefined;
      this.#failedAt = now();
      log.warn({ err: error, bucket }, 'what the storage can do is not known yet');
      return undefined;
    }
  }

  /** Hundreds of requests perhaps: nobody waits for them, and they do not come beside those of who asked. */
  async #sweepLater(place: SweptPlace, log: GatewayContext['log'], now: GatewayContext['now']): Promise<void> {
    await setTimeout(this.#times.sweepAfterMs, undefined, { ref: false });
    try {
      await sweepProbes(place, now());
    } catch (error) {
      log.warn({ err: error, bucket: place.bucket }, 'what earlier probes left behind could not be swept');
    }
  }

  /** While something of the last probe in the bucket may be left, there is no other: or they would pile up, one a minute. */
  async #probeCleanly(place: Omit<ProbePlace, 'key'>, random: GatewayContext['random']): Promise<ProbedCapabilities> {
    const { bucket } = place;
    const clear = async (key: string): Promise<void> => {
      await clearProbe({ ...place, key });
      this.#left.delete(bucket);
    };
    const last = this.#left.get(bucket);
    if (last !== undefined) await clear(last);
    const key = newProbeKey(random);
    this.#left.set(bucket, key);
    try {
      const found = await probeAt({ ...place, key });
      this.#left.delete(bucket);
      return found;
    } catch (error) {
      // What failed first is what is told.
      await clear(key).catch(() => undefined);
      throw error;
    }
  }
}
