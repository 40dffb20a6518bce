/** SCRAM-SHA-256 towards the server (RFC 5802), with keys from a password or with a ClientKey that a client's own login revealed. */
import { timingSafeEqual } from 'node:crypto';
import { MAX_SCRAM_ITERATIONS } from '../limits.ts';
import type { ScramKeys } from './scram-keys.ts';
import { base64, hmac, xor } from './scram-server.ts';

export type ScramClientOptions = {
  /** Undefined where there are none for this salt and these iterations: then there is no proof. */
  readonly keysFor: (salt: Uint8Array, iterations: number) => Promise<ScramKeys | undefined>;
  readonly nonce: string;
  /** tls-server-end-point data, where the mechanism is -PLUS. */
  readonly channelBinding: Uint8Array | undefined;
};

export type ScramClient = {
  readonly clientFirst: string;
  /** The proof, or undefined where the server's message is malformed or there are no keys for it. */
  answer(serverFirst: string): Promise<string | undefined>;
  /** Whether the server proved itself. */
  verify(serverFinal: string): boolean;
};

const SERVER_FIRST = /^r=([\x21-\x2b\x2d-\x7e]{1,4096}),s=([A-Za-z0-9+/]+={0,2}),i=(\d{1,10})$/;
const SERVER_FINAL = /^v=([A-Za-z0-9+/]{43}=)$/;

export function scramClient({ keysFor, nonce, channelBinding }: ScramClientOptions): ScramClient {
  const header = channelBinding === undefined ? 'n,,' : 'p=tls-server-end-point,,';
  const bare = `n=,r=${nonce}`;
  const bound = base64(Buffer.concat([Buffer.from(header), channelBinding ?? Buffer.alloc(0)]));
  let expected: Uint8Array | undefined;
  return {
    clientFirst: header + bare,
    async answer(serverFirst) {
      const [, full, salt, count] = SERVER_FIRST.exec(serverFirst) ?? [];
      if (full === undefined || !full.startsWith(nonce) || full.length === nonce.length) return undefined;
      const iterations = Number(count);
      if (salt === undefined || !(iterations >= 1 && iterations <= MAX_SCRAM_ITERATIONS)) return undefined;
      const keys = await keysFor(Buffer.from(salt, 'base64'), iterations);
      if (keys === undefined) return undefined;
      const withoutProof = `c=${bound},r=${full}`;
      const authMessage = `${bare},${serverFirst},${withoutProof}`;
      expected = hmac(keys.serverKey, authMessage);
      return `${withoutProof},p=${base64(xor(keys.clientKey, hmac(keys.storedKey, authMessage)))}`;
    },
    verify(serverFinal) {
      const [, signature] = SERVER_FINAL.exec(serverFinal) ?? [];
      if (signature === undefined || expected === undefined) return false;
      return timingSafeEqual(Buffer.from(signature, 'base64'), expected);
    },
  };
}
