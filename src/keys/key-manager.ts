/**
 * The key manager: KMS keys over one embedded store. It owns store, root and audit log; the rooms above see `DataKeys` and
 * `KeyAdmin`. Invariants: no key is acknowledged before it is durable, read back and tried; no answer leaves before its audit
 * record is written; what disables a key is in effect before it returns.
 */
import { PairCrypto } from '../crypto/pairs/pair-crypto.ts';
import { PolicyAuthorizer } from './access/authorizer.ts';
import { GrantStore } from './access/grants/grant-store.ts';
import { defaultKeyPolicy } from './access/default-policies.ts';
import type { KeyRealm } from './arn.ts';
import type { AuditFeed } from './audit/forward/forwarder.ts';
import { auditIdentity } from './audit/identity.ts';
import { openAuditLog, type AuditLog } from './audit/log.ts';
import { writeBackup } from './backup/write-backup.ts';
import type { DataKeys, EscrowRecord, KeyUse } from './data-keys.ts';
import { DataKeyService } from './data-key-service.ts';
import { DekCache } from './dek-cache.ts';
import { KeysError } from './errors.ts';
import { EscrowService } from './escrow-service.ts';
import type { BackupRequest, BackupSummary, KeyAdmin } from './key-admin.ts';
import { KeyAdminService } from './key-admin-service.ts';
import { KeyChanges } from './key-changes.ts';
import type { KeyLifecycle } from './life/key-lifecycle.ts';
import type { KeyImport } from './import/key-import.ts';
import { KeyImportService } from './import/key-import-service.ts';
import type { KeyGrants } from './key-grants.ts';
import type { KeyMaterials } from './life/key-materials.ts';
import { KeyMaterialsService } from './life/key-materials-service.ts';
import type { KeyMacs } from './key-macs.ts';
import type { KeyPairs } from './pairs/key-pairs.ts';
import { KeyPairsService } from './pairs/key-pairs-service.ts';
import type { KeySignatures } from './pairs/key-signatures.ts';
import { KeySignaturesService } from './pairs/key-signatures-service.ts';
import { KeyMacsService } from './key-macs-service.ts';
import { KeyGrantsService } from './key-grants-service.ts';
import { KeyLifecycleService } from './life/key-lifecycle-service.ts';
import type { KeyOperations } from './key-operations.ts';
import { KeyOperationsService } from './key-operations-service.ts';
import { loadKeyRing, type KeyRing } from './key-ring.ts';
import type { KeySettings } from './key-settings.ts';
import { KeySettingsService } from './key-settings-service.ts';
import { LastUses } from './last-uses.ts';
import { DEK_CACHE_DEFAULTS } from './limits.ts';
import type { KeyManagerOptions, KeyPorts } from './options.ts';
import { RemoteDataKeyService } from './remote/remote-data-key-service.ts';
import { ServiceKeys } from './service-keys.ts';
import { ITSELF, recordStart } from './start-record.ts';
import { assertStoreExists } from './stores/database-file.ts';
import { unsealStore, type UnsealedStore } from './stores/open-store.ts';
import { takeOwnerLock, type OwnerLock } from './stores/owner-lock.ts';
import { SCHEMA_STEPS } from './stores/schema.ts';
import { UseRecorder } from './use-recorder.ts';

export { createKeyFile } from './root/key-file.ts';
export { createKeyStore } from './stores/open-store.ts';

export interface KeyManager extends DataKeys, KeyAdmin {
  /** 32 hex digits. */
  readonly storeId: string;
  /** What the KMS API asks beyond `DataKeys` and `KeyAdmin`. Reading these throws ERR_KEYS_CLOSED once the manager is closed. */
  readonly operations: KeyOperations;
  readonly settings: KeySettings;
  readonly lifecycle: KeyLifecycle;
  readonly materials: KeyMaterials;
  readonly grants: KeyGrants;
  readonly macs: KeyMacs;
  readonly imports: KeyImport;
  readonly signatures: KeySignatures;
  readonly pairs: KeyPairs;
  /** For those who send copies of the audit log elsewhere. */
  readonly auditFeed: AuditFeed;
  /** The escrowed DEK of this id (16 bytes), whichever database owns it. */
  escrowedKey(dekId: Uint8Array): Promise<EscrowRecord | undefined>;
  /** Rejects (ERR_KEYS_AUDIT_UNAVAILABLE, ERR_KEYS_CLOSED) while no key can be used; for /readyz. It tries, so it notices a disk that freed itself. */
  ready(): Promise<void>;
  /** Waits for audit records under way, then releases store and lock. */
  close(): Promise<void>;
}

/** Unseals an existing store and becomes its owner; rejects with the KeysError that says why it cannot. */
export async function openKeyManager(options: KeyManagerOptions, ports: KeyPorts): Promise<KeyManager> {
  assertStoreExists(options.storePath);
  const lock = takeOwnerLock(options.storePath);
  try {
    const store = await unsealStore(options, 'owner');
    try {
      return await startManager(store, lock, options, ports);
    } catch (error) {
      store.database.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function startManager(
  store: UnsealedStore,
  lock: OwnerLock,
  options: KeyManagerOptions,
  ports: KeyPorts,
): Promise<KeyManager> {
  const { database, keys, storeId, loaded } = store;
  const epoch = database.checkEpoch(store.epochFile, options.acceptRollback === true);
  // Only now: a copy that is refused stays as the release that wrote it left it.
  database.migrate(SCHEMA_STEPS);
  const realm = { region: options.region, account: options.account };
  const vault = { storeId, keys };
  const ring = loadKeyRing(loaded, realm, vault, ports.now);
  const service = new ServiceKeys(loaded, keys);
  const grants = new GrantStore(database, service.get('grant-token').key);
  const defaultPolicy = options.access?.defaultKeyPolicy ?? defaultKeyPolicy(realm.account);
  const authorizer = ports.authorizer ?? policyAuthorizer(options.access, realm, grants, ports.now);
  const asking: KeyPorts = authorizer === undefined ? ports : { ...ports, authorizer };
  const { log, resumption } = openAuditLog({
    options: options.audit,
    identity: auditIdentity(store),
    storeHead: database.header.auditHead,
    acceptGap: options.acceptAuditGap === true,
    now: ports.now,
  });
  const cache = new DekCache({ ...DEK_CACHE_DEFAULTS, ...options.cache }, ports.now);
  const lastUses = new LastUses(ports.now());
  const recorder = new UseRecorder({ log, ring, lastUses, grants, ports: asking });
  try {
    await recordStart(recorder, resumption, epoch, database.header.epoch);
    if (epoch === 'accepted') database.commit([], log.syncedHead);
    else database.catchUpEpochFile(store.epochFile);
  } catch (error) {
    await log.close();
    throw error;
  }
  const pairs = new PairCrypto(() => new KeysError('ERR_KEYS_BUSY', 'too many operations with key pairs wait'));
  const changes = new KeyChanges({
    ...{ ring, cache, recorder, log, database, grants, vault, pairs, defaultKeyPolicy: defaultPolicy },
    ports: asking,
  });
  return new EmbeddedKeyManager(
    { store, lock, log, cache, recorder, pairs, ports },
    {
      changes,
      admin: new KeyAdminService(changes),
      settings: new KeySettingsService(changes, lastUses),
      lifecycle: new KeyLifecycleService(changes, lastUses),
      materials: new KeyMaterialsService(changes),
      dataKeys: dataKeysOf(ring, cache, recorder, ports),
      operations: new KeyOperationsService(ring, recorder, pairs, ports),
      escrow: new EscrowService(database, log, recorder, ports),
      grants: new KeyGrantsService(changes),
      macs: new KeyMacsService(ring, recorder),
      imports: new KeyImportService(changes, service),
      signatures: new KeySignaturesService(ring, recorder, pairs),
      pairs: new KeyPairsService(ring, recorder, pairs),
      service,
    },
  );
}

function dataKeysOf(
  ring: KeyRing,
  cache: DekCache,
  recorder: UseRecorder,
  ports: KeyPorts,
): DataKeyService | RemoteDataKeyService {
  const { remote: kms } = ports;
  if (kms === undefined) return new DataKeyService(ring, cache, recorder, ports);
  return new RemoteDataKeyService({ kms, cache, recorder, ports, account: ring.realm.account });
}

function policyAuthorizer(
  access: KeyManagerOptions['access'],
  realm: KeyRealm,
  grants: GrantStore,
  now: () => number,
): PolicyAuthorizer | undefined {
  return access === undefined ? undefined : new PolicyAuthorizer(access, realm, grants, now);
}

type Owned = {
  readonly store: UnsealedStore;
  readonly lock: OwnerLock;
  readonly log: AuditLog;
  readonly cache: DekCache;
  readonly recorder: UseRecorder;
  readonly pairs: PairCrypto;
  readonly ports: KeyPorts;
};
type Services = {
  readonly changes: KeyChanges;
  readonly admin: KeyAdminService;
  readonly settings: KeySettingsService;
  readonly lifecycle: KeyLifecycleService;
  readonly materials: KeyMaterials;
  readonly dataKeys: DataKeyService | RemoteDataKeyService;
  readonly operations: KeyOperationsService;
  readonly escrow: EscrowService;
  readonly grants: KeyGrantsService;
  readonly macs: KeyMacsService;
  readonly imports: KeyImportService;
  readonly signatures: KeySignaturesService;
  readonly pairs: KeyPairsService;
  readonly service: ServiceKeys;
};

class EmbeddedKeyManager implements KeyManager {
  readonly storeId: string;
  readonly #owned: Owned;
  readonly #services: Services;
  #closed = false;

  constructor(owned: Owned, services: Services) {
    this.storeId = Buffer.from(owned.store.storeId).toString('hex');
    this.#owned = owned;
    this.#services = services;
  }

  readonly createKey: KeyAdmin['createKey'] = async (...args) => this.#open().admin.createKey(...args);
  readonly describeKey: KeyAdmin['describeKey'] = async (...args) => this.#open().admin.describeKey(...args);
  readonly listKeys: KeyAdmin['listKeys'] = async (...args) => this.#open().admin.listKeys(...args);
  readonly rotateKey: KeyAdmin['rotateKey'] = async (...args) => this.#open().lifecycle.rotateKey(...args);
  readonly enableKey: KeyAdmin['enableKey'] = async (...args) => this.#open().admin.enableKey(...args);
  readonly disableKey: KeyAdmin['disableKey'] = async (...args) => this.#open().admin.disableKey(...args);
  readonly createAlias: KeyAdmin['createAlias'] = async (...args) => this.#open().admin.createAlias(...args);
  readonly updateAlias: KeyAdmin['updateAlias'] = async (...args) => this.#open().admin.updateAlias(...args);
  readonly deleteAlias: KeyAdmin['deleteAlias'] = async (...args) => this.#open().admin.deleteAlias(...args);
  readonly listAliases: KeyAdmin['listAliases'] = async (...args) => this.#open().admin.listAliases(...args);

  get operations(): KeyOperations {
    return this.#open().operations;
  }

  get settings(): KeySettings {
    return this.#open().settings;
  }

  get grants(): KeyGrants {
    return this.#open().grants;
  }

  get lifecycle(): KeyLifecycle {
    return this.#open().lifecycle;
  }

  get materials(): KeyMaterials {
    return this.#open().materials;
  }

  get macs(): KeyMacs {
    return this.#open().macs;
  }

  get imports(): KeyImport {
    return this.#open().imports;
  }

  get signatures(): KeySignatures {
    return this.#open().signatures;
  }

  get pairs(): KeyPairs {
    return this.#open().pairs;
  }

  get auditFeed(): AuditFeed {
    return this.#owned.log;
  }

  readonly generateDataKey: DataKeys['generateDataKey'] = async (...args) =>
    this.#open().dataKeys.generateDataKey(...args);
  readonly decrypt: DataKeys['decrypt'] = async (...args) => this.#open().dataKeys.decrypt(...args);
  readonly decryptNow: DataKeys['decryptNow'] = (...args) => this.#open().dataKeys.decryptNow(...args);
  readonly reEncrypt: DataKeys['reEncrypt'] = async (...args) => this.#open().dataKeys.reEncrypt(...args);
  readonly resolveKey: DataKeys['resolveKey'] = async (keyId) => this.#open().dataKeys.resolveKey(keyId);
  readonly serviceKey: DataKeys['serviceKey'] = async (purpose, epoch) => this.#open().service.get(purpose, epoch);
  readonly escrow: DataKeys['escrow'] = async (...args) => this.#open().escrow.escrow(...args);
  async escrowed(owner: string): Promise<readonly EscrowRecord[]> {
    return this.#open().escrow.escrowed(owner);
  }

  async escrowedKey(dekId: Uint8Array): Promise<EscrowRecord | undefined> {
    return this.#open().escrow.escrowedKey(dekId);
  }

  async backup(request: BackupRequest, use: KeyUse): Promise<BackupSummary> {
    const { changes } = this.#open();
    const { recorder, store, ports } = this.#owned;
    return changes.exclusively(() =>
      recorder.record('Backup', use, null, async (trace) => {
        trace.detail = { path: request.path };
        recorder.authorize(trace, 'Backup', use, {});
        await recorder.write('Backup', use, null, trace, 'started');
        return writeBackup(store, request, ports);
      }),
    );
  }

  async ready(): Promise<void> {
    const { dataKeys } = this.#open();
    if (dataKeys instanceof RemoteDataKeyService) await dataKeys.ready();
    const { log, recorder } = this.#owned;
    log.check();
    if (!log.failing) return;
    const decision = { allow: true, why: 'a record could not be written' };
    await recorder.write('AuditProbe', ITSELF, null, { decision }, 'success');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { lock, log, cache, pairs, store } = this.#owned;
    await this.#services.changes.exclusively(async () => undefined);
    cache.close();
    try {
      await Promise.allSettled([pairs.close(), this.#owned.ports.remote?.close()]);
      await log.close();
      store.database.rememberAuditHead(log.syncedHead);
    } finally {
      store.database.close();
      lock.release();
    }
  }

  #open(): Services {
    if (this.#closed) throw new KeysError('ERR_KEYS_CLOSED', 'the key manager is closed');
    return this.#services;
  }
}
