/** What the services themselves know of a request that policies may look at. */
import { CONTEXT_OPERATIONS } from './access/grants/constraint.ts';
import type { KeyFacts, ParameterName, RequestFacts, RequestParameters } from './access/request.ts';
import { parseKeyReference, type KeyRealm } from './arn.ts';
import { algorithmsOf, isKeySpec, isUsageOf, type KeyAlgorithms } from './key-kinds.ts';
import type { KeyUse } from './uses/data-keys.ts';
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

const ALGORITHM_PARAMETERS = {
  encryption: 'EncryptionAlgorithm',
  signing: 'SigningAlgorithm',
  agreement: 'KeyAgreementAlgorithm',
  encapsulation: 'EncapsulationAlgorithm',
  mac: 'MacAlgorithm',
} as const satisfies Record<keyof KeyAlgorithms, ParameterName>;

const BY_ACTION: Readonly<Record<string, keyof KeyAlgorithms>> = {
  ...Object.fromEntries([...CONTEXT_OPERATIONS].map((action) => [action, 'encryption' as const])),
  ...{ Sign: 'signing', Verify: 'signing', DeriveSharedSecret: 'agreement', Encapsulate: 'encapsulation' },
  ...{ Decapsulate: 'encapsulation', GenerateMac: 'mac', VerifyMac: 'mac' },
};

/**
 * What a request says for sure, or where it leaves it out, for decisions on requests that nobody made: the algorithm where its key has
 * one alone, RAW for a message, and of the KMS API whether it comes over TLS (`kmsTls`).
 */
export function impliedFacts(
  { spec, usage }: KeyFacts,
  action: string,
  via: KeyUse['via'],
  kmsTls: boolean,
): RequestFacts {
  const secure = via === 'kms' ? { secureTransport: kmsTls } : {};
  const kind = BY_ACTION[action];
  if (kind === undefined || !isKeySpec(spec) || !isUsageOf(spec, usage)) return secure;
  const [only, another] = algorithmsOf(spec, usage)[kind] ?? [];
  const algorithm = only === undefined || another !== undefined ? {} : { [ALGORITHM_PARAMETERS[kind]]: only };
  const message = kind === 'signing' ? { MessageType: 'RAW' } : {};
  return { ...secure, parameters: { ...algorithm, ...message } };
}
