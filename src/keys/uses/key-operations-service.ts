/** Encrypt, decrypt and make data keys as bytes. The bytes are the caller's to zero; what stays here is zeroed here. */
import type { PairCrypto } from '../../crypto/pairs/pair-crypto.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import { DataKeyPairService } from '../pairs/data-key-pair-service.ts';
import type { KeyUse } from './data-keys.ts';
import { endDryRun } from './dry-run.ts';
import { KeysError } from '../errors.ts';
import { holding } from '../holding.ts';
import { KeyEncryptionService } from './key-encryption-service.ts';
import type { DryRun, KeyOperations, KeyUsed } from './key-operations.ts';
import type { KeyRing } from '../key-ring.ts';
import { usedOf } from './key-used.ts';
import { KeyUses, wrapBy } from './key-uses.ts';
import { MAX_RANDOM_BYTES } from '../limits.ts';
import type { KeyPorts } from '../options.ts';
import type { UseRecorder, UseTrace } from './use-recorder.ts';

type DataKeyRequest = { readonly keyId: string; readonly bytes: number; readonly context: EncryptionContext } & DryRun;

export class KeyOperationsService implements KeyOperations {
  readonly #recorder: UseRecorder;
  readonly #uses: KeyUses;
  readonly #encryption: KeyEncryptionService;
  readonly #dataKeyPairs: DataKeyPairService;
  readonly #ports: KeyPorts;

  constructor(ring: KeyRing, recorder: UseRecorder, pairs: PairCrypto, ports: KeyPorts) {
    this.#recorder = recorder;
    this.#uses = new KeyUses(ring, recorder);
    this.#encryption = new KeyEncryptionService(ring, recorder, pairs, ports);
    this.#dataKeyPairs = new DataKeyPairService(ring, recorder, pairs, ports);
    this.#ports = ports;
  }

  readonly encrypt: KeyOperations['encrypt'] = (...args) => this.#encryption.encrypt(...args);
  readonly decrypt: KeyOperations['decrypt'] = (...args) => this.#encryption.decrypt(...args);
  readonly reEncrypt: KeyOperations['reEncrypt'] = (...args) => this.#encryption.reEncrypt(...args);

  readonly generateDataKeyPair: KeyOperations['generateDataKeyPair'] = (...args) =>
    this.#dataKeyPairs.generateDataKeyPair(...args);
  readonly generateDataKeyPairWithoutPlaintext: KeyOperations['generateDataKeyPairWithoutPlaintext'] = (...args) =>
    this.#dataKeyPairs.generateDataKeyPairWithoutPlaintext(...args);

  generateDataKey(
    request: DataKeyRequest,
    use: KeyUse,
  ): Promise<KeyUsed & { plaintext: Uint8Array; ciphertext: Uint8Array }> {
    return holding((hold) =>
      this.#recorder.record('GenerateDataKey', use, request.context, (trace) => {
        const made = this.#dataKey('GenerateDataKey', request, use, trace);
        hold(made.plaintext);
        return made;
      }),
    );
  }

  generateDataKeyWithoutPlaintext(request: DataKeyRequest, use: KeyUse): Promise<KeyUsed & { ciphertext: Uint8Array }> {
    return this.#recorder.record('GenerateDataKeyWithoutPlaintext', use, request.context, (trace) => {
      const { plaintext, ...made } = this.#dataKey('GenerateDataKeyWithoutPlaintext', request, use, trace);
      plaintext.fill(0);
      return made;
    });
  }

  generateRandom(bytes: number, use: KeyUse): Promise<Uint8Array> {
    return this.#recorder.record('GenerateRandom', use, null, (trace) => {
      assertLength(bytes);
      this.#recorder.authorize(trace, 'GenerateRandom', use, {});
      return this.#ports.random(bytes);
    });
  }

  #dataKey(
    action: string,
    request: DataKeyRequest,
    use: KeyUse,
    trace: UseTrace,
  ): KeyUsed & { plaintext: Uint8Array; ciphertext: Uint8Array } {
    assertLength(request.bytes);
    const wrapping = this.#uses.wrappingKey(action, request, use, trace);
    endDryRun(request);
    this.#recorder.life.count(wrapping.key, trace, request.bytes);
    const plaintext = this.#ports.random(request.bytes);
    try {
      const ciphertext = wrapBy(wrapping, plaintext, this.#ports.random);
      return { ...usedOf(wrapping.key), plaintext, ciphertext };
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
  }
}

function assertLength(bytes: number): void {
  if (Number.isInteger(bytes) && bytes >= 1 && bytes <= MAX_RANDOM_BYTES) return;
  throw new KeysError('ERR_KEYS_INVALID_REQUEST', `expected 1 to ${MAX_RANDOM_BYTES} bytes`);
}
