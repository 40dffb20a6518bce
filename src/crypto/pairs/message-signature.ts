/** Signatures over whole messages, on threads of node:crypto's own. */
import { sign, verify, type KeyObject } from 'node:crypto';
import { modulusBytes } from './key-pair.ts';
import { isRsa, paddingOf, type SignatureScheme } from './signature-scheme.ts';

/** node:crypto has no Ed25519ph, and takes no µ. */
export type MessageScheme = Exclude<SignatureScheme, { readonly type: 'ed25519ph' | 'ml-dsa-mu' }>;

export function signMessage(scheme: MessageScheme, privateKey: KeyObject, message: Uint8Array): Promise<Uint8Array> {
  const key = { key: privateKey, ...paddingOf(scheme) };
  return new Promise((resolve, reject) => {
    sign(hashOf(scheme), message, key, (error, signature) => {
      if (error === null) resolve(signature);
      else reject(error);
    });
  });
}

export function verifyMessage(
  scheme: MessageScheme,
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  // RFC 8017, 8.1.2, step 1. OpenSSL takes a PSS signature without its leading zeros: another signature of the same message.
  if (isRsa(scheme) && signature.length !== modulusBytes(publicKey)) return Promise.resolve(false);
  const key = { key: publicKey, ...paddingOf(scheme) };
  return new Promise((resolve, reject) => {
    verify(hashOf(scheme), message, key, signature, (error, isRight) => {
      if (error === null) resolve(isRight);
      else reject(error);
    });
  });
}

const hashOf = (scheme: MessageScheme): string | null => ('hash' in scheme ? scheme.hash : null);
