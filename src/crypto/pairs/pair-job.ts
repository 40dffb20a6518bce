/** What goes to the pair thread, and what comes back. A KeyObject crosses as a handle: its bytes are copied nowhere. */
import type { KeyObject } from 'node:crypto';
import type { DigestScheme } from './digest-signature.ts';
import type { OaepHash } from './rsa-oaep.ts';

export type PairJob =
  | { readonly type: 'sign'; readonly scheme: DigestScheme; readonly key: KeyObject; readonly digest: Uint8Array }
  | {
      readonly type: 'verify';
      readonly scheme: DigestScheme;
      readonly key: KeyObject;
      readonly digest: Uint8Array;
      readonly signature: Uint8Array;
    }
  | { readonly type: 'encrypt'; readonly hash: OaepHash; readonly key: KeyObject; readonly plaintext: Uint8Array }
  | { readonly type: 'decrypt'; readonly hash: OaepHash; readonly key: KeyObject; readonly ciphertext: Uint8Array };

/** Bytes: a signature, ciphertext or plaintext. `no`: the signature does not verify, the ciphertext does not open. */
export type PairResult =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'yes' }
  | { readonly type: 'no' }
  /** A fault of ours. */
  | { readonly type: 'failed'; readonly reason: string };

export type NumberedJob = { readonly id: number; readonly job: PairJob };
export type NumberedResult = { readonly id: number; readonly result: PairResult };

/**
 * The same with its bytes in memory of their own, to be handed over: a view of memory that is shared with others would take all of
 * that along.
 */
export function withOwnBytes<Message extends PairJob | PairResult>(
  message: Message,
): { message: Message; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = [];
  const entries = Object.entries(message).map(([name, value]: [string, unknown]) => {
    if (!(value instanceof Uint8Array)) return [name, value];
    const own = Uint8Array.from(value);
    transfer.push(own.buffer);
    return [name, own];
  });
  // The same members with the same values.
  return { message: Object.fromEntries(entries) as Message, transfer };
}
