/**
 * Data keys from a key manager elsewhere: another Sealgate, or AWS KMS. Wrapping, unwrapping and the state of keys are its own; who of
 * our callers may use which of its keys is decided here, and every use is recorded here, whether the other end was asked or not.
 *
 * What the other end changes takes effect here when the cached DEK ends (`keys.cache.maxAgeSeconds`): nobody tells us.
 */
import { LRUCache } from 'lru-cache';
import { KEY_BYTES, takeKey } from '../../crypto/key-types.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import type { RequestParameters } from '../access/request.ts';
import { canonicalContext, invalidCiphertext } from '../uses/ciphertexts.ts';
import type { DataKey, DataKeys, DecryptRequest, DecryptUse, KeyUse, WrappedDataKey } from '../uses/data-keys.ts';
import { cacheName, type DekCache } from '../uses/dek-cache.ts';
import { KeysError } from '../errors.ts';
import { KnownCiphertexts } from '../uses/known-ciphertexts.ts';
import type { KeyPorts } from '../options.ts';
import { ALGORITHM } from '../request-facts.ts';
import type { KeyElsewhere, UseNow, UseRecorder, UseTrace } from '../uses/use-recorder.ts';
import { RemoteKeyNames } from './key-names.ts';
import type { RemoteKms } from './remote-kms.ts';

/** AWS KMS's own bound. */
const MAX_WRAPPED_BYTES = 6144;
/** Remembered, so that decisions about them are. */
const MAX_KEYS = 10_000;

type ReEncryptRequest = Parameters<DataKeys['reEncrypt']>[0];
export type RemoteParts = {
  readonly kms: RemoteKms;
  readonly cache: DekCache;
  readonly recorder: UseRecorder;
  readonly ports: KeyPorts;
  /** Of our own ARNs: to this account the keys belong as far as our callers' policies are concerned. */
  readonly account: string;
};

export class RemoteDataKeyService {
  readonly #parts: RemoteParts;
  readonly #names: RemoteKeyNames;
  readonly #keys = new LRUCache<string, KeyElsewhere>({ max: MAX_KEYS });
  /** Where the DEK of a wrapped key that a caller keeps is cached. */
  readonly #known = new KnownCiphertexts<string>();
  /** What is being opened: those who want the same wait for one answer. */
  readonly #opening = new Map<string, Promise<DataKey>>();
  /** The key that was asked about last. */
  #lastAsked: string | undefined;

  constructor(parts: RemoteParts) {
    this.#parts = parts;
    this.#names = new RemoteKeyNames(parts.kms, parts.ports.now);
  }

  generateDataKey(
    { keyId, context }: { keyId: string; context: EncryptionContext },
    use: KeyUse,
  ): Promise<WrappedDataKey> {
    return this.#parts.recorder.record('GenerateDataKey', use, context, async (trace) => {
      canonicalContext(context);
      const parameters = { ...ALGORITHM, ...aliasNamed(keyId) };
      const arn = await this.#names.arnOf(keyId);
      this.#authorize(arn, 'GenerateDataKey', { context, parameters }, use, trace);
      const made = await this.#parts.kms.generateDataKey({ keyId, context });
      const dek = takeDek(made.plaintext);
      if (made.wrapped.length === 0 || made.wrapped.length > MAX_WRAPPED_BYTES)
        throw new KeysError('ERR_KEYS_REMOTE_PROTOCOL', 'the remote key manager gave no wrapped key');
      if (made.keyArn !== arn) {
        // The alias stands for another key by now.
        this.#authorize(made.keyArn, 'GenerateDataKey', { context, parameters }, use, trace);
        this.#names.learn(keyId, made.keyArn);
      }
      return { dek, wrapped: made.wrapped, keyArn: made.keyArn };
    });
  }

  decrypt(asked: DecryptRequest, use: KeyUse): Promise<DataKey> {
    // The caller's bytes may be others when they are sent, or when the answer comes.
    const request = { ...asked, wrapped: Uint8Array.from(asked.wrapped) };
    const { wrapped, context, keyId } = request;
    return this.#parts.recorder.record('Decrypt', use, context, async (trace) => {
      const name = cacheName(wrapped, canonicalContext(context));
      const wanted = keyId === undefined ? undefined : await this.#names.arnOf(keyId);
      const key = this.#cached(name) ?? (await this.#open(name, request));
      // Whose the ciphertext is, only the answer says: so this is asked last, and before anything is given out.
      this.#authorize(key.keyArn, 'Decrypt', decryptFacts(request), use, trace);
      if (wanted !== undefined && wanted !== key.keyArn) throw anotherKey(key.keyArn);
      this.#known.keep(asked.wrapped, context, name, wrapped);
      return key;
    });
  }

  decryptNow(request: DecryptRequest, use: KeyUse): DataKey | undefined {
    const asked = this.#useNow({ request, use });
    return asked && this.#parts.recorder.recordNow('Decrypt', use, request.context, asked.work);
  }

  decryptEachNow(asked: readonly DecryptUse[]): readonly (DataKey | undefined)[] {
    return this.#parts.recorder.recordEachNow(
      'Decrypt',
      asked.map((each) => this.#useNow(each)),
    );
  }

  /** Undefined: of a ciphertext or key that is not known. */
  #useNow({ request, use }: DecryptUse): UseNow<DataKey> | undefined {
    const { wrapped, context, keyId } = request;
    const name = this.#known.of(wrapped, context);
    const wanted = keyId === undefined ? undefined : this.#names.known(keyId);
    if (name === undefined || (keyId !== undefined && wanted === undefined)) return undefined;
    const work = (trace: UseTrace): DataKey | undefined => {
      const key = this.#cached(name);
      if (key === undefined || (wanted !== undefined && wanted !== key.keyArn)) return undefined;
      this.#authorize(key.keyArn, 'Decrypt', decryptFacts(request), use, trace);
      return key;
    };
    return { use, context, work };
  }

  /** The other end has no part in it: no key is used. */
  readUnsealed({ keyId, context }: Parameters<DataKeys['readUnsealed']>[0], use: KeyUse): Promise<string> {
    return this.#parts.recorder.record('ReadUnsealed', use, context, async (trace) => {
      canonicalContext(context);
      const arn = await this.#names.arnOf(keyId);
      this.#authorize(arn, 'Decrypt', { context, parameters: { ...ALGORITHM, ...aliasNamed(keyId) } }, use, trace);
      return arn;
    });
  }

  /** Two records, as two permissions are needed; the other end does it in one step, so neither key is seen here. */
  async reEncrypt(request: ReEncryptRequest, use: KeyUse): Promise<{ wrapped: Uint8Array; keyArn: string }> {
    const { sourceContext, destinationKeyId, destinationContext } = request;
    const { recorder, kms } = this.#parts;
    const moved = await recorder.record('ReEncryptFrom', use, sourceContext, async (trace) => {
      canonicalContext(sourceContext);
      canonicalContext(destinationContext);
      const answer = await kms.reEncrypt(request);
      const parameters = { ...ALGORITHM, ReEncryptOnSameKey: String(answer.sourceKeyArn === answer.keyArn) };
      this.#authorize(answer.sourceKeyArn, 'ReEncryptFrom', { context: sourceContext, parameters }, use, trace);
      return { ...answer, parameters };
    });
    return recorder.record('ReEncryptTo', use, destinationContext, (trace) => {
      const parameters = { ...moved.parameters, ...aliasNamed(destinationKeyId) };
      this.#authorize(moved.keyArn, 'ReEncryptTo', { context: destinationContext, parameters }, use, trace);
      return { wrapped: moved.wrapped, keyArn: moved.keyArn };
    });
  }

  /** Asks the other end in any case. */
  async resolveKey(keyId: string): Promise<string> {
    const { arn, state, spec } = await this.#names.describe(keyId);
    this.#lastAsked = keyId;
    // The one kind that wraps data keys, and it does nothing else.
    if (spec !== 'SYMMETRIC_DEFAULT')
      throw new KeysError('ERR_KEYS_KEY_USAGE', `${arn} is a ${spec} key, which wraps no data keys.`);
    if (state === 'Disabled') throw new KeysError('ERR_KEYS_DISABLED', `${arn} is disabled.`);
    if (state !== 'Enabled') throw new KeysError('ERR_KEYS_INVALID_STATE', `${arn} is ${state}.`);
    return arn;
  }

  /** Rejects while the other end does not answer, or does not know us. */
  async ready(): Promise<void> {
    if (this.#lastAsked !== undefined) await this.#names.describe(this.#lastAsked);
  }

  close(): Promise<void> {
    return this.#parts.kms.close();
  }

  #cached(name: string): DataKey | undefined {
    const { cache, ports } = this.#parts;
    const cached = cache.get(name);
    if (cached === undefined) return undefined;
    ports.metrics?.cacheHit();
    return { dek: cached.dek, keyArn: cached.keyId };
  }

  #open(name: string, request: DecryptRequest): Promise<DataKey> {
    const flight = `${name} ${request.keyId ?? ''}`;
    const known = this.#opening.get(flight);
    if (known !== undefined) return known;
    const opening = this.#openAfar(name, request).finally(() => this.#opening.delete(flight));
    this.#opening.set(flight, opening);
    return opening;
  }

  async #openAfar(name: string, request: DecryptRequest): Promise<DataKey> {
    const { kms, cache, ports } = this.#parts;
    ports.metrics?.cacheMiss();
    const { plaintext, keyArn } = await kms.decrypt(request);
    // It wraps something, but no data key.
    if (plaintext.length !== KEY_BYTES) {
      plaintext.fill(0);
      throw invalidCiphertext();
    }
    const dek = takeKey('Dek', plaintext);
    cache.put(name, dek, keyArn);
    return { dek, keyArn };
  }

  #authorize(
    arn: string,
    action: string,
    { context, parameters }: { readonly context: EncryptionContext; readonly parameters: RequestParameters },
    use: KeyUse,
    trace: UseTrace,
  ): void {
    trace.key = this.#keyOf(arn);
    this.#parts.recorder.authorize(trace, action, use, context, { parameters });
  }

  /** One object for each key, so that decisions about it are kept. Its own policy is the other end's to decide by. */
  #keyOf(arn: string): KeyElsewhere {
    const known = this.#keys.get(arn);
    if (known !== undefined) return known;
    const facts = {
      ...{ keyId: arn, arn, account: this.#parts.account },
      ...{ spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', origin: '' },
      ...{ multiRegion: false, tags: {}, aliases: [], policy: undefined },
    };
    const key = { arn, facts };
    this.#keys.set(arn, key);
    return key;
  }
}

function takeDek(plaintext: Uint8Array): DataKey['dek'] {
  if (plaintext.length === KEY_BYTES) return takeKey('Dek', plaintext);
  plaintext.fill(0);
  throw new KeysError('ERR_KEYS_REMOTE_PROTOCOL', 'the remote key manager gave a data key of another length');
}

const anotherKey = (arn: string): KeysError =>
  new KeysError('ERR_KEYS_INCORRECT_KEY', `the key named is not the one that wrapped this, ${arn}`);

const decryptFacts = ({ context, keyId }: DecryptRequest) => ({
  context,
  parameters: { ...ALGORITHM, ...(keyId === undefined ? {} : aliasNamed(keyId)) },
});

/** `kms:RequestAlias`. */
function aliasNamed(keyId: string): RequestParameters {
  const alias = /(?:^|:)(alias\/.+)$/u.exec(keyId)?.[1];
  return alias === undefined ? {} : { RequestAlias: alias };
}
