/** The material that the crashing process imports or signs, and the pairs that it makes: whoever checks what it left knows them too. */
import { createHash } from 'node:crypto';

export const CRASH_PAIRS = [
  { spec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256' },
  { spec: 'ECC_NIST_EDWARDS25519', algorithm: 'ED25519_SHA_512' },
  { spec: 'ML_DSA_44', algorithm: 'ML_DSA_SHAKE_256' },
  { spec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_256' },
] as const;

export function crashMaterial(keyId: string, version: number): Uint8Array {
  return createHash('sha256').update(`${keyId} ${version}`).digest();
}
