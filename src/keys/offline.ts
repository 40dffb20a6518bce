/** Checks that read a store and its audit log, whoever owns them, and change nothing. */
import { verifyAuditLog, type AuditReport } from './audit/verify.ts';
import type { AuditOptions, KeyStoreOptions } from './options.ts';
import { unsealStore } from './stores/open-store.ts';

/** Walks the whole audit log; what is wrong in it is in the report. Errors: as opening the store, ERR_KEYS_AUDIT_UNAVAILABLE. */
export async function verifyAudit(options: KeyStoreOptions & { readonly audit: AuditOptions }): Promise<AuditReport> {
  const store = await unsealStore(options, 'reader');
  store.database.close();
  const identity = { storeId: store.storeId, key: store.keys.audit };
  return verifyAuditLog(options.audit.path, identity, store.database.header.auditHead);
}
