/**
 * What is known of the backend, found out once, before it is needed first: the configuration may name any store. While it cannot be
 * found out, nothing is presumed: sizes are looked up, and parts carry what completing them needs.
 */
import { probeCapabilities, type ProbedCapabilities } from '../check.ts';
import type { GatewayContext } from '../operation.ts';
import { PROBE_AGAIN_MS } from './limits.ts';

export class BackendKnowledge {
  #probe: Promise<ProbedCapabilities | undefined> | undefined;
  #failedAt = -Infinity;

  /** Undefined where the backend could not be tried; after a while the next caller tries again. */
  async learn(gateway: GatewayContext, bucket: string): Promise<ProbedCapabilities | undefined> {
    // Each row of a listing asks: a backend that may not be written to must not be tried for each.
    if (gateway.now() - this.#failedAt < PROBE_AGAIN_MS) return undefined;
    this.#probe ??= this.#try(gateway, bucket);
    return this.#probe;
  }

  async #try({ upstream, random, log, now }: GatewayContext, bucket: string): Promise<ProbedCapabilities | undefined> {
    try {
      const found = await probeCapabilities(upstream, bucket, random);
      log.info({ capabilities: found }, 'what the storage behind the gateway can do');
      return found;
    } catch (error) {
      this.#probe = undefined;
      this.#failedAt = now();
      log.warn({ err: error, bucket }, 'what the storage can do is not known yet');
      return undefined;
    }
  }
}
