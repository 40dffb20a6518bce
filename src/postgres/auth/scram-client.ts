/**
 * SCRAM-SHA-256 towards the server, with a ClientKey instead of a password (RFC 5802).
 *
 * It fits only the verifier it was recovered from: the server must name the same salt and iterations, and must prove that it knows the ServerKey.
 */
import { timingSafeEqual } from 'node:crypto';
import { base64, hmac, xor } from './scram-server.ts';
import type { Verifier } from './verifier.ts';

export type ScramClientOptions = {
  readonly verifier: Verifier;
  readonly clientKey: Uint8Array;
  readonly nonce: string;
  /** tls-server-end-point data, where the mechanism is -PLUS. */
  readonly channelBinding: Uint8Array | undefined;
};

export type ScramClient = {
  readonly clientFirst: string;
  /** The proof, or undefined where the server's message is malformed or of another verifier. */
  answer(serverFirst: string): string | undefined;
  /** Whether the server proved itself. */
  verify(serverFinal: string): boolean;
};

const SERVER_FIRST = /^r=([\x21-\x2b\x2d-\x7e]{1,4096}),s=([A-Za-z0-9+/]+={0,2}),i=(\d{1,10})$/;
const SERVER_FINAL = /^v=([A-Za-z0-9+/]{43}=)$/;

export function scramClient({ verifier, clientKey, nonce, channelBinding }: ScramClientOptions): ScramClient {
  const header = channelBinding === undefined ? 'n,,' : 'p=tls-server-end-point,,';
  const bare = `n=,r=${nonce}`;
  const bound = base64(Buffer.concat([Buffer.from(header), channelBinding ?? Buffer.alloc(0)]));
  let authMessage: string | undefined;
  return {
    clientFirst: header + bare,
    answer(serverFirst) {
      const [, full, salt, iterations] = SERVER_FIRST.exec(serverFirst) ?? [];
      if (full === undefined || !full.startsWith(nonce) || full.length === nonce.length) return undefined;
      if (salt !== base64(verifier.salt) || Number(iterations) !== verifier.iterations) return undefined;
      const withoutProof = `c=${bound},r=${full}`;
      authMessage = `${bare},${serverFirst},${withoutProof}`;
      const proof = xor(clientKey, hmac(verifier.storedKey, authMessage));
      return `${withoutProof},p=${base64(proof)}`;
    },
    verify(serverFinal) {
      const [, signature] = SERVER_FINAL.exec(serverFinal) ?? [];
      if (signature === undefined || authMessage === undefined) return false;
      return timingSafeEqual(Buffer.from(signature, 'base64'), hmac(verifier.serverKey, authMessage));
    },
  };
}
