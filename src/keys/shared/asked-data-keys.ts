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
import { Channel, MAX_CHANNEL_NUMBER } from './channel.ts';
import type { Asked, Question, Result, Told, ToldAgain } from './messages.ts';
import { isRepeatable } from '../uses/repeated-uses.ts';

/** How the owner calls a wrapped key and its context, and where its DEK is kept here. */
type Reference = { readonly reference: number; readonly name: string; readonly keyArn: string };
/** How the owner calls a use, and which key it may be of. */
type NamedUse = { readonly useName: number; readonly keyId: string | undefined };
/** `asBefore`: what was asked again may be used. */
type Answer = Result | { readonly type: 'asBefore' };
type AnswerOf<Type extends Answer['type']> = Extract<Answer, { readonly type: Type }>;
type Waiting = { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void };
const AS_BEFORE: Answer = { type: 'asBefore' };

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
  /** By the use: an entry lives as long as whoever asks keeps it. */
  readonly #uses = new WeakMap<KeyUse, NamedUse>();
  #named = 0;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  /** How often DEKs were dropped. */
  #drops = 0;

  constructor(pipe: Duplex, { cache, now, ended }: AskedOptions) {
    this.#cache = new DekCache(cache, now);
    this.#channel = new Channel(pipe, {
      // The owner sent it: see `messages.ts`.
      received: (value) => this.#hear(value as Told | ToldAgain),
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
    const again = known && (await this.#askAgain(known, { keyId, hasDek, use }));
    if (again?.type === 'asBefore' && cached !== undefined && known !== undefined)
      return { dek: cached.dek, keyArn: known.keyArn };
    const opened =
      again?.type === 'opened'
        ? again
        : await this.#ask(
            {
              type: 'decrypt',
              request: { ...request, wrapped: meant },
              hasDek,
              use,
              useName: this.#nameFor(use, keyId),
            },
            'opened',
          );
    const { reference, keyArn } = opened;
    if (name !== undefined) this.#known.keep(wrapped, context, { reference, name, keyArn }, meant);
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

  /** In as few words as the owner understands. */
  #askAgain(
    { reference }: Reference,
    { keyId, hasDek, use }: { readonly keyId: string | undefined; readonly hasDek: boolean; readonly use: KeyUse },
  ): Promise<AnswerOf<'opened' | 'forgotten' | 'asBefore'>> {
    const named = this.#uses.get(use);
    if (hasDek && named?.keyId === keyId && named !== undefined && reference <= MAX_CHANNEL_NUMBER) {
      const send = (number: number): void => this.#channel.sendNumbers([number, reference, named.useName]);
      return this.#answerTo(send, ['opened', 'forgotten', 'asBefore']);
    }
    const useName = this.#nameFor(use, keyId);
    return this.#ask({ type: 'decryptAgain', reference, keyId, hasDek, use, useName }, 'opened', 'forgotten');
  }

  /** Undefined: the use is of one request or may change, or names are used up, none of which may ever mean another use. */
  #nameFor(use: KeyUse, keyId: string | undefined): number | undefined {
    const known = this.#uses.get(use);
    if (known?.keyId === keyId && known !== undefined) return known.useName;
    if (!isRepeatable(use) || this.#named === MAX_CHANNEL_NUMBER) return undefined;
    this.#named += 1;
    this.#uses.set(use, { useName: this.#named, keyId });
    return this.#named;
  }

  #ask<Type extends Answer['type']>(
    question: Question,
    ...wanted: readonly [Type, ...Type[]]
  ): Promise<AnswerOf<Type>> {
    return this.#answerTo((number) => this.#channel.send({ number, question } satisfies Asked), wanted);
  }

  /** Rejects with the owner's error. */
  async #answerTo<Type extends Answer['type']>(
    send: (number: number) => void,
    wanted: readonly [Type, ...Type[]],
  ): Promise<AnswerOf<Type>> {
    if (!this.#channel.isOpen) throw closed();
    const answer = await new Promise<Answer>((resolve, reject) => {
      // Those that wait are far fewer.
      this.#asked = this.#asked === MAX_CHANNEL_NUMBER ? 0 : this.#asked + 1;
      this.#waiting.set(this.#asked, { resolve, reject });
      send(this.#asked);
    });
    if (answer.type === 'failed') throw failed(answer);
    if (!isOneOf(answer, wanted)) throw new TypeError(`the owner of the key store answered with ${answer.type}`);
    return answer;
  }

  #hear(told: Told | ToldAgain): void {
    if ('type' in told) {
      this.#drops += 1;
      this.#cache.clear();
    } else if ('number' in told) this.#resolve(told.number, told.result);
    else this.#resolve(told[0], AS_BEFORE);
  }

  #resolve(number: number, answer: Answer): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    waiting?.resolve(answer);
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

function isOneOf<Type extends Answer['type']>(answer: Answer, wanted: readonly Type[]): answer is AnswerOf<Type> {
  return wanted.some((type) => type === answer.type);
}

function failed({ code, message }: AnswerOf<'failed'>): Error {
  // A SealgateError's code was sent.
  return Object.hasOwn(KEYS_ERRORS, code)
    ? new KeysError(code as KeysErrorCode, message)
    : new SealgateError(code as ErrorCode, message);
}

const closed = (): KeysError =>
  new KeysError('ERR_KEYS_OWNER', 'the process that owns the key store is gone; this one ends');
