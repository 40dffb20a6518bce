/** The material that the crashing process imports: whoever checks what it left knows it too. */
import { createHash } from 'node:crypto';

export function crashMaterial(keyId: string, version: number): Uint8Array {
  return createHash('sha256').update(`${keyId} ${version}`).digest();
}
