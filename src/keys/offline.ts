/**
 * What may be done beside a store's owner, by whoever has an unseal secret: reading and copying. It changes nothing and uses no
 * key, so it needs neither the owner's lock nor its audit log.
 */
import { auditIdentity } from './audit/identity.ts';
import { verifyAuditLog, type AuditReport } from './audit/verify.ts';
import { writeBackup } from './backup/write-backup.ts';
import { describeKey } from './describe.ts';
import type { BackupRequest, BackupSummary, KeyDescription } from './key-admin.ts';
import { loadKeyRing } from './key-ring.ts';
import type { AuditOptions, KeyManagerOptions, KeyPorts, KeyStoreOptions } from './options.ts';
import { unsealStore } from './stores/open-store.ts';

/** Walks the whole audit log; what is wrong in it is in the report. Errors: as opening the store, ERR_KEYS_AUDIT_UNAVAILABLE. */
export async function verifyAudit(options: KeyStoreOptions & { readonly audit: AuditOptions }): Promise<AuditReport> {
  const store = await unsealStore(options, 'reader');
  store.database.close();
  const identity = auditIdentity(store);
  return verifyAuditLog(options.audit.path, identity, store.database.header.auditHead);
}

/** All keys, as they are on the disk now. Errors: as opening the store. */
export async function readKeys(options: KeyManagerOptions): Promise<readonly KeyDescription[]> {
  const store = await unsealStore(options, 'reader');
  try {
    store.database.checkEpoch(store.epochFile, options.acceptRollback === true);
    const { region, account } = options;
    const ring = loadKeyRing(store.loaded, { region, account }, { storeId: store.storeId, keys: store.keys });
    return ring.keys().map((key) => describeKey(ring, key));
  } finally {
    store.database.close();
  }
}

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
