/** Data keys: made, opened and rewrapped under the KEKs of the ring. */
import { KEY_BYTES, takeKey, type Dek } from '../../crypto/key-types.ts';
import { drawInto } from '../../crypto/random.ts';
import type { CanonicalContext, EncryptionContext } from '../../envelope/encryption-context.ts';
import { WRAPPED_KEY_OVERHEAD } from '../../envelope/wrapped-key.ts';
import type { RequestFacts, RequestParameters } from '../access/request.ts';
import { canonicalContext, invalidCiphertext, NamesInCiphertexts, openWrapped, type Source } from './ciphertexts.ts';
import type { DataKey, DataKeys, DecryptRequest, DecryptUse, KeyUse, WrappedDataKey } from './data-keys.ts';
import { cacheName, type DekCache } from './dek-cache.ts';
import { KeysError } from '../errors.ts';
import { assertKeyUsable, assertMaterialAllows, assertWraps, currentOf, type KeyRing } from '../key-ring.ts';
import { KeyUses, wrapBy } from './key-uses.ts';
import { KnownCiphertexts, type CiphertextFacts } from './known-ciphertexts.ts';
import type { FirstUses } from '../managed/first-use.ts';
import type { KeyPorts } from '../options.ts';
import { ALGORITHM, aliasNamed, decryptFacts } from '../request-facts.ts';
import { unlessRefused, type UseNow, type UseRecorder, type UseTrace } from './use-recorder.ts';

type ReEncryptRequest = Parameters<DataKeys['reEncrypt']>[0];

export type DataKeyParts = {
  readonly ring: KeyRing;
  readonly cache: DekCache;
  readonly recorder: UseRecorder;
  readonly ports: KeyPorts;
  readonly firstUses: FirstUses;
};

export class DataKeyService {
  readonly #firstUses: FirstUses;
  readonly #ring: KeyRing;
  readonly #cache: DekCache;
  readonly #recorder: UseRecorder;
  readonly #uses: KeyUses;
  readonly #ports: KeyPorts;
  /** Where one data key after the other is, from its being drawn to its being a KeyObject, with no wait between; zeros otherwise. */
  readonly #drawn: Uint8Array = Buffer.allocUnsafeSlow(KEY_BYTES).fill(0);
  readonly #names = new NamesInCiphertexts();
  readonly #known = new KnownCiphertexts<CiphertextFacts>();
  readonly #decryptFacts: (keyId: string | undefined) => RequestFacts;

  constructor({ ring, cache, recorder, ports, firstUses }: DataKeyParts) {
    this.#firstUses = firstUses;
    this.#decryptFacts = decryptFacts(ring.realm);
    this.#ring = ring;
    this.#cache = cache;
    this.#recorder = recorder;
    this.#uses = new KeyUses(ring, recorder);
    this.#ports = ports;
  }

  generateDataKey(request: { keyId: string; context: EncryptionContext }, use: KeyUse): Promise<WrappedDataKey> {
    const { keyId, context } = request;
    const making = this.#firstUses.make({ action: 'GenerateDataKey', keyId, context }, use);
    return making === undefined ? this.#generate(request, use) : making.then(() => this.#generate(request, use));
  }

  #generate(
    { keyId, context }: { readonly keyId: string; readonly context: EncryptionContext },
    use: KeyUse,
  ): Promise<WrappedDataKey> {
    return this.#recorder.record('GenerateDataKey', use, context, (trace) => {
      const wrapping = this.#uses.wrappingKey('GenerateDataKey', { keyId, context, bytes: KEY_BYTES }, use, trace);
      this.#recorder.life.count(wrapping.key, trace, KEY_BYTES);
      const plaintext = this.#drawn;
      try {
        drawInto(this.#ports.random, plaintext);
        const wrapped = wrapBy(wrapping, plaintext, this.#ports.random);
        return { dek: takeKey('Dek', plaintext), wrapped, keyArn: wrapping.key.arn };
      } finally {
        plaintext.fill(0);
      }
    });
  }

  decrypt(request: DecryptRequest, use: KeyUse): Promise<DataKey> {
    return this.#recorder.record('Decrypt', use, request.context, (trace) => {
      const { wrapped, keyId, context } = request;
      const source = this.#source(wrapped, keyId, trace);
      const canonical = canonicalContext(context);
      this.#authorizeDecrypt(source, request, use, trace);
      return { dek: this.#openCached(source, request, canonical), keyArn: source.key.arn };
    });
  }

  decryptNow(request: DecryptRequest, use: KeyUse): DataKey | undefined {
    const asked = this.#useNow({ request, use });
    return asked && this.#recorder.recordNow('Decrypt', use, request.context, asked.work);
  }

  decryptEachNow(asked: readonly DecryptUse[]): readonly (DataKey | undefined)[] {
    return this.#recorder.recordEachNow(
      'Decrypt',
      asked.map((each) => this.#useNow(each)),
    );
  }

  /** Undefined: of a ciphertext that is not known, or not cached. */
  #useNow({ request, use }: DecryptUse): UseNow<DataKey> | undefined {
    const { wrapped, keyId, context } = request;
    const known = this.#known.of(wrapped, context) ?? this.#learn(wrapped, context);
    if (known === undefined) return undefined;
    const work = (trace: UseTrace): DataKey | undefined => {
      const source = this.#sourceOf(known, keyId, trace);
      this.#authorizeDecrypt(source, request, use, trace);
      const cached = this.#cache.get(known.cacheName);
      if (cached === undefined) return undefined;
      this.#ports.metrics?.cacheHit();
      return { dek: cached.dek, keyArn: source.key.arn };
    };
    return { use, context, work };
  }

  /** Of a service's key that is still to be made, first of all: a bucket may hold nothing sealed yet. */
  async readUnsealed({ keyId, context }: Parameters<DataKeys['readUnsealed']>[0], use: KeyUse): Promise<string> {
    await this.#firstUses.make({ action: 'Decrypt', keyId, context }, use);
    return this.#recorder.record('ReadUnsealed', use, context, (trace) => {
      const key = this.#ring.find(keyId);
      trace.key = key;
      canonicalContext(context);
      const parameters = { ...ALGORITHM, ...aliasNamed(keyId, this.#ring.realm) };
      this.#recorder.authorize(trace, 'Decrypt', use, context, { parameters });
      assertWraps(key, 'Decrypt');
      assertKeyUsable(key);
      return key.arn;
    });
  }

  /** Two records, as two permissions are needed: one for the key that opens, one for the key that wraps. */
  async reEncrypt(request: ReEncryptRequest, use: KeyUse): Promise<{ wrapped: Uint8Array; keyArn: string }> {
    const { wrapped, sourceContext, destinationKeyId, destinationContext } = request;
    const first = { action: 'ReEncryptTo', keyId: destinationKeyId, context: destinationContext } as const;
    await this.#firstUses.make(first, use);
    let parameters: RequestParameters = ALGORITHM;
    const plaintext = await this.#recorder.record('ReEncryptFrom', use, sourceContext, (trace) => {
      const source = this.#source(wrapped, undefined, trace);
      parameters = { ...ALGORITHM, ReEncryptOnSameKey: String(source.key === this.#ring.find(destinationKeyId)) };
      const canonical = canonicalContext(sourceContext);
      this.#authorizeSource(source, 'ReEncryptFrom', { context: sourceContext, facts: { parameters } }, use, trace);
      return openWrapped(source, wrapped, canonical);
    });
    try {
      return await this.#recorder.record('ReEncryptTo', use, destinationContext, (trace) => {
        const destination = { keyId: destinationKeyId, context: destinationContext, bytes: plaintext.length };
        const wrapping = this.#uses.wrappingKey('ReEncryptTo', destination, use, trace, parameters);
        this.#recorder.life.count(wrapping.key, trace, plaintext.length);
        return { wrapped: wrapBy(wrapping, plaintext, this.#ports.random), keyArn: wrapping.key.arn };
      });
    } finally {
      plaintext.fill(0);
    }
  }

  resolveKey(keyId: string): string {
    const unmade = this.#firstUses.unmade(keyId);
    if (unmade !== undefined) return unmade;
    const key = this.#ring.find(keyId);
    assertWraps(key, 'GenerateDataKey');
    assertKeyUsable(key);
    assertMaterialAllows(currentOf(key), 'protect');
    return key.arn;
  }

  /** The key and material a wrapped key names. */
  #source(wrapped: Uint8Array, keyId: string | undefined, trace: UseTrace): Source {
    const source = this.#sourceOf(this.#names.of(wrapped), keyId, trace);
    if (wrapped.length !== WRAPPED_KEY_OVERHEAD + KEY_BYTES) throw invalidCiphertext();
    return source;
  }

  #sourceOf(
    named: { readonly keyId: string; readonly materialRef: string },
    keyId: string | undefined,
    trace: UseTrace,
  ): Source {
    const key = this.#ring.byId(named.keyId);
    trace.key = key;
    if (keyId !== undefined && this.#ring.find(keyId) !== key) {
      throw new KeysError('ERR_KEYS_INCORRECT_KEY', `the key named is not the one that wrapped this, ${key.arn}`);
    }
    const material = key.materials.get(named.materialRef);
    if (material === undefined)
      throw new KeysError('ERR_KEYS_NOT_FOUND', `${key.arn} has no material that wrapped this`);
    trace.material = material;
    return { key, material };
  }

  #authorizeDecrypt(source: Source, { keyId, context }: DecryptRequest, use: KeyUse, trace: UseTrace): void {
    this.#authorizeSource(source, 'Decrypt', { context, facts: this.#decryptFacts(keyId) }, use, trace);
  }

  #authorizeSource(
    source: Source,
    action: string,
    { context, facts }: { readonly context: EncryptionContext; readonly facts: RequestFacts },
    use: KeyUse,
    trace: UseTrace,
  ): void {
    this.#recorder.authorize(trace, action, use, context, facts);
    assertKeyUsable(source.key);
    this.#recorder.life.assertProcesses(source.key, source.material, trace);
  }

  #openCached(source: Source, request: DecryptRequest, canonical: CanonicalContext): Dek {
    const name = cacheName(request.wrapped, canonical);
    const cached = this.#cache.get(name);
    if (cached !== undefined) {
      this.#ports.metrics?.cacheHit();
      return cached.dek;
    }
    this.#ports.metrics?.cacheMiss();
    const dek = takeKey('Dek', openWrapped(source, request.wrapped, canonical));
    this.#cache.put(name, dek, source.key.record.keyId);
    return dek;
  }

  /** Of what is cached, when it is asked for again: to note all that is opened once would cost each a tenth. */
  #learn(wrapped: Uint8Array, context: EncryptionContext): CiphertextFacts | undefined {
    if (!Object.isFrozen(context)) return undefined;
    const name = unlessRefused(() => cacheName(wrapped, canonicalContext(context)));
    if (name === undefined || !this.#cache.has(name)) return undefined;
    const facts = { ...this.#names.of(wrapped), cacheName: name };
    this.#known.keep(wrapped, context, facts);
    return facts;
  }
}
