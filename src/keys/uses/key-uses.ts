/** Which key a request is about, and whether it may be used so: what data keys and the KMS API's own operations have in common. */
import type { CanonicalContext, EncryptionContext } from '../../envelope/encryption-context.ts';
import { wrapKey } from '../../envelope/wrapped-key.ts';
import type { RandomSource } from '../../crypto/random.ts';
import type { RequestFacts, RequestParameters } from '../access/request.ts';
import { canonicalContext } from './ciphertexts.ts';
import type { KeyUse } from './data-keys.ts';
import { assertKeyUsable, assertWraps, currentOf, kekOf, type HeldKey, type KeyRing } from '../key-ring.ts';
import type { DryRun } from './key-operations.ts';
import { aliasNamed, wrapFacts } from '../request-facts.ts';
import type { UseRecorder, UseTrace } from './use-recorder.ts';

/** A key whose current material may wrap, and the context that what it wraps is bound to. */
export type Wrapping = { readonly key: HeldKey; readonly context: CanonicalContext };

type WrappingRequest = {
  readonly keyId: string;
  readonly context: EncryptionContext;
  /** To be wrapped; 0: not known yet. */
  readonly bytes: number;
} & DryRun;

export class KeyUses {
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;
  readonly #facts: (keyId: string) => RequestFacts;

  constructor(ring: KeyRing, recorder: UseRecorder) {
    this.#ring = ring;
    this.#recorder = recorder;
    this.#facts = wrapFacts(ring.realm);
  }

  /** The key that `keyId` names, with current material that may wrap. Errors: those of naming, authorising and states. */
  wrappingKey(
    action: string,
    { keyId, context, bytes, dryRun }: WrappingRequest,
    use: KeyUse,
    trace: UseTrace,
    parameters?: RequestParameters,
  ): Wrapping {
    const key = this.#ring.find(keyId);
    trace.key = key;
    trace.isDryRun = dryRun;
    trace.material = key.current;
    const canonical = canonicalContext(context);
    this.#recorder.authorize(trace, action, use, context, this.#factsOf(keyId, parameters));
    assertWraps(key, action);
    assertKeyUsable(key);
    this.#recorder.life.assertProtects(key, trace, bytes);
    return { key, context: canonical };
  }

  /** `parameters`: instead of those that most uses have. */
  #factsOf(keyId: string, parameters: RequestParameters | undefined): RequestFacts {
    if (parameters === undefined) return this.#facts(keyId);
    return { parameters: { ...parameters, ...aliasNamed(keyId, this.#ring.realm) } };
  }
}

/** `plaintext`, the caller's to zero, under the current material. */
export function wrapBy({ key, context }: Wrapping, plaintext: Uint8Array, random: RandomSource): Uint8Array {
  const current = currentOf(key);
  const { materialId } = current.record;
  const { uuid: keyUuid, wrapFlags: flags } = key;
  return wrapKey({ kek: kekOf(current), keyUuid, flags, materialId, plaintext, context }, random);
}
