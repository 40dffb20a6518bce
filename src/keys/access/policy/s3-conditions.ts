/** The condition keys of S3 that are called as the header whose value they are. */
export const S3_CONDITION_HEADERS = [
  'if-match',
  'if-none-match',
  'x-amz-acl',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
  'x-amz-metadata-directive',
  'x-amz-object-ownership',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
] as const;

/**
 * The condition keys of S3 that the gateway can say the value of, in small letters and without `s3:`. An identity policy with another one is
 * refused: a Deny that can never hold would look as if it protected something. (Tags that objects have already, for one: they lie with the
 * store, and the decision comes before it is asked.)
 */
export const S3_CONDITION_KEYS: ReadonlySet<string> = new Set([
  ...S3_CONDITION_HEADERS,
  'authtype',
  'delimiter',
  'max-keys',
  'object-lock-legal-hold',
  'object-lock-mode',
  'object-lock-retain-until-date',
  'prefix',
  'resourceaccount',
  'signatureage',
  'signatureversion',
  'versionid',
]);
