/**
 * Key material as branded KeyObjects: a KEK cannot be passed where a DEK is meant, and key bytes never become strings
 * (heap snapshots keep strings; they do not show KeyObjects).
 */
import { createSecretKey, type KeyObject } from 'node:crypto';

declare const kind: unique symbol;

/** A KMS key's material: wraps DEKs, never leaves the key manager. */
export type Kek = KeyObject & { readonly [kind]: 'Kek' };
/** A data key: seals objects or column values. */
export type Dek = KeyObject & { readonly [kind]: 'Dek' };
/** The key store's root: wraps KEK materials. */
export type RootKey = KeyObject & { readonly [kind]: 'RootKey' };
/** A key derived from the root for a service of our own: upload tokens, audit chain. */
export type ServiceKey = KeyObject & { readonly [kind]: 'ServiceKey' };
/** The AES key that imported material comes wrapped in. */
export type WrappingKey = KeyObject & { readonly [kind]: 'WrappingKey' };
/** What a client gives along with a request (SSE-C), and nobody keeps. */
export type CustomerKey = KeyObject & { readonly [kind]: 'CustomerKey' };

type KeyKinds = {
  Kek: Kek;
  Dek: Dek;
  RootKey: RootKey;
  ServiceKey: ServiceKey;
  WrappingKey: WrappingKey;
  CustomerKey: CustomerKey;
};

/** Key length of every symmetric key of ours, in bytes. */
export const KEY_BYTES = 32;

/** Takes 32 raw bytes over into a branded KeyObject and zeroes the source, also when it throws. */
export function takeKey<Kind extends keyof KeyKinds>(_kind: Kind, bytes: Uint8Array): KeyKinds[Kind] {
  try {
    if (bytes.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes, not ${bytes.length}`);
    // The brand exists in types alone: this is the one place that puts it on.
    return createSecretKey(bytes) as KeyKinds[Kind];
  } finally {
    bytes.fill(0);
  }
}
