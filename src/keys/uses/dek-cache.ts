/**
 * Opened DEKs, bounded by age, uses and number. A hit saves the unwrap and nothing else: the key's state, authorisation and
 * audit come before every look-up. Dropped entries let go of their KeyObject; OpenSSL zeroes its bytes when it is collected.
 */
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Dek } from '../../crypto/key-types.ts';
import type { CanonicalContext } from '../../envelope/encryption-context.ts';
import type { DekCacheLimits } from '../options.ts';

/** A DEK, and the key that wrapped it. */
export type CachedDek = { readonly dek: Dek; readonly keyId: string };
type Entry = CachedDek & { uses: number };

export class DekCache {
  readonly #entries: LRUCache<string, Entry> | undefined;
  readonly #maxUses: number;
  readonly #dropped: (() => void) | undefined;
  readonly #purge: NodeJS.Timeout | undefined;

  /** `dropped`: called when the DEKs of a key were dropped, for who holds any elsewhere. */
  constructor(limits: DekCacheLimits, now: () => number, dropped?: () => void) {
    this.#maxUses = limits.maxUses;
    this.#dropped = dropped;
    if (limits.maxEntries < 1 || limits.maxAgeMs < 1 || limits.maxUses < 1) return;
    // ttlResolution 0: age is asked of our clock each time, not of a remembered instant.
    const entries = new LRUCache<string, Entry>({
      max: limits.maxEntries,
      ttl: limits.maxAgeMs,
      ttlResolution: 0,
      perf: { now },
    });
    this.#entries = entries;
    // An entry nobody asks for again would stay beyond its age.
    this.#purge = setInterval(() => entries.purgeStale(), limits.maxAgeMs).unref();
  }

  get(name: string): CachedDek | undefined {
    const entry = this.#entries?.get(name);
    if (entry === undefined) return undefined;
    entry.uses += 1;
    if (entry.uses >= this.#maxUses) this.#entries?.delete(name);
    return entry;
  }

  /** Whether it would be found; no use of it. */
  has(name: string): boolean {
    return this.#entries?.has(name) === true;
  }

  /** `dek` was just used once. */
  put(name: string, dek: Dek, keyId: string): void {
    if (this.#maxUses > 1) this.#entries?.set(name, { dek, keyId, uses: 1 });
  }

  /** Every DEK that this key wrapped, at once. */
  dropKey(keyId: string): void {
    for (const [name, entry] of this.#entries?.entries() ?? []) {
      if (entry.keyId === keyId) this.#entries?.delete(name);
    }
    this.#dropped?.();
  }

  clear(): void {
    this.#entries?.clear();
  }

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  close(): void {
    clearInterval(this.#purge);
    this.#entries?.clear();
  }
}

/** Of a name in full; most wrapped data keys have 137 bytes, and most contexts fewer. */
const MAX_NAME_BYTES = 512;

/**
 * The wrapped key and its context, or a hash of them where they are long: the same bytes under another context are another entry.
 * None of it is secret, and the two forms differ in their first character: the length's first byte is zero.
 */
export function cacheName(wrapped: Uint8Array, context: CanonicalContext): string {
  const length = 4 + wrapped.length + context.length;
  const bytes = Buffer.allocUnsafe(length);
  bytes.writeUInt32BE(wrapped.length);
  bytes.set(wrapped, 4);
  bytes.set(context, 4 + wrapped.length);
  return length > MAX_NAME_BYTES ? hash('sha256', bytes, 'base64') : bytes.toString('latin1');
}
