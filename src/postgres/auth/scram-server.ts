/**
 * SCRAM-SHA-256 towards the client (RFC 5802, RFC 7677; as PostgreSQL's auth-scram.c does it).
 *
 * A right proof yields the ClientKey, with which the login upstream is done as the same user: the password is never known here.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Verifier } from './verifier.ts';

export type ScramServerOptions = {
  readonly verifier: Verifier;
  /** Base64 text for our half of the nonce. */
  readonly nonce: string;
  /** tls-server-end-point data, where -PLUS was offered. */
  readonly channelBinding: Uint8Array | undefined;
};

/** After the client's first message. */
export type ScramServerStep = {
  readonly serverFirst: string;
  /** The client's last message: undefined where the proof is wrong. The caller zeroes `clientKey`. */
  finish(clientFinal: string): { readonly clientKey: Uint8Array; readonly serverFinal: string } | undefined;
};

const NONCE = /^[\x21-\x2b\x2d-\x7e]{1,1024}$/;
/** gs2 header, user name (empty with PostgreSQL: the startup packet's counts), nonce. No authzid, no mandatory extension. */
const CLIENT_FIRST = /^(n|y|p=tls-server-end-point),,(n=[^,]*,r=([^,]*))$/;
const CLIENT_FINAL = /^(c=([A-Za-z0-9+/=]*),r=([^,]*)),p=([A-Za-z0-9+/]{43}=)$/;

/** Undefined where the message is malformed, or binds otherwise than was offered. `plus`: the mechanism the client chose. */
export function beginScram(
  clientFirst: string,
  plus: boolean,
  options: ScramServerOptions,
): ScramServerStep | undefined {
  const [, flag, bare, clientNonce] = CLIENT_FIRST.exec(clientFirst) ?? [];
  if (flag === undefined || bare === undefined || clientNonce === undefined || !NONCE.test(clientNonce))
    return undefined;
  const { verifier, channelBinding } = options;
  if (plus !== flag.startsWith('p=') || (plus && channelBinding === undefined)) return undefined;
  // "I could, but you did not offer": we did, so somebody took the offer away.
  if (flag === 'y' && channelBinding !== undefined) return undefined;
  const nonce = clientNonce + options.nonce;
  const serverFirst = `r=${nonce},s=${base64(verifier.salt)},i=${verifier.iterations}`;
  const bound = Buffer.concat([Buffer.from(`${flag},,`), plus ? (channelBinding ?? Buffer.alloc(0)) : Buffer.alloc(0)]);
  return {
    serverFirst,
    finish(clientFinal) {
      const [, withoutProof, binding, finalNonce, proof] = CLIENT_FINAL.exec(clientFinal) ?? [];
      if (withoutProof === undefined || binding === undefined || finalNonce !== nonce || proof === undefined)
        return undefined;
      if (binding !== base64(bound)) return undefined;
      return verifyProof(`${bare},${serverFirst},${withoutProof}`, Buffer.from(proof, 'base64'), verifier);
    },
  };
}

function verifyProof(
  authMessage: string,
  proof: Uint8Array,
  verifier: Verifier,
): { clientKey: Uint8Array; serverFinal: string } | undefined {
  const clientKey = xor(proof, hmac(verifier.storedKey, authMessage));
  if (!timingSafeEqual(createHash('sha256').update(clientKey).digest(), verifier.storedKey)) {
    clientKey.fill(0);
    return undefined;
  }
  return { clientKey, serverFinal: `v=${base64(hmac(verifier.serverKey, authMessage))}` };
}

export function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac('sha256', key).update(text).digest();
}

export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ (b[index] ?? 0));
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
