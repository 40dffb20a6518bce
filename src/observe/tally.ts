/** A Prometheus counter for hot paths: it counts in plain numbers, which go into the counter when somebody reads it. */
import { Counter, type CounterConfiguration } from 'prom-client';

type Count<Label extends string> = { readonly labels: Readonly<Record<Label, string>>; pending: number };

export class Tally<Label extends string> {
  /** By the labels' values, joined. They come from closed sets, so there are few. */
  readonly #counts = new Map<string, Count<Label>>();

  constructor(configuration: Omit<CounterConfiguration<Label>, 'collect'>) {
    const counts = this.#counts;
    new Counter<Label>({
      ...configuration,
      collect() {
        for (const count of counts.values()) {
          this.inc(count.labels, count.pending);
          count.pending = 0;
        }
      },
    });
  }

  /** Adds to the counter of these labels; `name` tells their values apart. */
  add(name: string, labels: Readonly<Record<Label, string>>, amount = 1): void {
    const known = this.#counts.get(name);
    if (known === undefined) this.#counts.set(name, { labels, pending: amount });
    else known.pending += amount;
  }
}
