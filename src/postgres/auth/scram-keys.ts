/** The keys with which a SCRAM client proves itself (RFC 5802, section 3), from a password or from a verifier and its ClientKey. */
import { createHash, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { hmac } from './scram-server.ts';
import type { Verifier } from './verifier.ts';

export type ScramKeys = {
  readonly clientKey: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
};

const derive = promisify(pbkdf2);

export async function keysOfPassword(password: string, salt: Uint8Array, iterations: number): Promise<ScramKeys> {
  const salted = await derive(prepared(password), salt, iterations, 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const serverKey = hmac(salted, 'Server Key');
  salted.fill(0);
  return { clientKey, storedKey: createHash('sha256').update(clientKey).digest(), serverKey };
}

/** A ClientKey fits only the verifier it was recovered from: the same salt, the same iterations. */
export function keysOfVerifier(
  { storedKey, serverKey, salt: own, iterations: count }: Verifier,
  clientKey: Uint8Array,
): (salt: Uint8Array, iterations: number) => Promise<ScramKeys | undefined> {
  return (salt, iterations) =>
    Promise.resolve(
      Buffer.from(own).equals(salt) && count === iterations ? { clientKey, storedKey, serverKey } : undefined,
    );
}

/** SASLprep (RFC 4013) as far as it changes a password that people can type: other spaces, and compatibility forms. */
function prepared(password: string): string {
  return password.replaceAll(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/gu, ' ').normalize('NFKC');
}
