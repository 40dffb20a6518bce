/**
 * The signing key of one day, region and service, derived from a secret access key, and a bounded cache of them (deriving takes
 * four HMACs, using one).
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';

export type CredentialScope = {
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
};

export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** `date/region/service/aws4_request`. */
export function formatScope(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

const hmac = (key: Uint8Array | KeyObject, text: string): Buffer => createHmac('sha256', key).update(text).digest();

export function deriveSigningKey(secretAccessKey: string, scope: CredentialScope): KeyObject {
  const day = hmac(Buffer.from(`AWS4${secretAccessKey}`), scope.date);
  return createSecretKey(hmac(hmac(hmac(day, scope.region), scope.service), 'aws4_request'));
}

/** HMAC-SHA-256 of the string to sign, in hex. */
export function signText(key: KeyObject, stringToSign: string): string {
  return createHmac('sha256', key).update(stringToSign, 'latin1').digest('hex');
}

/** The string to sign of a whole request. */
export function requestStringToSign(timestamp: string, scope: CredentialScope, canonicalHash: string): string {
  return `${ALGORITHM}\n${timestamp}\n${formatScope(scope)}\n${canonicalHash}`;
}

/** Two days in a few regions for each of a few hundred access keys. */
const MAX_CACHED_KEYS = 1_000;

/** Signing keys by access key and scope. A secret that changed under the same access key id is derived anew. */
export class SigningKeyCache {
  readonly #keys = new LRUCache<string, { readonly secret: string; readonly key: KeyObject }>({ max: MAX_CACHED_KEYS });

  get(
    credential: { readonly accessKeyId: string; readonly secretAccessKey: string },
    scope: CredentialScope,
  ): KeyObject {
    const id = `${credential.accessKeyId}/${formatScope(scope)}`;
    const known = this.#keys.get(id);
    if (known?.secret === credential.secretAccessKey) return known.key;
    const key = deriveSigningKey(credential.secretAccessKey, scope);
    this.#keys.set(id, { secret: credential.secretAccessKey, key });
    return key;
  }
}
