/** Encrypt, decrypt and make data keys as bytes. The bytes are the caller's to zero; what stays here is zeroed here. */
import type { EncryptionContext } from '../envelope/encryption-context.ts';
import { MAX_WRAPPED_PLAINTEXT_BYTES } from '../envelope/limits.ts';
import { wrapKey } from '../envelope/wrapped-key.ts';
import type { RequestParameters } from './access/request.ts';
import { assertContext, findSource, NOT_TO_BE_HAD, openWrapped, type Source } from './ciphertexts.ts';
import type { KeyUse } from './data-keys.ts';
import { endDryRun } from './dry-run.ts';
import { KeysError } from './errors.ts';
import type { CiphertextSource, DryRun, KeyOperations, KeyUsed } from './key-operations.ts';
import {
  assertKeyUsable,
  assertKeyUsage,
  assertMaterialAllows,
  kekOf,
  type HeldKey,
  type HeldMaterial,
  type KeyRing,
} from './key-ring.ts';
import { KeyUses } from './key-uses.ts';
import { MAX_RANDOM_BYTES } from './limits.ts';
import type { KeyPorts } from './options.ts';
import { ALGORITHM, aliasNamed } from './request-facts.ts';
import type { UseRecorder, UseTrace } from './use-recorder.ts';

type DataKeyRequest = { readonly keyId: string; readonly bytes: number; readonly context: EncryptionContext } & DryRun;

export class KeyOperationsService implements KeyOperations {
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;
  readonly #uses: KeyUses;
  readonly #ports: KeyPorts;

  constructor(ring: KeyRing, recorder: UseRecorder, ports: KeyPorts) {
    this.#ring = ring;
    this.#recorder = recorder;
    this.#uses = new KeyUses(ring, recorder);
    this.#ports = ports;
  }

  encrypt(
    request: { keyId: string; plaintext: Uint8Array; context: EncryptionContext } & DryRun,
    use: KeyUse,
  ): Promise<KeyUsed & { ciphertext: Uint8Array }> {
    return this.#recorder.record('Encrypt', use, request.context, (trace) => {
      assertLength(request.plaintext.length, MAX_WRAPPED_PLAINTEXT_BYTES);
      const key = this.#uses.wrappingKey('Encrypt', request, use, trace);
      endDryRun(request);
      return { ...usedOf(key), ciphertext: this.#wrap(key, request.plaintext, request.context) };
    });
  }

  decrypt(request: CiphertextSource & DryRun, use: KeyUse): Promise<KeyUsed & { plaintext: Uint8Array }> {
    return holding((hold) =>
      this.#recorder.record('Decrypt', use, request.context, (trace) => {
        const source = this.#source('Decrypt', request, use, trace, ALGORITHM);
        const plaintext = hold(openSource(source, request, request));
        endDryRun(request);
        return { ...usedOf(source.key, source), plaintext };
      }),
    );
  }

  /** Two permissions, so two records. */
  reEncrypt(
    request: { source: CiphertextSource; destination: { keyId: string; context: EncryptionContext } } & DryRun,
    use: KeyUse,
  ): Promise<{ source: KeyUsed; destination: KeyUsed; ciphertext: Uint8Array }> {
    const { source, destination } = request;
    return holding(async (hold) => {
      const opened = await this.#recorder.record('ReEncryptFrom', use, source.context, (trace) => {
        trace.isDryRun = request.dryRun;
        const parameters = { ...ALGORITHM, ReEncryptOnSameKey: String(this.#isSameKey(request)) };
        const from = this.#source('ReEncryptFrom', source, use, trace, parameters);
        return { from, parameters, plaintext: hold(openSource(from, source, request)) };
      });
      return this.#recorder.record('ReEncryptTo', use, destination.context, (trace) => {
        const key = this.#uses.wrappingKey('ReEncryptTo', destination, use, trace, opened.parameters);
        endDryRun(request);
        const ciphertext = this.#wrap(key, opened.plaintext, destination.context);
        opened.plaintext.fill(0);
        return { source: usedOf(opened.from.key, opened.from), destination: usedOf(key), ciphertext };
      });
    });
  }

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
      assertLength(bytes, MAX_RANDOM_BYTES);
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
    assertLength(request.bytes, MAX_RANDOM_BYTES);
    const key = this.#uses.wrappingKey(action, request, use, trace);
    endDryRun(request);
    const plaintext = this.#ports.random(request.bytes);
    try {
      return { ...usedOf(key), plaintext, ciphertext: this.#wrap(key, plaintext, request.context) };
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
  }

  #source(
    action: string,
    source: CiphertextSource,
    use: KeyUse,
    trace: UseTrace,
    parameters: RequestParameters,
  ): Source {
    const { ciphertext, keyId, context } = source;
    const key = keyId === undefined ? this.#sourceKey(source) : this.#ring.find(keyId);
    trace.key = key;
    assertContext(context);
    const asked = keyId === undefined ? parameters : { ...parameters, ...aliasNamed(keyId, this.#ring.realm) };
    this.#authorizeSource(action, use, trace, context, asked, keyId === undefined);
    assertKeyUsage(key, 'ENCRYPT_DECRYPT', action);
    assertKeyUsable(key);
    if (ciphertext === undefined) return { key, material: key.current };
    const found = findSource(ciphertext, this.#ring);
    // Whether the key that made it is another one here or one of elsewhere, it is not the one that is named.
    if (found?.key !== key) throw new KeysError('ERR_KEYS_INCORRECT_KEY', INCORRECT_KEY);
    trace.material = found.material;
    assertMaterialAllows(found.material, 'process');
    return found;
  }

  #sourceKey({ ciphertext }: CiphertextSource): HeldKey {
    if (ciphertext === undefined)
      throw new KeysError('ERR_KEYS_INVALID_REQUEST', 'neither a ciphertext nor a key is named');
    const found = findSource(ciphertext, this.#ring);
    if (found === undefined) throw new KeysError('ERR_KEYS_CIPHERTEXT_UNKNOWN_KEY', NOT_TO_BE_HAD);
    return found.key;
  }

  #authorizeSource(
    action: string,
    use: KeyUse,
    trace: UseTrace,
    context: EncryptionContext,
    parameters: RequestParameters,
    isFound: boolean,
  ): void {
    try {
      this.#recorder.authorize(trace, action, use, context, { parameters });
    } catch (cause) {
      if (!isFound || !(cause instanceof KeysError) || cause.code !== 'ERR_KEYS_ACCESS_DENIED') throw cause;
      throw new KeysError('ERR_KEYS_ACCESS_DENIED', NOT_TO_BE_HAD, { cause });
    }
  }

  #isSameKey({ source, destination }: { source: CiphertextSource; destination: { keyId: string } }): boolean {
    const from = source.keyId === undefined ? this.#sourceKey(source) : this.#ring.find(source.keyId);
    return from === this.#ring.find(destination.keyId);
  }

  #wrap(key: HeldKey, plaintext: Uint8Array, context: EncryptionContext): Uint8Array {
    const { materialId } = key.current.record;
    const kek = kekOf(key.current);
    return wrapKey({ kek, keyUuid: key.uuid, materialId, plaintext, context }, this.#ports.random);
  }
}

const INCORRECT_KEY = 'The key ID in the request does not identify a CMK that can perform this operation.';

function usedOf(
  { arn, current }: HeldKey,
  { material }: { readonly material: HeldMaterial } = { material: current },
): KeyUsed {
  return { keyArn: arn, materialId: material.name };
}

/** What the ciphertext holds; nothing where a dry run has none. */
function openSource(source: Source, { ciphertext, context }: CiphertextSource, { dryRun }: DryRun): Uint8Array {
  if (ciphertext !== undefined) return openWrapped(source, ciphertext, context);
  if (dryRun === true) return new Uint8Array();
  throw new KeysError('ERR_KEYS_INVALID_REQUEST', 'there is no ciphertext');
}

function assertLength(bytes: number, max: number): void {
  if (Number.isInteger(bytes) && bytes >= 1 && bytes <= max) return;
  throw new KeysError('ERR_KEYS_INVALID_REQUEST', `expected 1 to ${max} bytes`);
}

/** Plaintexts that are held are zeroed where the use fails after all: its record may not be writable. */
async function holding<Result>(use: (hold: (bytes: Uint8Array) => Uint8Array) => Promise<Result>): Promise<Result> {
  const held: Uint8Array[] = [];
  try {
    return await use((bytes) => {
      held.push(bytes);
      return bytes;
    });
  } catch (error) {
    for (const bytes of held) bytes.fill(0);
    throw error;
  }
}
