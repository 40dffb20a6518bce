/** The other side's public key in a key agreement, as it comes. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { equalBytes } from '../bytes.ts';
import { CURVE_BYTES, encodePublicKey, isOfKind, type EcCurve } from './key-pair.ts';

/**
 * From SubjectPublicKeyInfo in DER. Undefined: it is none, not of this curve, or not written as it has to be. OpenSSL takes no point
 * that is not on the curve (such points would give the private key away: SP 800-56A, 5.6.2.3), but curves that are spelled out, other
 * encodings than DER, and the point at infinity, which no two keys share.
 */
export function openPeerKey(curve: EcCurve, encoded: Uint8Array): KeyObject | undefined {
  // The point at infinity is one byte, so that all of this is shorter than any other point.
  if (encoded.length <= CURVE_BYTES[curve]) return undefined;
  try {
    const key = createPublicKey({ key: encoded as Buffer, format: 'der', type: 'spki' }); // typed Buffer, takes any bytes
    return isOfKind({ type: 'ec', curve }, key) && equalBytes(encodePublicKey(key), encoded) ? key : undefined;
  } catch {
    return undefined;
  }
}
