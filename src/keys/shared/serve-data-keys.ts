/**
 * The key manager, as other processes of ours use it: the end of the channel in the process that owns the store.
 *
 * What they ask is decided and recorded here, with the caller they name, as if the caller were served in this process.
 */
import { LRUCache } from 'lru-cache';
import type { Duplex } from 'node:stream';
import { SealgateError, unreachable } from '../../errors.ts';
import type { DataKey, DataKeys, DecryptRequest, DecryptUse, KeyUse } from '../uses/data-keys.ts';
import { Channel } from './channel.ts';
import type { Asked, AskedAgain, Question, Result, Told } from './messages.ts';

/** Wrapped keys that one process names by reference, and uses that it has names for. */
const MAX_REFERENCES = 10_000;

type Kept = Pick<DecryptRequest, 'wrapped' | 'context'>;
type NamedUse = { readonly use: KeyUse; readonly keyId: string | undefined };
/** One that is asked again; `asked`: undefined where something it names is not known any more. */
type Again = { readonly number: number; readonly reference: number; readonly asked: DecryptUse | undefined };

/** One process's end. */
export class ServedDataKeys {
  readonly #keys: DataKeys;
  readonly #channel: Channel;
  /** Arrays and contexts that stay the same, so that what was found out about them is found again (`known-ciphertexts.ts`). */
  readonly #kept = new LRUCache<number, Kept>({ max: MAX_REFERENCES });
  #references = 0;
  /** Objects that stay the same, and do not change, as those of a column do in the process that serves it itself (`repeated-uses.ts`). */
  readonly #uses = new LRUCache<number, NamedUse>({ max: MAX_REFERENCES });
  #again: Again[] = [];

  /** `ended`: the other process is gone. */
  constructor(keys: DataKeys, pipe: Duplex, ended: () => void) {
    this.#keys = keys;
    // Our own process sent it: the form is known, and nobody else can write into the pipe.
    this.#channel = new Channel(pipe, {
      received: (value) => this.#hear(value as Asked | AskedAgain),
      receivedAll: () => this.#answerAgain(),
      ended,
    });
  }

  /** DEKs that the other process holds are not to be used again. */
  dropDeks(): void {
    this.#tell({ type: 'dropDeks' });
  }

  close(): void {
    this.#channel.close();
  }

  #hear(asked: Asked | AskedAgain): void {
    if ('question' in asked) void this.#answer(asked.number, this.#resultOf(asked.question));
    else this.#again.push(this.#meant(asked));
  }

  #meant([number, reference, useName]: AskedAgain): Again {
    const kept = this.#kept.get(reference);
    const named = this.#uses.get(useName);
    const asked = kept && named && { request: { ...kept, ...ofKey(named.keyId) }, use: named.use };
    return { number, reference, asked };
  }

  /** All that came at once: their records go out in one write. */
  #answerAgain(): void {
    const again = this.#again;
    if (again.length === 0) return;
    this.#again = [];
    const known = again.flatMap(({ asked }) => asked ?? []);
    let keys: readonly (DataKey | undefined)[];
    try {
      keys = this.#keys.decryptEachNow(known);
    } catch (error) {
      for (const { number } of again) this.#tell({ number, result: failure(error) });
      return;
    }
    let next = 0;
    for (const { number, reference, asked } of again) {
      if (asked === undefined) this.#tell({ number, result: { type: 'forgotten' } });
      else if (keys[next++] === undefined) void this.#answer(number, this.#openLater(asked, reference));
      else this.#channel.sendNumbers([number]);
    }
  }

  async #openLater({ request, use }: DecryptUse, reference: number): Promise<Result> {
    return opened(await this.#keys.decrypt(request, use), reference, true);
  }

  async #answer(number: number, answer: Promise<Result>): Promise<void> {
    const result = await answer.catch(failure);
    this.#tell({ number, result });
    if ('dek' in result) result.dek?.fill(0);
    if (result.type === 'serviceKey') result.key.fill(0);
  }

  #tell(told: Told): void {
    this.#channel.send(told);
  }

  async #resultOf(question: Question): Promise<Result> {
    const keys = this.#keys;
    switch (question.type) {
      case 'generateDataKey': {
        const { dek, wrapped, keyArn } = await keys.generateDataKey(question.request, question.use);
        return { type: 'dataKey', dek: dek.export(), wrapped, keyArn };
      }
      case 'decrypt': {
        const { wrapped, context, keyId } = question.request;
        const kept = { wrapped: Uint8Array.from(wrapped), context: Object.freeze(context) };
        const use = this.#named(question.use, keyId, question.useName);
        const key = await keys.decrypt({ ...kept, ...ofKey(keyId) }, use);
        this.#references += 1;
        this.#kept.set(this.#references, kept);
        return opened(key, this.#references, question.hasDek);
      }
      case 'decryptAgain': {
        const kept = this.#kept.get(question.reference);
        if (kept === undefined) return { type: 'forgotten' };
        const use = this.#named(question.use, question.keyId, question.useName);
        const key = await this.#open({ ...kept, ...ofKey(question.keyId) }, use);
        return opened(key, question.reference, question.hasDek);
      }
      case 'reEncrypt': {
        const request = { ...question.request, wrapped: Uint8Array.from(question.request.wrapped) };
        return { type: 'wrapped', ...(await keys.reEncrypt(request, question.use)) };
      }
      case 'readUnsealed':
        return { type: 'text', text: await keys.readUnsealed(question.request, question.use) };
      case 'resolveKey':
        return { type: 'text', text: await keys.resolveKey(question.keyId) };
      case 'serviceKey': {
        const { epoch, key, keyArn } = await keys.serviceKey(question.purpose, question.epoch);
        return { type: 'serviceKey', epoch, key: key.export(), keyArn };
      }
      case 'escrow': {
        const { record, use } = question;
        const own = { ...record, dekId: Uint8Array.from(record.dekId), wrapped: Uint8Array.from(record.wrapped) };
        await keys.escrow(own, use);
        return { type: 'done' };
      }
      case 'escrowed':
        return { type: 'escrowed', records: await keys.escrowed(question.owner) };
      default:
        return unreachable(question);
    }
  }

  #named(use: KeyUse, keyId: string | undefined, name: number | undefined): KeyUse {
    if (name !== undefined) this.#uses.set(name, { use: Object.freeze(use), keyId });
    return use;
  }

  /** At once where that can be. */
  async #open(request: DecryptRequest, use: KeyUse): Promise<DataKey> {
    return this.#keys.decryptNow(request, use) ?? this.#keys.decrypt(request, use);
  }
}

const ofKey = (keyId: string | undefined): { readonly keyId?: string } => (keyId === undefined ? {} : { keyId });

function opened({ dek, keyArn }: DataKey, reference: number, hasDek: boolean): Result {
  return { type: 'opened', dek: hasDek ? undefined : dek.export(), keyArn, reference };
}

/** An error's cause stays here: it may hold what a client sent. */
function failure(error: unknown): Result {
  // `instanceof` gives the class with its code's type left open.
  const known: SealgateError | undefined = error instanceof SealgateError ? (error as SealgateError) : undefined;
  return { type: 'failed', code: known?.code ?? 'ERR_KEYS_OWNER', message: known?.message ?? 'the key manager failed' };
}
