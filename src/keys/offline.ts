/**
 * What may be done beside a store's owner, by whoever has an unseal secret: reading and copying. It changes nothing and uses no
 * key, so it needs neither the owner's lock nor its audit log.
 */
import { auditIdentity } from './audit/identity.ts';
import { verifyAuditLog, type AuditReport } from './audit/verify.ts';
import { writeBackup } from './backup/write-backup.ts';
import type { EncryptionContext } from '../envelope/encryption-context.ts';
import type { Explanation } from './access/explain.ts';
import type { RequestFacts } from './access/request.ts';
import { regionOfArn } from './arn.ts';
import type { KeyUse } from './uses/data-keys.ts';
import { describeKey } from './admin/describe.ts';
import type { BackupRequest, BackupSummary, KeyDescription } from './admin/key-admin.ts';
import { keyToBe } from './managed/key-to-be.ts';
import { MANAGING_SERVICES, serviceOfAlias } from './managed/management.ts';
import type { AuditOptions, KeyManagerOptions, KeyPorts, KeyStoreOptions } from './options.ts';
import { questionedKey } from './questioned-key.ts';
import { readAccess, type AccessRead, type AccessReading } from './read-access.ts';
import { loadKeyRegions } from './regions/key-regions.ts';
import { aliasNamed, impliedFacts } from './request-facts.ts';
import { unsealStore } from './stores/open-store.ts';

/** Walks the whole audit log; what is wrong in it is in the report. Errors: as opening the store, ERR_KEYS_AUDIT_UNAVAILABLE. */
export async function verifyAudit(options: KeyStoreOptions & { readonly audit: AuditOptions }): Promise<AuditReport> {
  const store = await unsealStore(options, 'reader');
  store.database.close();
  const identity = auditIdentity(store);
  return verifyAuditLog(options.audit.path, identity, store.database.header.auditHead);
}

/** All keys that callers may see, or every key, of each region that is served, as they are on the disk now. Errors: as opening the store. */
export async function readKeys(
  options: KeyManagerOptions,
  now: () => number,
  which: 'callers' | 'every' = 'callers',
): Promise<readonly KeyDescription[]> {
  const store = await unsealStore(options, 'reader');
  try {
    store.database.checkEpoch(store.epochFile, options.acceptRollback === true);
    const vault = { storeId: store.storeId, keys: store.keys };
    const regions = loadKeyRegions(store.loaded, options, vault, now);
    return regions.served().flatMap((ring) => {
      const keys = which === 'every' ? ring.everyKey() : ring.keys();
      return keys.map((key) => describeKey(ring, key));
    });
  } finally {
    store.database.close();
  }
}

/** What would be decided, and why; as the key manager would with these policies and what lies in the store now. Errors: as opening the store, ERR_KEYS_NOT_FOUND. */
export function explainAccess(
  options: AccessReading,
  asked: AccessQuestion,
  now: () => number,
): Promise<Explanation & { readonly keyArn: string }> {
  return readAccess(options, now, (served) => {
    const { keyId, principal, via, action, context, request } = asked;
    const { ring, authorizer } = servedFor(served, keyId);
    const service = serviceOfAlias(keyId, ring.realm);
    const isUnmade = service !== undefined && !ring.hasAlias(MANAGING_SERVICES[service].alias);
    const key = isUnmade ? keyToBe(service, ring.realm).facts : questionedKey(ring, ring.find(keyId));
    const implied = impliedFacts(key, action, via, options.kmsTls ?? true);
    const parameters = { ...implied.parameters, ...aliasNamed(keyId, ring.realm), ...request.parameters };
    const facts = { ...implied, ...request, parameters };
    const question = { principal, via, action, keyId: key.keyId, key, context, request: facts };
    return { ...authorizer.explain(question), keyArn: key.arn };
  });
}

/** Where the key is that is asked about: in the region that its ARN names, or the home region. */
function servedFor(served: readonly [AccessRead, ...AccessRead[]], keyId: string): AccessRead {
  const named = regionOfArn(keyId);
  return served.find(({ ring }) => ring.realm.region === named) ?? served[0];
}

/** Who would do what with which key. */
export type AccessQuestion = {
  readonly keyId: string;
  /** ARN. */
  readonly principal: string;
  readonly via: Exclude<KeyUse['via'], 'cli'>;
  /** In AWS's words, without `kms:`. */
  readonly action: string;
  readonly context: EncryptionContext;
  /** Beside what any such request says. */
  readonly request: RequestFacts;
};

/** A backup of a store that another process owns; it is not in that process's audit log. Errors: as KeyAdmin's `backup`. */
export async function backupBesideOwner(
  options: KeyStoreOptions,
  request: BackupRequest,
  ports: KeyPorts,
): Promise<BackupSummary> {
  const store = await unsealStore(options, 'reader');
  try {
    store.database.checkEpoch(store.epochFile, false);
    return await writeBackup(store, request, ports);
  } finally {
    store.database.close();
  }
}
