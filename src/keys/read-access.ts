/** A store's keys and who may use them, read beside the owner: no key is used, and nothing recorded. */
import { PolicyAuthorizer } from './access/authorizer.ts';
import { GrantStore } from './access/grants/grant-store.ts';
import { auditIdentity, type AuditIdentity } from './audit/identity.ts';
import type { AuditHead } from './audit/record.ts';
import type { AccessOptions } from './access/options.ts';
import type { KeyRing } from './key-ring.ts';
import type { KeyManagerOptions } from './options.ts';
import { loadKeyRegions } from './regions/key-regions.ts';
import { ServiceKeys } from './service-keys.ts';
import type { LoadedRows } from './stores/load-rows.ts';
import { unsealStore } from './stores/open-store.ts';

export type AccessReading = KeyManagerOptions & {
  readonly access: AccessOptions;
  /** Whether the listener of the KMS API serves TLS. Undefined: there is none; one that others reach would. */
  readonly kmsTls?: boolean | undefined;
};
export type AccessRead = {
  readonly ring: KeyRing;
  readonly grants: GrantStore;
  readonly authorizer: PolicyAuthorizer;
  readonly identity: AuditIdentity;
  /** As far as the audit log was written when the store was read, at least. */
  readonly auditHead: AuditHead;
};

/** What `work` makes of them while the store is open: of each region that is served, the home region first; and of all that is on record. Errors: as opening the store. */
export async function readAccess<Result>(
  options: AccessReading,
  now: () => number,
  work: (served: readonly [AccessRead, ...AccessRead[]], loaded: LoadedRows) => Result,
): Promise<Result> {
  const store = await unsealStore(options, 'reader');
  try {
    store.database.checkEpoch(store.epochFile, options.acceptRollback === true);
    const vault = { storeId: store.storeId, keys: store.keys };
    const regions = loadKeyRegions(store.loaded, options, vault, now);
    const service = new ServiceKeys(store.loaded, vault, regions.home);
    const identity = auditIdentity(store);
    const { auditHead } = store.database.header;
    const read = (ring: KeyRing): AccessRead => {
      const grants = new GrantStore(store.database, service.get('grant-token').key, ring.region);
      const authorizer = new PolicyAuthorizer(options.access, ring.realm, grants, now);
      return { ring, grants, authorizer, identity, auditHead };
    };
    const others = regions.served().filter((ring) => ring !== regions.home);
    return work([read(regions.home), ...others.map(read)], store.loaded);
  } finally {
    store.database.close();
  }
}
