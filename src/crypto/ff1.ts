/**
 * FF1, format-preserving encryption (NIST SP 800-38G rev. 1), over numerals of a radix. By `@noble/ciphers`: OpenSSL has none.
 *
 * No tag: whatever is opened opens, to something of the same form.
 */
import { FF1 } from '@noble/ciphers/ff1.js';
import { KEY_BYTES, type Dek } from './key-types.ts';

/** So many values at least, or trying them all is no work (SP 800-38G rev. 1, section 5.2). */
export const FF1_LEAST_VALUES = 1_000_000;

/** Precondition: radix^numerals.length is at least FF1_LEAST_VALUES. */
export function encryptFf1(key: Dek, radix: number, tweak: Uint8Array, numerals: readonly number[]): readonly number[] {
  return withKey(key, (bytes) => FF1(radix, bytes, tweak).encrypt([...numerals]));
}

/** The way back of `encryptFf1`; never fails on numerals of the radix. */
export function decryptFf1(key: Dek, radix: number, tweak: Uint8Array, numerals: readonly number[]): readonly number[] {
  return withKey(key, (bytes) => FF1(radix, bytes, tweak).decrypt([...numerals]));
}

/** The library takes bytes: they exist for the length of one value. */
function withKey<Result>(key: Dek, work: (bytes: Uint8Array) => Result): Result {
  const bytes = new Uint8Array(KEY_BYTES);
  const exported = key.export();
  try {
    bytes.set(exported);
    return work(bytes);
  } finally {
    exported.fill(0);
    bytes.fill(0);
  }
}
