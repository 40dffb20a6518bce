/**
 * Who manages a KMS key: a customer; one of our services, as AWS's services manage keys of their own in a customer's account; or
 * the key manager itself, which shows it to no caller.
 */
import { aliasArn, type KeyRealm } from '../arn.ts';
import type { KeyUse } from '../uses/data-keys.ts';

export type KeyManagement =
  | { readonly type: 'customer' }
  | { readonly type: 'service'; readonly service: ManagingService }
  | { readonly type: 'owned'; readonly purpose: string };

export const CUSTOMER: KeyManagement = { type: 'customer' };

type ServiceFacts = {
  readonly alias: `alias/aws/${string}`;
  /** The door that the service's callers come by. */
  readonly via: KeyUse['via'];
  /** As people say it. */
  readonly name: string;
  /** In AWS's words. */
  readonly description: string;
};

export const MANAGING_SERVICES = {
  s3: {
    alias: 'alias/aws/s3',
    via: 's3',
    name: 'S3',
    description: 'Default key that protects my S3 objects when no other key is defined',
  },
  rds: {
    alias: 'alias/aws/rds',
    via: 'postgres',
    name: 'RDS',
    description: 'Default key that protects my RDS database volumes when no other key is defined',
  },
} as const satisfies Readonly<Record<string, ServiceFacts>>;

export type ManagingService = keyof typeof MANAGING_SERVICES;

// The keys of a literal object are exactly its type's.
const SERVICES = Object.keys(MANAGING_SERVICES) as readonly ManagingService[];

/** Their aliases, which are listed whether the key is made already or not. */
export const PREDEFINED_ALIASES: readonly string[] = SERVICES.map((service) => MANAGING_SERVICES[service].alias);

export function isManagingService(text: string): text is ManagingService {
  return Object.hasOwn(MANAGING_SERVICES, text);
}

/** The service whose key this alias, or alias ARN, is to name. */
export function serviceOfAlias(keyId: string, realm: KeyRealm): ManagingService | undefined {
  // Asked on every use, and hardly ever of these.
  if (!keyId.includes('alias/aws/')) return undefined;
  return SERVICES.find((service) => {
    const { alias } = MANAGING_SERVICES[service];
    return keyId === alias || keyId === aliasArn(realm, alias);
  });
}
