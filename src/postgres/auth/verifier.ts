/** SCRAM verifiers as pg_authid.rolpassword holds them: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` (RFC 5803). */
import { createHmac } from 'node:crypto';
import { MAX_SCRAM_ITERATIONS } from '../limits.ts';

export type Verifier = {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
};

const SHAPE = /^SCRAM-SHA-256\$(\d{1,10}):([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/;

/** Undefined where the text is no SCRAM-SHA-256 verifier (md5 hashes, none at all). */
export function parseVerifier(text: string | undefined): Verifier | undefined {
  const [, iterations, salt, storedKey, serverKey] = SHAPE.exec(text ?? '') ?? [];
  if (iterations === undefined || salt === undefined || storedKey === undefined || serverKey === undefined)
    return undefined;
  const count = Number(iterations);
  if (count < 1 || count > MAX_SCRAM_ITERATIONS) return undefined;
  const bytes = (base64: string): Uint8Array => Buffer.from(base64, 'base64');
  return { iterations: count, salt: bytes(salt), storedKey: bytes(storedKey), serverKey: bytes(serverKey) };
}

const DEFAULT_ITERATIONS = 4096;

/** For users that have none: looks the same at each try, and no proof ever fits, so that nobody learns who exists. */
export function mockVerifier(user: string, secret: Uint8Array): Verifier {
  const derive = (label: string): Uint8Array => createHmac('sha256', secret).update(`${label}\0${user}`).digest();
  return {
    iterations: DEFAULT_ITERATIONS,
    salt: derive('salt').subarray(0, 16),
    storedKey: derive('stored key'),
    serverKey: derive('server key'),
  };
}
