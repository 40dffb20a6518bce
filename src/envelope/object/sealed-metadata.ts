/** User metadata that the store must not read: pairs sealed under a subkey of the DEK, carried in the envelope. nonce 24 | ciphertext | tag 16 */
import { concatBytes } from '../../crypto/bytes.ts';
import type { Dek } from '../../crypto/key-types.ts';
import type { RandomSource } from '../../crypto/random.ts';
import { XAES_NONCE_BYTES, openXaesGcm, sealXaesGcm } from '../../crypto/xaes-gcm.ts';
import { decodeContext, encodeContext } from '../encryption-context.ts';
import { openFailed, opening } from '../errors.ts';
import { objectKey } from './subkeys.ts';

export type MetadataPairs = Readonly<Record<string, string>>;

/** Sealed anew for each envelope. Errors: ERR_ENVELOPE_CONTEXT (text that is not well-formed, or over 16 KiB). */
export function sealMetadata(pairs: MetadataPairs, dek: Dek, objectId: Uint8Array, random: RandomSource): Uint8Array {
  const nonce = random(XAES_NONCE_BYTES);
  return concatBytes(nonce, sealXaesGcm(objectKey(dek, objectId, 'metadata'), nonce, encodeContext(pairs), objectId));
}

/** Errors: ERR_ENVELOPE_OPEN_FAILED. */
export function openMetadata(sealed: Uint8Array, dek: Dek, objectId: Uint8Array): MetadataPairs {
  if (sealed.length < XAES_NONCE_BYTES) throw openFailed();
  const nonce = sealed.subarray(0, XAES_NONCE_BYTES);
  const key = objectKey(dek, objectId, 'metadata');
  return opening(() => decodeContext(openXaesGcm(key, nonce, sealed.subarray(XAES_NONCE_BYTES), objectId)));
}
