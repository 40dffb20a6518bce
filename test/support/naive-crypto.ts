/**
 * An independent, naive second implementation of the primitives: AES from @noble/ciphers, HMAC, HKDF and the counter KDF written out
 * over a bare SHA-256. Shares no code with src/crypto.
 */
import { createHash } from 'node:crypto';
import { cmac, gcm } from '@noble/ciphers/aes.js';

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
export const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
export const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

export function be(value: number, bytes: number): Uint8Array {
  return unhex(value.toString(16).padStart(bytes * 2, '0'));
}

export const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(
    createHash('sha256')
      .update(join(...parts))
      .digest(),
  );

export function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const block = new Uint8Array(64);
  block.set(key.length > 64 ? sha256(key) : key);
  const inner = sha256(
    block.map((byte) => byte ^ 0x36),
    ...parts,
  );
  return sha256(
    block.map((byte) => byte ^ 0x5c),
    inner,
  );
}

export function hkdf(key: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Uint8Array {
  const prk = hmac(salt.length === 0 ? new Uint8Array(32) : salt, key);
  let previous: Uint8Array = new Uint8Array(0);
  let output: Uint8Array = new Uint8Array(0);
  for (let i = 1; output.length < bytes; i++) {
    previous = hmac(prk, previous, info, Uint8Array.of(i));
    output = join(output, previous);
  }
  return output.slice(0, bytes);
}

export function counterKdf(key: Uint8Array, label: string, context: Uint8Array, bytes: number): Uint8Array {
  let output: Uint8Array = new Uint8Array(0);
  for (let i = 1; output.length < bytes; i++) {
    output = join(output, hmac(key, be(i, 4), ascii(label), Uint8Array.of(0), context, be(bytes * 8, 4)));
  }
  return output.slice(0, bytes);
}

export function gcmSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Uint8Array {
  return gcm(key, nonce, aad).encrypt(plaintext);
}

/** XAES-256-GCM by way of AES-CMAC, as NIST SP 800-108 has it. */
export function xaesSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Uint8Array {
  const block = (i: number) => cmac(join(Uint8Array.of(0, i), ascii('X'), Uint8Array.of(0), nonce.slice(0, 12)), key);
  return gcmSeal(join(block(1), block(2)), nonce.slice(12), plaintext, aad);
}

export function gcmOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad?: Uint8Array): Uint8Array {
  return gcm(key, nonce, aad).decrypt(sealed);
}
