/** Which key a request is about, and whether it may be used so: what data keys and the KMS API's own operations have in common. */
import type { EncryptionContext } from '../envelope/encryption-context.ts';
import type { RequestParameters } from './access/request.ts';
import { assertContext } from './ciphertexts.ts';
import type { KeyUse } from './data-keys.ts';
import {
  assertKeyUsable,
  assertMaterialAllows,
  assertWraps,
  currentOf,
  type HeldKey,
  type KeyRing,
} from './key-ring.ts';
import { ALGORITHM, aliasNamed } from './request-facts.ts';
import type { UseRecorder, UseTrace } from './use-recorder.ts';

export class KeyUses {
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;

  constructor(ring: KeyRing, recorder: UseRecorder) {
    this.#ring = ring;
    this.#recorder = recorder;
  }

  /** The key that `keyId` names, with current material that may wrap. Errors: those of naming, authorising and states. */
  wrappingKey(
    action: string,
    { keyId, context }: { readonly keyId: string; readonly context: EncryptionContext },
    use: KeyUse,
    trace: UseTrace,
    parameters: RequestParameters = ALGORITHM,
  ): HeldKey {
    const key = this.#ring.find(keyId);
    trace.key = key;
    trace.material = key.current;
    assertContext(context);
    const named = aliasNamed(keyId, this.#ring.realm);
    this.#recorder.authorize(trace, action, use, context, { parameters: { ...parameters, ...named } });
    assertWraps(key, action);
    assertKeyUsable(key);
    assertMaterialAllows(currentOf(key), 'protect');
    return key;
  }
}
