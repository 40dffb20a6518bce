/** Public keys: given to who may have them. They come from the record, so that no private key is needed for it. */
import type { KeyUse } from './data-keys.ts';
import { KeysError } from './errors.ts';
import type { KeyPairs, PublicKeyDescription } from './key-pairs.ts';
import { assertKeyUsable, type KeyRing } from './key-ring.ts';
import { isPairSpec } from './pair-material.ts';
import { aliasNamed } from './request-facts.ts';
import type { UseRecorder } from './use-recorder.ts';

export class KeyPairsService implements KeyPairs {
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;

  constructor(ring: KeyRing, recorder: UseRecorder) {
    this.#ring = ring;
    this.#recorder = recorder;
  }

  publicKey(keyId: string, use: KeyUse): Promise<PublicKeyDescription> {
    return this.#recorder.record('GetPublicKey', use, null, (trace) => {
      const key = this.#ring.find(keyId);
      trace.key = key;
      trace.material = key.current;
      this.#recorder.authorize(trace, 'GetPublicKey', use, {}, { parameters: aliasNamed(keyId, this.#ring.realm) });
      const { spec, usage } = key.record;
      if (!isPairSpec(spec))
        throw new KeysError('ERR_KEYS_UNSUPPORTED', `${key.arn} is ${spec}, which has no public key.`);
      assertKeyUsable(key);
      return { keyArn: key.arn, spec, usage, publicKey: Uint8Array.from(key.current.record.canary) };
    });
  }
}
