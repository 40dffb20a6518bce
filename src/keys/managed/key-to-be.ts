/** A service's key before it is made, as policies would see it: it is asked about by the one name that it has already. */
import { aliasArn, type KeyRealm } from '../arn.ts';
import type { KeyElsewhere } from '../uses/use-recorder.ts';
import { MANAGING_SERVICES, type ManagingService } from './management.ts';
import { managedKeyPolicy } from './managed-key-policy.ts';

export const MANAGED_KEY_KIND = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', origin: 'AWS_KMS' } as const;

export function keyToBe(service: ManagingService, realm: KeyRealm): KeyElsewhere {
  const { alias } = MANAGING_SERVICES[service];
  const arn = aliasArn(realm, alias);
  const facts = {
    ...{ keyId: arn, arn, account: realm.account, ...MANAGED_KEY_KIND },
    ...{ multiRegion: false, tags: {}, aliases: [alias], policy: managedKeyPolicy(service, realm) },
  };
  return { arn, facts };
}
