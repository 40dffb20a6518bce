/**
 * What was found out about wrapped keys that a caller keeps and uses again and again (a column's DEK, for each statement), so that it
 * need not be found out on every use. Nothing here is about who may, or about the state of a key: those are asked every time.
 */
import type { EncryptionContext } from '../../envelope/encryption-context.ts';

/** Which key and material wrapped it, and the name under which its DEK is cached. */
export type CiphertextFacts = { readonly keyId: string; readonly materialRef: string; readonly cacheName: string };

type Known<Facts> = { readonly bytes: Uint8Array; readonly context: EncryptionContext; readonly facts: Facts };

export class KnownCiphertexts<Facts> {
  readonly #known = new WeakMap<Uint8Array, Known<Facts>>();

  /** Undefined: not known, or the bytes or the context are not those that were looked at. */
  of(wrapped: Uint8Array, context: EncryptionContext): Facts | undefined {
    const known = this.#known.get(wrapped);
    if (known?.context !== context || Buffer.compare(known.bytes, wrapped) !== 0) return undefined;
    return known.facts;
  }

  /** Kept where the context cannot change; of the bytes, which can, a copy is: `bytes`, where they were looked at a while ago. */
  keep(wrapped: Uint8Array, context: EncryptionContext, facts: Facts, bytes = Uint8Array.from(wrapped)): void {
    if (!Object.isFrozen(context)) return;
    this.#known.set(wrapped, { bytes, context, facts });
  }
}
