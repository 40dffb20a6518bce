/**
 * Key pairs for use outside: made off the event loop, the private half wrapped under a symmetric key. Making one may take seconds, so
 * whether that key may be used is asked again after it: by then it may have been disabled.
 */
import { encodePrivateKey, encodePublicKey } from '../../crypto/pairs/key-pair.ts';
import type { PairCrypto } from '../../crypto/pairs/pair-crypto.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import { endDryRun } from '../uses/dry-run.ts';
import { holding } from '../holding.ts';
import type { DataKeyPair, DataKeyPairRequest, KeyOperations } from '../uses/key-operations.ts';
import type { KeyRing } from '../key-ring.ts';
import { usedOf } from '../uses/key-used.ts';
import { kindOf } from '../key-kinds.ts';
import { KeyUses, wrapBy, type Wrapping } from '../uses/key-uses.ts';
import type { KeyPorts } from '../options.ts';
import { newPair } from './pair-material.ts';
import { ALGORITHM } from '../request-facts.ts';
import type { UseRecorder, UseTrace } from '../uses/use-recorder.ts';

type MakesPairs = Pick<KeyOperations, 'generateDataKeyPair' | 'generateDataKeyPairWithoutPlaintext'>;
type Made = DataKeyPair & { readonly privateKey: Uint8Array };

export class DataKeyPairService implements MakesPairs {
  readonly #recorder: UseRecorder;
  readonly #uses: KeyUses;
  readonly #pairs: PairCrypto;
  readonly #ports: KeyPorts;

  constructor(ring: KeyRing, recorder: UseRecorder, pairs: PairCrypto, ports: KeyPorts) {
    this.#recorder = recorder;
    this.#uses = new KeyUses(ring, recorder);
    this.#pairs = pairs;
    this.#ports = ports;
  }

  generateDataKeyPair(request: DataKeyPairRequest, use: KeyUse): Promise<Made> {
    return holding((hold) =>
      this.#recorder.record('GenerateDataKeyPair', use, request.context, async (trace) => {
        const made = await this.#make('GenerateDataKeyPair', request, use, trace);
        hold(made.privateKey);
        return made;
      }),
    );
  }

  generateDataKeyPairWithoutPlaintext(request: DataKeyPairRequest, use: KeyUse): Promise<DataKeyPair> {
    const action = 'GenerateDataKeyPairWithoutPlaintext';
    return this.#recorder.record(action, use, request.context, async (trace) => {
      const { privateKey, ...made } = await this.#make(action, request, use, trace);
      privateKey.fill(0);
      return made;
    });
  }

  async #make(action: string, request: DataKeyPairRequest, use: KeyUse, trace: UseTrace): Promise<Made> {
    trace.detail = { pairSpec: request.spec };
    const parameters = { ...ALGORITHM, DataKeyPairSpec: request.spec };
    const wrappingKey = (): Wrapping =>
      this.#uses.wrappingKey(action, { ...request, bytes: 0 }, use, trace, parameters);
    wrappingKey();
    endDryRun(request);
    // What it will be used for is not ours to know; a signature tries it as well as anything, where it can make one.
    const { usages } = kindOf(request.spec);
    const usage = usages.includes('SIGN_VERIFY') ? 'SIGN_VERIFY' : usages[0];
    const pair = await newPair({ spec: request.spec, usage }, this.#pairs);
    const wrapping = wrappingKey();
    const privateKey = encodePrivateKey(pair);
    try {
      const bytes = privateKey.length;
      this.#recorder.life.assertProtects(wrapping.key, trace, bytes);
      this.#recorder.life.count(wrapping.key, trace, bytes);
      const ciphertext = wrapBy(wrapping, privateKey, this.#ports.random);
      return { ...usedOf(wrapping.key), publicKey: encodePublicKey(pair.publicKey), privateKey, ciphertext };
    } catch (error) {
      privateKey.fill(0);
      throw error;
    }
  }
}
