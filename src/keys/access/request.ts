/**
 * What a decision is asked about, as plain data: who, what, with which key, and what the request says that policies may look
 * at. The edges fill `RequestFacts`; the authorizer adds what the key manager knows itself (principal, key, time).
 */

/** Request parameters that condition keys `kms:<name>` show; numbers in decimal, booleans `true` or `false`. Defaults count as given. */
import type { EncryptionContext } from '../../envelope/encryption-context.ts';

export type ParameterName =
  | 'BypassPolicyLockoutSafetyCheck'
  | 'DataKeyPairSpec'
  | 'EncryptionAlgorithm'
  | 'ExpirationModel'
  | 'GrantConstraintSourceArn'
  | 'GrantConstraintType'
  | 'GrantIsForAWSResource'
  | 'GrantOperations'
  | 'GranteePrincipal'
  | 'GranteeServicePrincipal'
  | 'EncapsulationAlgorithm'
  | 'KeyAgreementAlgorithm'
  | 'KeyOrigin'
  | 'KeySpec'
  | 'KeyUsage'
  | 'MacAlgorithm'
  | 'MessageType'
  | 'MultiRegion'
  | 'MultiRegionKeyType'
  | 'PrimaryRegion'
  | 'ReEncryptOnSameKey'
  | 'ReplicaRegion'
  | 'RequestAlias'
  | 'RetiringPrincipal'
  | 'RetiringServicePrincipal'
  | 'RotationPeriodInDays'
  | 'ScheduleKeyDeletionPendingWindowInDays'
  | 'SigningAlgorithm'
  | 'TrailingDaysWithoutKeyUsage'
  | 'ValidTo'
  | 'WrappingAlgorithm'
  | 'WrappingKeySpec';

export type RequestParameters = Readonly<Partial<Record<ParameterName, string | readonly string[]>>>;

/** What the edge saw of one request. Everything is optional: what is not known is absent to conditions. */
export type RequestFacts = {
  readonly parameters?: RequestParameters;
  /** Tags the request sets (`aws:RequestTag/…`, `aws:TagKeys`). */
  readonly tags?: Readonly<Record<string, string>>;
  /** Tag keys the request removes (`aws:TagKeys`). */
  readonly tagKeys?: readonly string[];
  readonly grantTokens?: readonly string[];
  /** IPv4 or IPv6 in text. */
  readonly sourceIp?: string;
  readonly secureTransport?: boolean;
  readonly multiFactorAuthPresent?: boolean;
  readonly userAgent?: string;
  /** Where a service asks: the resource on whose behalf, and its account (`aws:SourceArn`, `aws:SourceAccount`), as it says. */
  readonly sourceArn?: string;
  readonly sourceAccount?: string;
  /** What condition keys `s3:<name>` show, by their names in small letters. */
  readonly s3?: Readonly<Record<string, string>>;
};

/** Who asks, authenticated. */
export type Principal = {
  readonly type: 'user' | 'role-session' | 'federated' | 'root' | 'service' | 'anonymous';
  /** As audit records name it; of a service its name, of a role session the session's own (`arn:aws:sts::…:assumed-role/role/session`). */
  readonly arn: string;
  /** Twelve digits; a service has none, nor has who asked without a signature. */
  readonly account: string | undefined;
  /** The role of a role session. */
  readonly roleArn?: string;
  /** Service principal (`s3.amazonaws.com`) or identity provider. */
  readonly provider?: string;
  /** Of a user: the last part of its path (`aws:username`). */
  readonly userName?: string;
  readonly userId?: string;
  readonly organizationId?: string;
  readonly tags: Readonly<Record<string, string>>;
};

/** What a policy may look at of a key. */
export type KeyFacts = {
  readonly keyId: string;
  readonly arn: string;
  readonly account: string;
  readonly spec: string;
  readonly usage: string;
  readonly origin: string;
  readonly multiRegion: boolean;
  readonly multiRegionKeyType?: 'PRIMARY' | 'REPLICA';
  readonly tags: Readonly<Record<string, string>>;
  /** Alias names, `alias/…`. */
  readonly aliases: readonly string[];
};

export type AccessResource =
  | { readonly type: 'key'; readonly key: KeyFacts }
  /** An alias has no policy of its own: identity policies alone decide. */
  | { readonly type: 'alias'; readonly arn: string; readonly account: string }
  /** A bucket or an object behind the gateway: it has no policy of its own either. */
  | { readonly type: 's3'; readonly arn: string; readonly account: string }
  /** Actions on no key in particular: CreateKey, ListKeys, … */
  | { readonly type: 'none'; readonly account: string };

export type AccessRequest = {
  readonly principal: Principal;
  /** Without prefix: `Decrypt`, `ReEncryptFrom`. */
  readonly action: string;
  readonly resource: AccessResource;
  readonly encryptionContext: EncryptionContext;
  readonly facts: RequestFacts;
  /** `s3.<region>.amazonaws.com`: set in process only, never from what a client sent. */
  readonly viaService: string | undefined;
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly time: number;
};
