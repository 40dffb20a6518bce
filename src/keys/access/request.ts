/**
 * What a decision is asked about, as plain data: who, what, with which key, and what the request says that policies may look
 * at. The edges fill `RequestFacts`; the authorizer adds what the key manager knows itself (principal, key, time).
 */

/** Request parameters that condition keys `kms:<name>` show; numbers in decimal, booleans `true` or `false`. Defaults count as given. */
export type ParameterName =
  | 'BypassPolicyLockoutSafetyCheck'
  | 'DataKeyPairSpec'
  | 'EncryptionAlgorithm'
  | 'ExpirationModel'
  | 'GrantConstraintType'
  | 'GrantIsForAWSResource'
  | 'GrantOperations'
  | 'GranteePrincipal'
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
  | 'RotationPeriodInDays'
  | 'ScheduleKeyDeletionPendingWindowInDays'
  | 'SigningAlgorithm'
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
};
