/** Encryption by RSA keys: their algorithms, and what may be asked of them. */
import { modulusBytes } from '../../crypto/pairs/key-pair.ts';
import type { PairCrypto } from '../../crypto/pairs/pair-crypto.ts';
import { maxOaepBytes, type OaepHash } from '../../crypto/pairs/rsa-oaep.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import { invalidCiphertext } from '../uses/ciphertexts.ts';
import { KeysError } from '../errors.ts';
import type { EncryptionAlgorithm, RsaEncryptionAlgorithm } from '../key-kinds.ts';
import { currentOf, pairOf, type HeldKey } from '../key-ring.ts';

const HASHES = {
  RSAES_OAEP_SHA_1: 'sha1',
  RSAES_OAEP_SHA_256: 'sha256',
} as const satisfies Record<RsaEncryptionAlgorithm, OaepHash>;

export function isRsaEncryption(algorithm: EncryptionAlgorithm): algorithm is RsaEncryptionAlgorithm {
  return algorithm !== 'SYMMETRIC_DEFAULT';
}

/** RSA binds no context: one that is given and not bound would protect nothing. ERR_KEYS_INVALID_REQUEST. */
export function assertNoContext(algorithm: EncryptionAlgorithm, context: EncryptionContext): void {
  if (!isRsaEncryption(algorithm) || Object.keys(context).length === 0) return;
  throw new KeysError('ERR_KEYS_INVALID_REQUEST', `EncryptionContext is not supported with algorithm ${algorithm}.`);
}

/** ERR_KEYS_INVALID_REQUEST, in AWS's words. */
export function assertFits(algorithm: RsaEncryptionAlgorithm, key: HeldKey, plaintext: Uint8Array): void {
  const most = maxOaepBytes(HASHES[algorithm], modulusBytes(pairOf(currentOf(key)).publicKey));
  if (plaintext.length <= most) return;
  throw new KeysError(
    'ERR_KEYS_INVALID_REQUEST',
    `Algorithm ${algorithm} and key spec ${key.record.spec} cannot encrypt data larger than ${most} bytes.`,
  );
}

export function encryptRsa(
  algorithm: RsaEncryptionAlgorithm,
  key: HeldKey,
  plaintext: Uint8Array,
  pairs: PairCrypto,
): Promise<Uint8Array> {
  return pairs.encrypt(HASHES[algorithm], pairOf(currentOf(key)).publicKey, plaintext);
}

/** The caller zeroes the plaintext. One code for whatever is wrong: ERR_KEYS_CIPHERTEXT_INVALID. */
export async function decryptRsa(
  algorithm: RsaEncryptionAlgorithm,
  key: HeldKey,
  ciphertext: Uint8Array,
  pairs: PairCrypto,
): Promise<Uint8Array> {
  const plaintext = await pairs.decrypt(HASHES[algorithm], pairOf(currentOf(key)).privateKey, ciphertext);
  if (plaintext === undefined) throw invalidCiphertext();
  return plaintext;
}
