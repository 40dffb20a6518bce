/**
 * Condition keys: what of a request each shows. Names compare without case. A key that is not known here is absent from every
 * request, as in AWS (a policy written for more services than ours stays valid).
 */
import type { AccessRequest, KeyFacts, ParameterName, RequestFacts } from '../request.ts';

/** Two tags or context names that differ only in case: no condition can tell which is meant, so it fails closed. */
export const AMBIGUOUS = Symbol('ambiguous');

export type ConditionValue = string | readonly string[] | undefined | typeof AMBIGUOUS;

export type ConditionKey = {
  /** As the policy writes it. */
  readonly name: string;
  readonly canonical: string;
  /**
   * What its value hangs on. `fixed`: on caller, key and the way the caller came by. `request`: on each request's own facts and
   * encryption context. `time`: it changes by itself.
   */
  readonly varies: 'fixed' | 'request' | 'time';
  readonly read: (request: AccessRequest) => ConditionValue;
};

type Reader = (request: AccessRequest) => ConditionValue;

/** What `kms:<name>` shows of a request alone. */
export const PARAMETERS = [
  'BypassPolicyLockoutSafetyCheck',
  'DataKeyPairSpec',
  'EncapsulationAlgorithm',
  'EncryptionAlgorithm',
  'ExpirationModel',
  'GrantConstraintSourceArn',
  'GrantConstraintType',
  'GrantIsForAWSResource',
  'GrantOperations',
  'GranteePrincipal',
  'GranteeServicePrincipal',
  'KeyAgreementAlgorithm',
  'MacAlgorithm',
  'MessageType',
  'PrimaryRegion',
  'ReEncryptOnSameKey',
  'ReplicaRegion',
  'RequestAlias',
  'RetiringPrincipal',
  'RetiringServicePrincipal',
  'RotationPeriodInDays',
  'ScheduleKeyDeletionPendingWindowInDays',
  'SigningAlgorithm',
  'TrailingDaysWithoutKeyUsage',
  'ValidTo',
  'WrappingAlgorithm',
  'WrappingKeySpec',
] as const satisfies readonly ParameterName[];

const parameter =
  (name: ParameterName): Reader =>
  ({ facts }) =>
    facts.parameters?.[name];

/** CreateKey says it in its parameters; later the key itself does. */
const ofKey =
  (name: ParameterName, read: (key: KeyFacts) => string | undefined): Reader =>
  ({ facts, resource }) =>
    facts.parameters?.[name] ?? (resource.type === 'key' ? read(resource.key) : undefined);

const yesNo = (value: boolean | undefined): string | undefined => (value === undefined ? undefined : String(value));

const resourceAccount: Reader = ({ resource }) => (resource.type === 'key' ? resource.key.account : resource.account);

const keySpec = ofKey('KeySpec', ({ spec }) => spec);
const keyUsage = ofKey('KeyUsage', ({ usage }) => usage);

const PRINCIPAL_TYPES = {
  user: 'User',
  'role-session': 'AssumedRole',
  federated: 'FederatedUser',
  root: 'Account',
  service: 'Service',
  anonymous: 'Anonymous',
} as const;

const SINGLE: Readonly<Record<string, Reader>> = {
  ...Object.fromEntries(PARAMETERS.map((name) => [`kms:${name.toLowerCase()}`, parameter(name)])),
  'kms:keyspec': keySpec,
  'kms:customermasterkeyspec': keySpec,
  'kms:keyusage': keyUsage,
  'kms:customermasterkeyusage': keyUsage,
  'kms:keyorigin': ofKey('KeyOrigin', ({ origin }) => origin),
  'kms:multiregion': ofKey('MultiRegion', ({ multiRegion }) => String(multiRegion)),
  'kms:multiregionkeytype': ofKey('MultiRegionKeyType', ({ multiRegionKeyType }) => multiRegionKeyType),
  'kms:calleraccount': ({ principal }) => principal.account,
  'kms:viaservice': ({ viaService }) => viaService,
  'aws:calledviafirst': ({ viaService }) => serviceName(viaService),
  'aws:calledvialast': ({ viaService }) => serviceName(viaService),
  'aws:viaawsservice': ({ viaService }) => String(viaService !== undefined),
  'aws:principalarn': ({ principal }) =>
    principal.type === 'service' ? undefined : (principal.roleArn ?? principal.arn),
  'aws:principalaccount': ({ principal }) => principal.account,
  'aws:principaltype': ({ principal }) => PRINCIPAL_TYPES[principal.type],
  'aws:principalorgid': ({ principal }) => principal.organizationId,
  'aws:principalisawsservice': ({ principal }) => String(principal.type === 'service'),
  'aws:principalservicename': ({ principal }) => (principal.type === 'service' ? principal.provider : undefined),
  'aws:federatedprovider': ({ principal }) => (principal.type === 'federated' ? principal.provider : undefined),
  'aws:username': ({ principal }) => principal.userName,
  'aws:userid': ({ principal }) => principal.userId,
  'aws:sourcearn': ({ facts }) => facts.sourceArn,
  'aws:sourceaccount': ({ facts }) => facts.sourceAccount,
  'aws:resourceaccount': resourceAccount,
  'aws:requestedregion': ({ region }) => region,
  'aws:sourceip': ({ facts }) => facts.sourceIp,
  'aws:securetransport': ({ facts }) => yesNo(facts.secureTransport),
  'aws:multifactorauthpresent': ({ facts }) => yesNo(facts.multiFactorAuthPresent),
  'aws:useragent': ({ facts }) => facts.userAgent,
  'aws:currenttime': ({ time }) => new Date(time).toISOString(),
  'aws:epochtime': ({ time }) => String(Math.floor(time / 1000)),
};

const MULTIPLE: Readonly<Record<string, Reader>> = {
  'kms:encryptioncontextkeys': ({ encryptionContext }) => Object.keys(encryptionContext),
  'kms:grantoperations': parameter('GrantOperations'),
  'kms:resourcealiases': ({ resource }) => (resource.type === 'key' ? resource.key.aliases : undefined),
  'aws:calledvia': ({ viaService }) => (viaService === undefined ? undefined : [serviceName(viaService) ?? viaService]),
  'aws:principalservicenameslist': ({ principal }) =>
    principal.type === 'service' && principal.provider !== undefined ? [principal.provider] : undefined,
  'aws:tagkeys': ({ facts }) => tagKeys(facts),
};

/** Keys whose last part is a name: `kms:EncryptionContext:department`. */
const NAMED: readonly (readonly [string, (request: AccessRequest) => Readonly<Record<string, string>> | undefined])[] =
  [
    ['kms:encryptioncontext:', ({ encryptionContext }) => encryptionContext],
    ['aws:resourcetag/', ({ resource }) => (resource.type === 'key' ? resource.key.tags : undefined)],
    ['aws:requesttag/', ({ facts }) => facts.tags],
    ['aws:principaltag/', ({ principal }) => principal.tags],
  ];

const TIMES: ReadonlySet<string> = new Set(['aws:currenttime', 'aws:epochtime']);

/** Everything else may differ from request to request. */
const FIXED: ReadonlySet<string> = new Set([
  'kms:calleraccount',
  'kms:viaservice',
  'kms:resourcealiases',
  'aws:calledvia',
  'aws:calledviafirst',
  'aws:calledvialast',
  'aws:viaawsservice',
  'aws:principalarn',
  'aws:principalaccount',
  'aws:principaltype',
  'aws:principalorgid',
  'aws:principalisawsservice',
  'aws:principalservicename',
  'aws:principalservicenameslist',
  'aws:federatedprovider',
  'aws:username',
  'aws:userid',
  'aws:resourceaccount',
  'aws:requestedregion',
]);
const FIXED_PREFIXES = ['aws:resourcetag/', 'aws:principaltag/'];

export function conditionKey(name: string): ConditionKey {
  const canonical = name.toLowerCase();
  return { name, canonical, varies: varies(canonical), read: readerOf(canonical) };
}

/** Whether any request may have it. */
export function isConditionKey(name: string): boolean {
  return readerOf(name.toLowerCase()) !== absent;
}

function varies(canonical: string): ConditionKey['varies'] {
  if (TIMES.has(canonical)) return 'time';
  const isFixed = FIXED.has(canonical) || FIXED_PREFIXES.some((prefix) => canonical.startsWith(prefix));
  return isFixed ? 'fixed' : 'request';
}

/** Single-valued keys that `ForAllValues` turns into no condition at all (field notes 3.2). */
export function isOverlyPermissiveForAll({ canonical }: ConditionKey): boolean {
  return canonical.startsWith('kms:encryptioncontext:') || canonical.startsWith('aws:requesttag/');
}

function readerOf(canonical: string): Reader {
  if (canonical.startsWith('s3:')) {
    const name = canonical.slice('s3:'.length);
    return ({ facts: { s3 } }) => (s3 !== undefined && Object.hasOwn(s3, name) ? s3[name] : undefined);
  }
  if (Object.hasOwn(SINGLE, canonical)) return SINGLE[canonical] ?? absent;
  if (Object.hasOwn(MULTIPLE, canonical)) return MULTIPLE[canonical] ?? absent;
  for (const [prefix, pairs] of NAMED) {
    if (!canonical.startsWith(prefix)) continue;
    const wanted = canonical.slice(prefix.length);
    return (request) => valueNamed(pairs(request), wanted);
  }
  return absent;
}

const absent: Reader = () => undefined;

function valueNamed(pairs: Readonly<Record<string, string>> | undefined, wanted: string): ConditionValue {
  if (pairs === undefined) return undefined;
  let found: string | undefined;
  for (const name of Object.keys(pairs)) {
    if (name.toLowerCase() !== wanted) continue;
    if (found !== undefined) return AMBIGUOUS;
    found = pairs[name];
  }
  return found;
}

/** `s3.eu-central-1.amazonaws.com` is called via `s3.amazonaws.com`. */
function serviceName(viaService: string | undefined): string | undefined {
  if (viaService === undefined) return undefined;
  const [service = ''] = viaService.split('.', 1);
  return `${service}.amazonaws.com`;
}

function tagKeys({ tags, tagKeys: removed }: RequestFacts): readonly string[] | undefined {
  if (tags === undefined && removed === undefined) return undefined;
  return [...Object.keys(tags ?? {}), ...(removed ?? [])];
}
