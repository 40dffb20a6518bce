/**
 * What is known of each store, found out once, before it is needed first: the configuration may name any. While it cannot be found out,
 * nothing is presumed: sizes are looked up, and parts carry what completing them needs.
 */
import { probeCapabilities, type ProbedCapabilities } from '../check.ts';
import type { GatewayContext } from '../operation.ts';
import type { ObjectStore } from '../upstream/client.ts';
import { timedQuestions } from '../upstream/timed-questions.ts';
import { PROBE_AGAIN_MS } from './limits.ts';

type Known = { probe: Promise<ProbedCapabilities | undefined> | undefined; failedAt: number };

export class BackendKnowledge {
  readonly #stores = new WeakMap<ObjectStore, Known>();

  /** Of the store in which the bucket lies. Undefined where it could not be tried; after a while the next caller tries again. */
  async learn(gateway: GatewayContext, bucket: string): Promise<ProbedCapabilities | undefined> {
    const known = this.#knownOf(gateway.upstream.storeOf(bucket));
    // Each row of a listing asks: a backend that may not be written to must not be tried for each.
    if (gateway.now() - known.failedAt < PROBE_AGAIN_MS) return undefined;
    known.probe ??= this.#try(gateway, bucket, known);
    return known.probe;
  }

  #knownOf(store: ObjectStore): Known {
    const known = this.#stores.get(store) ?? { probe: undefined, failedAt: -Infinity };
    this.#stores.set(store, known);
    return known;
  }

  async #try(
    { upstream, random, log, now }: GatewayContext,
    bucket: string,
    known: Known,
  ): Promise<ProbedCapabilities | undefined> {
    try {
      const found = await probeCapabilities(timedQuestions(upstream), bucket, random);
      log.info({ bucket, capabilities: found }, 'what the storage behind the gateway can do');
      return found;
    } catch (error) {
      known.probe = undefined;
      known.failedAt = now();
      log.warn({ err: error, bucket }, 'what the storage can do is not known yet');
      return undefined;
    }
  }
}
