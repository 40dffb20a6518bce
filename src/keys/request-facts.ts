/** What the services themselves know of a request that policies may look at. */
import type { RequestParameters } from './access/request.ts';
import { parseKeyReference, type KeyRealm } from './arn.ts';

/** Every key here is symmetric. */
export const ALGORITHM: RequestParameters = { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };

/** `kms:RequestAlias`, where the request names its key by an alias. */
export function aliasNamed(keyId: string, realm: KeyRealm): RequestParameters {
  const reference = parseKeyReference(keyId, realm);
  return reference.type === 'alias' ? { RequestAlias: reference.aliasName } : {};
}
