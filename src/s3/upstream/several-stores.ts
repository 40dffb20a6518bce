/**
 * Several object stores behind one gateway. Each bucket lies in one of them, by its name alone, so that whatever names it is sent there:
 * a bucket of the same name in another store is none that clients can see.
 */
import type { ObjectStore, UpstreamClient, UpstreamRequest, UpstreamResponse } from './client.ts';

type Store = ObjectStore & { close(): Promise<void> };

/** A store, and whose buckets it has: names, or beginnings of names followed by `*`. No pattern comes twice. */
export type NamedStore = { readonly buckets: readonly string[]; readonly store: Store };

export class SeveralStores implements UpstreamClient {
  readonly stores: readonly ObjectStore[];
  readonly #usual: Store;
  readonly #others: readonly Store[];
  readonly #exact: ReadonlyMap<string, Store>;
  /** The longest first: the narrowest pattern wins, as among bucket rules. */
  readonly #beginnings: readonly (readonly [beginning: string, store: Store])[];

  constructor(usual: Store, others: readonly NamedStore[]) {
    const named = others.flatMap(({ buckets, store }) => buckets.map((bucket) => [bucket, store] as const));
    const patterns = named.filter(([bucket]) => bucket.endsWith('*'));
    this.#usual = usual;
    this.#others = others.map(({ store }) => store);
    this.stores = [usual, ...this.#others];
    this.#exact = new Map(named.filter(([bucket]) => !bucket.endsWith('*')));
    this.#beginnings = patterns
      .map(([bucket, store]) => [bucket.slice(0, -1), store] as const)
      .sort(([one], [other]) => other.length - one.length);
  }

  storeOf(bucket: string): ObjectStore {
    if (bucket === '') return this.#usual;
    const exact = this.#exact.get(bucket);
    if (exact !== undefined) return exact;
    return this.#beginnings.find(([beginning]) => bucket.startsWith(beginning))?.[1] ?? this.#usual;
  }

  send(request: UpstreamRequest): Promise<UpstreamResponse> {
    return this.storeOf(request.bucket ?? '').send(request);
  }

  async close(): Promise<void> {
    await Promise.all([this.#usual, ...this.#others].map((store) => store.close()));
  }
}
