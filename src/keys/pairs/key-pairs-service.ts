/** Public keys, and secrets shared by key agreement: given to who may have them. */
import { ENCAPSULATED_BYTES, isMlKem } from '../../crypto/pairs/key-pair.ts';
import type { PairCrypto } from '../../crypto/pairs/pair-crypto.ts';
import { openPeerKey } from '../../crypto/pairs/peer-key.ts';
import type { RequestFacts } from '../access/request.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import { endDryRun } from '../uses/dry-run.ts';
import { KeysError } from '../errors.ts';
import { holding } from '../holding.ts';
import { kindOf } from '../key-kinds.ts';
import type { AgreementRequest, EncapsulationRequest, KeyPairs, PublicKeyDescription } from './key-pairs.ts';
import { assertKeyUsable, assertKeyUsage, currentOf, pairOf, type HeldKey, type KeyRing } from '../key-ring.ts';
import { isPairSpec } from './pair-material.ts';
import type { KeyOrigin } from '../records.ts';
import { aliasNamed } from '../request-facts.ts';
import type { UseRecorder, UseTrace } from '../uses/use-recorder.ts';

export class KeyPairsService implements KeyPairs {
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;
  readonly #pairs: PairCrypto;

  constructor(ring: KeyRing, recorder: UseRecorder, pairs: PairCrypto) {
    this.#ring = ring;
    this.#recorder = recorder;
    this.#pairs = pairs;
  }

  /** Out of the record: no private key is needed for it. */
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
      return { keyArn: key.arn, spec, usage, publicKey: Uint8Array.from(currentOf(key).record.canary) };
    });
  }

  deriveSharedSecret(
    request: AgreementRequest,
    use: KeyUse,
  ): Promise<{ keyArn: string; origin: KeyOrigin; secret: Uint8Array }> {
    const action = 'DeriveSharedSecret';
    return holding((hold) =>
      this.#recorder.record(action, use, null, async (trace) => {
        const { keyId } = request;
        trace.isDryRun = request.dryRun;
        const key = this.#usableKey(action, keyId, use, trace, { KeyAgreementAlgorithm: 'ECDH' });
        const bytes = request.publicKey.length;
        this.#recorder.life.assertAgrees(key, trace, bytes);
        const peer = peerOf(key, request.publicKey);
        endDryRun(request);
        this.#recorder.life.count(key, trace, bytes);
        const secret = hold(await this.#pairs.agree(pairOf(currentOf(key)).privateKey, peer));
        return { keyArn: key.arn, origin: key.record.origin, secret };
      }),
    );
  }

  encapsulate(
    request: EncapsulationRequest,
    use: KeyUse,
  ): Promise<{ keyArn: string; secret: Uint8Array; ciphertext: Uint8Array }> {
    return holding((hold) =>
      this.#recorder.record('Encapsulate', use, null, async (trace) => {
        trace.isDryRun = request.dryRun;
        const key = this.#usableKey('Encapsulate', request.keyId, use, trace, ML_KEM);
        this.#recorder.life.assertProtects(key, trace, SECRET_BYTES);
        endDryRun(request);
        this.#recorder.life.count(key, trace, SECRET_BYTES);
        const { secret, ciphertext } = await this.#pairs.encapsulate(pairOf(currentOf(key)).publicKey);
        return { keyArn: key.arn, secret: hold(secret), ciphertext };
      }),
    );
  }

  decapsulate(
    request: EncapsulationRequest & { readonly ciphertext: Uint8Array },
    use: KeyUse,
  ): Promise<{ keyArn: string; secret: Uint8Array }> {
    return holding((hold) =>
      this.#recorder.record('Decapsulate', use, null, async (trace) => {
        trace.isDryRun = request.dryRun;
        const key = this.#usableKey('Decapsulate', request.keyId, use, trace, ML_KEM);
        this.#recorder.life.assertProcesses(key, currentOf(key), trace);
        if (request.ciphertext.length !== encapsulatedBytes(key))
          throw new KeysError('ERR_KEYS_CIPHERTEXT_INVALID', 'an encapsulated secret of another length');
        endDryRun(request);
        const secret = await this.#pairs.decapsulate(pairOf(currentOf(key)).privateKey, request.ciphertext);
        return { keyArn: key.arn, secret: hold(secret) };
      }),
    );
  }

  /** For what such a key does, by whom policies let. */
  #usableKey(
    action: 'DeriveSharedSecret' | 'Encapsulate' | 'Decapsulate',
    keyId: string,
    use: KeyUse,
    trace: UseTrace,
    own: RequestFacts['parameters'],
  ): HeldKey {
    const key = this.#ring.find(keyId);
    trace.key = key;
    trace.material = key.current;
    const parameters = { ...own, ...aliasNamed(keyId, this.#ring.realm) };
    this.#recorder.authorize(trace, action, use, {}, { parameters });
    assertKeyUsage(key, action === 'DeriveSharedSecret' ? 'KEY_AGREEMENT' : 'ENCAPSULATE_DECAPSULATE', action);
    assertKeyUsable(key);
    return key;
  }
}

/** Of a secret, whatever the key (FIPS 203, 8). */
const SECRET_BYTES = 32;
const ML_KEM = { EncapsulationAlgorithm: 'ML_KEM' } as const;

function encapsulatedBytes({ record }: HeldKey): number {
  const { material } = kindOf(record.spec);
  const type = material.type === 'pair' ? material.pair.type : undefined;
  if (type === undefined || !isMlKem(type)) throw new TypeError(`${record.spec} encapsulates nothing`);
  return ENCAPSULATED_BYTES[type];
}

/** ERR_KEYS_INVALID_REQUEST. */
function peerOf({ record }: HeldKey, encoded: Uint8Array): ReturnType<typeof pairOf>['publicKey'] {
  const { material } = kindOf(record.spec);
  const curve = material.type === 'pair' && material.pair.type === 'ec' ? material.pair.curve : undefined;
  const peer = curve === undefined ? undefined : openPeerKey(curve, encoded);
  if (peer !== undefined) return peer;
  throw new KeysError('ERR_KEYS_INVALID_REQUEST', `PublicKey is not a DER-encoded public key of ${record.spec}.`);
}
