/**
 * The key policy of a key that a service manages: as AWS's own (`auto-s3-2`, `auto-rds-2`). Every principal of the account may use
 * the key through the service; directly the account may look at it, and nobody may do anything else with it.
 *
 * It is made of the config each time and not stored: where region or account of the config change, what the key protects has to open.
 * AWS's policy of `aws/rds` lets RDS make grants too, which our proxy never does.
 */
import type { KeyRealm } from '../arn.ts';
import type { KeyRecord } from '../records.ts';
import { MANAGING_SERVICES, type ManagingService } from './management.ts';

export function managedKeyPolicy(service: ManagingService, { region, account }: KeyRealm): string {
  const { name } = MANAGING_SERVICES[service];
  return JSON.stringify({
    Version: '2012-10-17',
    Id: `auto-${service}-2`,
    Statement: [
      {
        Sid: `Allow access through ${name} for all principals in the account that are authorized to use ${name}`,
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        Resource: '*',
        Condition: {
          StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': `${service}.${region}.amazonaws.com` },
        },
      },
      {
        Sid: 'Allow direct access to key metadata to the account',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: ['kms:Describe*', 'kms:Get*', 'kms:List*'],
        Resource: '*',
      },
    ],
  });
}

/** Undefined: the default one. */
export function policyOf(
  { management, policy }: Pick<KeyRecord, 'management' | 'policy'>,
  realm: KeyRealm,
): string | undefined {
  return management.type === 'service' ? managedKeyPolicy(management.service, realm) : policy;
}
