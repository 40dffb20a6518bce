/** What the services themselves know of a request that policies may look at. */
import type { RequestFacts, RequestParameters } from './access/request.ts';
import { parseKeyReference, type KeyRealm } from './arn.ts';
import { remembered } from './remembered.ts';

/** Every key here is symmetric. */
export const ALGORITHM: RequestParameters = { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };

/** `kms:RequestAlias`, where the request names its key by an alias. */
export function aliasNamed(keyId: string, realm: KeyRealm): RequestParameters {
  const reference = parseKeyReference(keyId, realm);
  return reference.type === 'alias' ? { RequestAlias: reference.aliasName } : {};
}

/** What a request that wraps says that names its key so: one object for the same name. */
export function wrapFacts(realm: KeyRealm): (keyId: string) => RequestFacts {
  return remembered<RequestFacts>((keyId) => ({ parameters: { ...ALGORITHM, ...aliasNamed(keyId, realm) } }));
}

/** What a Decrypt says that names its key so: one object for the same name. */
export function decryptFacts(realm: KeyRealm): (keyId: string | undefined) => RequestFacts {
  const unnamed: RequestFacts = { parameters: ALGORITHM };
  const named = wrapFacts(realm);
  return (keyId) => (keyId === undefined ? unnamed : named(keyId));
}
