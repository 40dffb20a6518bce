/**
 * What all workers counted, those that are gone among them: a sum that lost a worker would fall, and whoever computes rates takes a count
 * that falls for one that began anew, and all of it for what happened since.
 */
import { AggregatorRegistry, type Registry } from 'prom-client';

/** As prom-client's `getMetricsAsJSON` has them. */
type MetricList = readonly object[];
/** `metrics`: undefined where it does not answer. */
type Source = { readonly metrics: () => Promise<MetricList | undefined> };

export class Counted {
  /** As they were when they were last asked for. */
  readonly #last = new Map<Source, MetricList>();
  readonly #ended = new WeakSet<Source>();
  #gone: Promise<MetricList> = Promise.resolve([]);

  /** Of each that runs, as it says or last said; and what the others had counted. */
  async by(running: readonly Source[]): Promise<readonly MetricList[]> {
    await Promise.all(running.map((one) => this.#ask(one)));
    for (;;) {
      const adding = this.#gone;
      const gone = await adding;
      if (adding === this.#gone) return [gone, ...this.#last.values()];
    }
  }

  /** What it counted since it was asked last is lost with it. */
  ended(one: Source): void {
    this.#ended.add(one);
    const last = this.#last.get(one);
    if (last === undefined) return;
    this.#last.delete(one);
    this.#gone = this.#gone.then((gone) => added([gone, last.filter(isCount)]).getMetricsAsJSON());
  }

  async #ask(one: Source): Promise<void> {
    const metrics = await one.metrics();
    if (metrics !== undefined && !this.#ended.has(one)) this.#last.set(one, metrics);
  }
}

/** A gauge is of what is; a count is of what was. */
const isCount = (metric: object): boolean =>
  'type' in metric && (metric.type === 'counter' || metric.type === 'histogram');

export function added(all: readonly MetricList[]): Registry {
  return AggregatorRegistry.aggregate(all.map((one) => [...one]));
}
