/** Who may ask, and the rules that come from the config. */

export type PolicyText = { readonly name: string; /** JSON. */ readonly document: string };

export type IdentityOptions = {
  /** The principal's ARN; of a role, sessions of it are meant. */
  readonly arn: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly organizationId?: string | undefined;
  readonly policies: readonly PolicyText[];
  readonly boundaries?: readonly PolicyText[];
};

export type IdentitiesOptions = {
  readonly identities: readonly IdentityOptions[];
  /** Each must allow, whoever asks. */
  readonly organizationPolicies: readonly PolicyText[];
  /** Whether callers of the gateway and the proxy whom `identities` does not list may use keys. */
  readonly unlistedStorageCallers: 'use-keys' | 'nothing';
  /** What clients of the S3 gateway may do there while no policy of theirs names an action of it; everything unless told. */
  readonly s3ByDefault?: 'everything' | 'nothing';
};

/** The names under which our own gateway and proxy call, as AWS's services do. */
export type ViaServices = { readonly s3: string; readonly postgres: string };

export type AccessOptions = IdentitiesOptions & {
  /** JSON text; of keys that were made without a policy. Undefined: AWS's own, which leaves all to the account. */
  readonly defaultKeyPolicy?: string | undefined;
  readonly grantsCrossAccounts: boolean;
};
