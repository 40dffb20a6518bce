/** Encrypt, decrypt and re-encrypt bytes, which are the caller's to zero: under symmetric keys at once, under RSA off the event loop. */
import type { PairCrypto } from '../../crypto/pairs/pair-crypto.ts';
import type { CanonicalContext, EncryptionContext } from '../../envelope/encryption-context.ts';
import { MAX_WRAPPED_PLAINTEXT_BYTES } from '../../envelope/limits.ts';
import type { RequestParameters } from '../access/request.ts';
import {
  canonicalContext,
  findSource,
  NamesInCiphertexts,
  NOT_TO_BE_HAD,
  openWrapped,
  parseCiphertext,
  type Source,
} from './ciphertexts.ts';
import type { KeyUse } from './data-keys.ts';
import { endDryRun } from './dry-run.ts';
import { KeysError } from '../errors.ts';
import { holding } from '../holding.ts';
import { algorithmsOf, type EncryptionAlgorithm } from '../key-kinds.ts';
import type { CiphertextSource, DryRun, EncryptionDestination, KeyOperations, KeyUsed } from './key-operations.ts';
import { assertKeyUsable, assertKeyUsage, currentOf, type HeldKey, type KeyRing } from '../key-ring.ts';
import { usedOf } from './key-used.ts';
import { wrapBy, type Wrapping } from './key-uses.ts';
import type { KeyPorts } from '../options.ts';
import { aliasNamed } from '../request-facts.ts';
import { assertFits, assertNoContext, decryptRsa, encryptRsa, isRsaEncryption } from '../pairs/rsa-encryption.ts';
import type { UseRecorder, UseTrace } from './use-recorder.ts';

type EncryptRequest = EncryptionDestination & { readonly plaintext: Uint8Array } & DryRun;
type ReEncryptRequest = { readonly source: CiphertextSource; readonly destination: EncryptionDestination } & DryRun;
/** A source that may be opened, and the context to open it with. */
type FoundSource = Source & { readonly context: CanonicalContext };
type ToEncrypt = { readonly bytes: number } & DryRun;
type Opened = { readonly from: Source; readonly plaintext: Uint8Array };
type Encrypts = Pick<KeyOperations, 'encrypt' | 'decrypt' | 'reEncrypt'>;

export class KeyEncryptionService implements Encrypts {
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;
  readonly #pairs: PairCrypto;
  readonly #ports: KeyPorts;
  readonly #names = new NamesInCiphertexts();

  constructor(ring: KeyRing, recorder: UseRecorder, pairs: PairCrypto, ports: KeyPorts) {
    this.#ring = ring;
    this.#recorder = recorder;
    this.#pairs = pairs;
    this.#ports = ports;
  }

  encrypt(request: EncryptRequest, use: KeyUse): Promise<KeyUsed & { ciphertext: Uint8Array }> {
    return this.#recorder.record('Encrypt', use, request.context, (trace) => {
      const { plaintext } = request;
      assertLength(plaintext);
      const asked = { bytes: plaintext.length, dryRun: request.dryRun };
      const destination = this.#destinationKey('Encrypt', { ...request, ...asked }, use, trace, {});
      return this.#encrypted(destination, request, plaintext, request, trace);
    });
  }

  decrypt(request: CiphertextSource & DryRun, use: KeyUse): Promise<KeyUsed & { plaintext: Uint8Array }> {
    return holding((hold) =>
      this.#recorder.record('Decrypt', use, request.context, (trace) => {
        trace.isDryRun = request.dryRun;
        const source = this.#source('Decrypt', request, use, trace, {});
        const answer = (plaintext: Uint8Array): KeyUsed & { plaintext: Uint8Array } => {
          hold(plaintext);
          endDryRun(request);
          return { ...usedOf(source.key, source.material), plaintext };
        };
        const opened = this.#opened(source, request, request);
        return opened instanceof Promise ? opened.then(answer) : answer(opened);
      }),
    );
  }

  /** Two permissions, so two records. */
  reEncrypt(
    request: ReEncryptRequest,
    use: KeyUse,
  ): Promise<{ source: KeyUsed; destination: KeyUsed; ciphertext: Uint8Array }> {
    const { source, destination } = request;
    return holding(async (hold) => {
      let same: RequestParameters = {};
      const { from, plaintext } = await this.#recorder.record(
        'ReEncryptFrom',
        use,
        source.context,
        async (trace): Promise<Opened> => {
          trace.isDryRun = request.dryRun;
          same = { ReEncryptOnSameKey: String(this.#isSameKey(request)) };
          const found = this.#source('ReEncryptFrom', source, use, trace, same);
          return { from: found, plaintext: hold(await this.#opened(found, source, request)) };
        },
      );
      const moved = await this.#recorder.record('ReEncryptTo', use, destination.context, (trace) => {
        const asked = { bytes: plaintext.length, dryRun: request.dryRun };
        const wrapping = this.#destinationKey('ReEncryptTo', { ...destination, ...asked }, use, trace, same);
        return this.#encrypted(wrapping, destination, plaintext, request, trace);
      });
      plaintext.fill(0);
      const { ciphertext, ...used } = moved;
      return { source: usedOf(from.key, from.material), destination: used, ciphertext };
    });
  }

  /** The key that is to encrypt; errors: those of naming, authorising, usage and states. */
  #destinationKey(
    action: string,
    { keyId, context, algorithm = 'SYMMETRIC_DEFAULT', bytes, dryRun }: EncryptionDestination & ToEncrypt,
    use: KeyUse,
    trace: UseTrace,
    parameters: RequestParameters,
  ): Wrapping {
    const key = this.#ring.find(keyId);
    trace.key = key;
    trace.isDryRun = dryRun;
    trace.material = key.current;
    const canonical = canonicalContext(context);
    const named = { EncryptionAlgorithm: algorithm, ...aliasNamed(keyId, this.#ring.realm) };
    this.#recorder.authorize(trace, action, use, context, { parameters: { ...parameters, ...named } });
    assertEncrypts(key, algorithm, action);
    assertNoContext(algorithm, context);
    this.#recorder.life.assertProtects(key, trace, bytes);
    return { key, context: canonical };
  }

  #encrypted(
    wrapping: Wrapping,
    { algorithm = 'SYMMETRIC_DEFAULT' }: EncryptionDestination,
    plaintext: Uint8Array,
    asked: DryRun,
    trace: UseTrace,
  ): (KeyUsed & { ciphertext: Uint8Array }) | Promise<KeyUsed & { ciphertext: Uint8Array }> {
    const { key } = wrapping;
    const used = usedOf(key);
    if (isRsaEncryption(algorithm)) {
      assertFits(algorithm, key, plaintext);
      endDryRun(asked);
      this.#recorder.life.count(key, trace, plaintext.length);
      return encryptRsa(algorithm, key, plaintext, this.#pairs).then((ciphertext) => ({ ...used, ciphertext }));
    }
    endDryRun(asked);
    this.#recorder.life.count(key, trace, plaintext.length);
    return { ...used, ciphertext: wrapBy(wrapping, plaintext, this.#ports.random) };
  }

  /** What the ciphertext holds; nothing where a dry run has none. */
  #opened(
    source: FoundSource,
    { ciphertext, algorithm = 'SYMMETRIC_DEFAULT' }: CiphertextSource,
    { dryRun }: DryRun,
  ): Uint8Array | Promise<Uint8Array> {
    if (ciphertext !== undefined)
      return isRsaEncryption(algorithm)
        ? decryptRsa(algorithm, source.key, ciphertext, this.#pairs)
        : openWrapped(source, ciphertext, source.context);
    if (dryRun === true) return new Uint8Array();
    throw new KeysError('ERR_KEYS_INVALID_REQUEST', 'there is no ciphertext');
  }

  #source(
    action: string,
    source: CiphertextSource,
    use: KeyUse,
    trace: UseTrace,
    parameters: RequestParameters,
  ): FoundSource {
    const { ciphertext, keyId, context, algorithm = 'SYMMETRIC_DEFAULT' } = source;
    const key = keyId === undefined ? this.#sourceKey(source) : this.#ring.find(keyId);
    trace.key = key;
    const canonical = canonicalContext(context);
    const named = keyId === undefined ? {} : aliasNamed(keyId, this.#ring.realm);
    const asked = { ...parameters, EncryptionAlgorithm: algorithm, ...named };
    this.#authorizeSource(action, use, trace, context, asked, keyId === undefined);
    assertEncrypts(key, algorithm, action);
    assertNoContext(algorithm, context);
    const found = this.#sourceMaterial(key, ciphertext, algorithm);
    trace.material = found.material;
    this.#recorder.life.assertProcesses(key, found.material, trace);
    return { ...found, context: canonical };
  }

  #sourceMaterial(key: HeldKey, ciphertext: Uint8Array | undefined, algorithm: EncryptionAlgorithm): Source {
    // An RSA ciphertext names nothing, and its key has one material.
    if (ciphertext === undefined || isRsaEncryption(algorithm)) return { key, material: currentOf(key) };
    const found = findSource(ciphertext, this.#ring, this.#names);
    // Whether the key that made it is another one here or one of elsewhere, it is not the one that is named.
    if (found?.key !== key) throw new KeysError('ERR_KEYS_INCORRECT_KEY', INCORRECT_KEY);
    return found;
  }

  /** The key that a ciphertext names. */
  #sourceKey({ ciphertext, algorithm = 'SYMMETRIC_DEFAULT' }: CiphertextSource): HeldKey {
    if (isRsaEncryption(algorithm) && !isWrapped(ciphertext))
      throw new KeysError('ERR_KEYS_INVALID_REQUEST', `A key ID is required with algorithm ${algorithm}.`);
    if (ciphertext === undefined)
      throw new KeysError('ERR_KEYS_INVALID_REQUEST', 'neither a ciphertext nor a key is named');
    const found = findSource(ciphertext, this.#ring, this.#names);
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

  #isSameKey({ source, destination }: ReEncryptRequest): boolean {
    const from = source.keyId === undefined ? this.#sourceKey(source) : this.#ring.find(source.keyId);
    return from === this.#ring.find(destination.keyId);
  }
}

const INCORRECT_KEY = 'The key ID in the request does not identify a CMK that can perform this operation.';

/** Whether the key encrypts by this algorithm, and may be used at all. */
function assertEncrypts(key: HeldKey, algorithm: EncryptionAlgorithm, action: string): void {
  assertKeyUsage(key, 'ENCRYPT_DECRYPT', action);
  const { spec, usage } = key.record;
  if (!algorithmsOf(spec, usage).encryption?.includes(algorithm))
    throw new KeysError('ERR_KEYS_KEY_USAGE', `Algorithm ${algorithm} is incompatible with key spec ${spec}.`);
  assertKeyUsable(key);
}

/** Whether it is one of ours that names its key, as none of RSA does. */
function isWrapped(ciphertext: Uint8Array | undefined): boolean {
  try {
    return ciphertext !== undefined && parseCiphertext(ciphertext).plaintextBytes > 0;
  } catch (error) {
    if (error instanceof KeysError) return false;
    throw error;
  }
}

function assertLength({ length }: Uint8Array): void {
  if (length >= 1 && length <= MAX_WRAPPED_PLAINTEXT_BYTES) return;
  throw new KeysError('ERR_KEYS_INVALID_REQUEST', `expected 1 to ${MAX_WRAPPED_PLAINTEXT_BYTES} bytes`);
}
