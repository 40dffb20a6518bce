/** Policies nobody had to write: of keys made without one, and of callers that come through our own gateway and proxy. */

/** AWS KMS's own default: the key policy leaves everything to the account's identity policies. */
export function defaultKeyPolicy(account: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  });
}

/**
 * What a caller of the S3 gateway or the Postgres proxy may do that has no identity in the config: use every key that leaves
 * it to the account, through that service and no other way.
 */
export function storageUsePolicy(services: readonly string[]): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'UseThroughSealgate',
        Effect: 'Allow',
        Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        Resource: '*',
        Condition: { StringEquals: { 'kms:ViaService': services } },
      },
    ],
  });
}
