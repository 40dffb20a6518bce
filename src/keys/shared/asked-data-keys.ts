/**
 * The key manager of another process of ours, which owns the store: the asking end of the channel.
 *
 * Every use is asked about, and answered once it was decided and recorded there. A DEK that was had before need not come again: it is kept
 * here within the same bounds, and dropped when its key changes.
 */
import type { Duplex } from 'node:stream';
import { takeKey } from '../../crypto/key-types.ts';
import { encodeContext, type EncryptionContext } from '../../envelope/encryption-context.ts';
import { EnvelopeError } from '../../envelope/errors.ts';
import { SealgateError, type ErrorCode } from '../../errors.ts';
import { KEYS_ERRORS, KeysError, type KeysErrorCode } from '../errors.ts';
import type { DekCacheLimits } from '../options.ts';
import type {
  DataKey,
  DataKeys,
  DecryptRequest,
  DecryptUse,
  EscrowRecord,
  KeyUse,
  WrappedDataKey,
} from '../uses/data-keys.ts';
import { cacheName, DekCache } from '../uses/dek-cache.ts';
import { KnownCiphertexts } from '../uses/known-ciphertexts.ts';
import { Channel } from './channel.ts';
import type { Asked, Question, Result, Told } from './messages.ts';

/** How the owner calls a wrapped key and its context, and where its DEK is kept here. */
type Reference = { readonly reference: number; readonly name: string };
type ResultOf<Type extends Result['type']> = Extract<Result, { readonly type: Type }>;
type Waiting = { readonly resolve: (result: Result) => void; readonly reject: (error: Error) => void };

export type AskedOptions = {
  readonly cache: DekCacheLimits;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The owner is gone: no key can be used any more. */
  readonly ended: () => void;
};

export class AskedDataKeys implements DataKeys {
  readonly #channel: Channel;
  readonly #cache: DekCache;
  readonly #known = new KnownCiphertexts<Reference>();
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  /** How often DEKs were dropped. */
  #drops = 0;

  constructor(pipe: Duplex, { cache, now, ended }: AskedOptions) {
    this.#cache = new DekCache(cache, now);
    this.#channel = new Channel(pipe, {
      // The owner sent it: see `messages.ts`.
      received: (value) => this.#hear(value as Told),
      ended: () => {
        this.#cache.close();
        for (const { reject } of this.#waiting.values()) reject(closed());
        this.#waiting.clear();
        ended();
      },
    });
  }

  close(): void {
    this.#channel.close();
  }

  async generateDataKey(
    { keyId, context }: Parameters<DataKeys['generateDataKey']>[0],
    use: KeyUse,
  ): Promise<WrappedDataKey> {
    const made = await this.#ask({ type: 'generateDataKey', request: { keyId, context }, use }, 'dataKey');
    return { dek: takeKey('Dek', made.dek), wrapped: Uint8Array.from(made.wrapped), keyArn: made.keyArn };
  }

  async decrypt(request: DecryptRequest, use: KeyUse): Promise<DataKey> {
    const { wrapped, context, keyId } = request;
    // The caller's bytes may be others when the answer comes.
    const meant = Uint8Array.from(wrapped);
    const known = this.#known.of(wrapped, context);
    const name = known?.name ?? nameOf(meant, context);
    // Held from here on, so that the answer need not bring it.
    const cached = name === undefined ? undefined : this.#cache.get(name);
    const hasDek = cached !== undefined;
    const drops = this.#drops;
    const again =
      known &&
      (await this.#ask(
        { type: 'decryptAgain', reference: known.reference, keyId, hasDek, use },
        'opened',
        'forgotten',
      ));
    const opened =
      again?.type === 'opened'
        ? again
        : await this.#ask({ type: 'decrypt', request: { ...request, wrapped: meant }, hasDek, use }, 'opened');
    if (name !== undefined) this.#known.keep(wrapped, context, { reference: opened.reference, name }, meant);
    if (opened.dek === undefined) {
      if (cached === undefined) throw new TypeError('the owner of the key store sent no key');
      return { dek: cached.dek, keyArn: opened.keyArn };
    }
    const dek = takeKey('Dek', opened.dek);
    // It may be one of those that were dropped while it was under way.
    if (name !== undefined && drops === this.#drops) this.#cache.put(name, dek, opened.keyArn);
    return { dek, keyArn: opened.keyArn };
  }

  /** Another process decides: there is always something to wait for. */
  decryptNow(): undefined {
    return undefined;
  }

  decryptEachNow(asked: readonly DecryptUse[]): readonly undefined[] {
    return asked.map(() => undefined);
  }

  async reEncrypt(
    request: Parameters<DataKeys['reEncrypt']>[0],
    use: KeyUse,
  ): Promise<{ wrapped: Uint8Array; keyArn: string }> {
    const { wrapped, keyArn } = await this.#ask({ type: 'reEncrypt', request, use }, 'wrapped');
    return { wrapped: Uint8Array.from(wrapped), keyArn };
  }

  async readUnsealed({ keyId, context }: Parameters<DataKeys['readUnsealed']>[0], use: KeyUse): Promise<string> {
    return (await this.#ask({ type: 'readUnsealed', request: { keyId, context }, use }, 'text')).text;
  }

  async resolveKey(keyId: string): Promise<string> {
    return (await this.#ask({ type: 'resolveKey', keyId }, 'text')).text;
  }

  async serviceKey(purpose: string, epoch?: number): ReturnType<DataKeys['serviceKey']> {
    const answer = await this.#ask({ type: 'serviceKey', purpose, epoch }, 'serviceKey');
    return { epoch: answer.epoch, key: takeKey('ServiceKey', answer.key), keyArn: answer.keyArn };
  }

  async escrow(record: EscrowRecord, use: KeyUse): Promise<void> {
    await this.#ask({ type: 'escrow', record, use }, 'done');
  }

  async escrowed(owner: string): Promise<readonly EscrowRecord[]> {
    const { records } = await this.#ask({ type: 'escrowed', owner }, 'escrowed');
    return records.map((record) => ({
      ...record,
      dekId: Uint8Array.from(record.dekId),
      wrapped: Uint8Array.from(record.wrapped),
    }));
  }

  async #ask<Type extends Result['type']>(
    question: Question,
    ...wanted: readonly [Type, ...Type[]]
  ): Promise<ResultOf<Type>> {
    if (!this.#channel.isOpen) throw closed();
    const result = await new Promise<Result>((resolve, reject) => {
      this.#asked += 1;
      this.#waiting.set(this.#asked, { resolve, reject });
      const asked: Asked = { number: this.#asked, question };
      this.#channel.send(asked);
    });
    if (result.type === 'failed') throw failed(result);
    if (!isOneOf(result, wanted)) throw new TypeError(`the owner of the key store answered with ${result.type}`);
    return result;
  }

  #hear(told: Told): void {
    if ('type' in told) {
      this.#drops += 1;
      this.#cache.clear();
      return;
    }
    const waiting = this.#waiting.get(told.number);
    this.#waiting.delete(told.number);
    waiting?.resolve(told.result);
  }
}

/** Undefined: the context is none. The owner is asked all the same: it refuses by its own code, and records that. */
function nameOf(wrapped: Uint8Array, context: EncryptionContext): string | undefined {
  try {
    return cacheName(wrapped, encodeContext(context));
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined;
    throw error;
  }
}

function isOneOf<Type extends Result['type']>(result: Result, wanted: readonly Type[]): result is ResultOf<Type> {
  return wanted.some((type) => type === result.type);
}

function failed({ code, message }: ResultOf<'failed'>): Error {
  // A SealgateError's code was sent.
  return Object.hasOwn(KEYS_ERRORS, code)
    ? new KeysError(code as KeysErrorCode, message)
    : new SealgateError(code as ErrorCode, message);
}

const closed = (): KeysError =>
  new KeysError('ERR_KEYS_OWNER', 'the process that owns the key store is gone; this one ends');
