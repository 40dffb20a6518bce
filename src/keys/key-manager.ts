/**
 * The key manager: KMS keys over one embedded store. It owns store, root and audit log; the rooms above see `DataKeys` and
 * `KeyAdmin`. Invariants: no key is acknowledged before it is durable, read back and tried; no answer leaves before its audit
 * record is written; what disables a key is in effect before it returns.
 */
import { PairCrypto } from '../crypto/pairs/pair-crypto.ts';
import { defaultKeyPolicy } from './access/default-policies.ts';
import type { AuditFeed } from './audit/forward/forwarder.ts';
import { auditIdentity } from './audit/identity.ts';
import type { AuditLog } from './audit/log.ts';
import { openAuditLog } from './audit/open-log.ts';
import { writeBackup } from './backup/write-backup.ts';
import type { DataKeys, EscrowRecord, KeyUse } from './uses/data-keys.ts';
import { DataKeyService } from './uses/data-key-service.ts';
import { DekCache } from './uses/dek-cache.ts';
import { KeysError } from './errors.ts';
import { EscrowService } from './uses/escrow-service.ts';
import type { BackupRequest, BackupSummary, KeyAdmin } from './admin/key-admin.ts';
import type { DueWork } from './life/key-lifecycle.ts';
import { recordLife } from './life/life-record.ts';
import { openLife, type OpenedLife } from './life/open-life.ts';
import { DEK_CACHE_DEFAULTS } from './limits.ts';
import type { KeyManagerOptions, KeyPorts } from './options.ts';
import { OwnedKeys } from './managed/owned-keys.ts';
import { loadKeyRegions } from './regions/key-regions.ts';
import { OpenRegionKeys, type RegionKeys } from './regions/region-keys.ts';
import { servedRegions, type RegionServices } from './regions/region-services.ts';
import { RemoteDataKeyService } from './remote/remote-data-key-service.ts';
import { ServiceKeys } from './service-keys.ts';
import { ITSELF, recordStart } from './start-record.ts';
import { assertStoreExists } from './stores/database-file.ts';
import { unsealStore, type UnsealedStore } from './stores/open-store.ts';
import { takeOwnerLock, type OwnerLock } from './stores/owner-lock.ts';
import { SCHEMA_STEPS } from './stores/schema.ts';

export { createKeyFile } from './root/key-file.ts';
export { createKeyStore } from './stores/open-store.ts';

/** The keys of the home region, which data keys are of; those of the others by `inRegion`. */
export interface KeyManager extends DataKeys, RegionKeys, Pick<KeyAdmin, 'backup'> {
  /** 32 hex digits. */
  readonly storeId: string;
  /** Regions that are served, the home region first. */
  readonly regions: readonly string[];
  /** Undefined: not served here. */
  inRegion(region: string): RegionKeys | undefined;
  /** What is due of keys in every region: see KeyLifecycle. */
  runDue(allow: { readonly destroy: boolean }): Promise<DueWork>;
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
  const vault = { storeId, keys };
  const regions = loadKeyRegions(loaded, options, vault, ports.now);
  const service = new ServiceKeys(loaded, vault, regions.home);
  const identity = auditIdentity(store);
  const { log, resumption } = openAuditLog({
    options: options.audit,
    identity,
    storeHead: database.header.auditHead,
    acceptGap: options.acceptAuditGap === true,
    now: ports.now,
  });
  const life = await openLife(options.life, log, identity, ports.now());
  const cache = new DekCache({ ...DEK_CACHE_DEFAULTS, ...options.cache }, ports.now, ports.deksDropped);
  const pairs = new PairCrypto(() => new KeysError('ERR_KEYS_BUSY', 'too many operations with key pairs wait'));
  const { access } = options;
  const served = servedRegions({
    ...{ regions, database, vault, log, life, cache, pairs, service, access, ports },
    grantToken: service.get('grant-token').key,
    defaultKeyPolicy: access?.defaultKeyPolicy ?? defaultKeyPolicy(options.account),
  });
  const home = homeOf(served);
  const { recorder } = home;
  try {
    await recordStart(recorder, resumption, epoch, database.header.epoch);
    if (epoch === 'accepted') database.commit([], log.syncedHead);
    else database.catchUpEpochFile(store.epochFile);
    await recordLife(recorder, life.options);
  } catch (error) {
    await log.close();
    throw error;
  }
  return new EmbeddedKeyManager(
    { store, lock, log, life, cache, pairs, ports },
    {
      home,
      served,
      owned: new OwnedKeys(home.changes, service),
      dataKeys: dataKeysOf(home, cache, ports),
      escrow: new EscrowService(database, log, recorder, ports),
    },
  );
}

function homeOf(served: ReadonlyMap<string, RegionServices>): RegionServices {
  const [home] = served.values();
  if (home === undefined) throw new TypeError('a store without a region');
  return home;
}

function dataKeysOf(
  { ring, recorder, firstUses }: RegionServices,
  cache: DekCache,
  ports: KeyPorts,
): DataKeyService | RemoteDataKeyService {
  const { remote: kms } = ports;
  if (kms === undefined) return new DataKeyService({ ring, cache, recorder, ports, firstUses });
  return new RemoteDataKeyService({ kms, cache, recorder, ports, account: ring.realm.account });
}

type Owned = {
  readonly store: UnsealedStore;
  readonly lock: OwnerLock;
  readonly log: AuditLog;
  readonly life: OpenedLife;
  readonly cache: DekCache;
  readonly pairs: PairCrypto;
  readonly ports: KeyPorts;
};
type Services = {
  readonly home: RegionServices;
  readonly served: ReadonlyMap<string, RegionServices>;
  readonly owned: OwnedKeys;
  readonly dataKeys: DataKeyService | RemoteDataKeyService;
  readonly escrow: EscrowService;
};

class EmbeddedKeyManager extends OpenRegionKeys implements KeyManager {
  readonly storeId: string;
  readonly regions: readonly string[];
  readonly #owned: Owned;
  readonly #services: Services;
  readonly #byRegion: ReadonlyMap<string, RegionKeys>;
  #closed = false;

  constructor(owned: Owned, services: Services) {
    super(() => this.#open().home);
    this.storeId = Buffer.from(owned.store.storeId).toString('hex');
    this.#owned = owned;
    this.#services = services;
    this.regions = [...services.served.keys()];
    this.#byRegion = new Map([...services.served].map(([region, own]) => [region, this.#keysOf(own)]));
  }

  inRegion(region: string): RegionKeys | undefined {
    return this.#byRegion.get(region);
  }

  async runDue(allow: { readonly destroy: boolean }): Promise<DueWork> {
    const done: DueWork[] = [];
    for (const { due } of this.#open().served.values()) done.push(await due.run(allow));
    return {
      rotated: done.flatMap(({ rotated }) => rotated),
      destroyed: done.flatMap(({ destroyed }) => destroyed),
      expired: done.flatMap(({ expired }) => expired),
      failed: done.flatMap(({ failed }) => failed),
    };
  }

  get auditFeed(): AuditFeed {
    return this.#owned.log;
  }

  // Uses are many, and an async function around a promise makes three of it.
  readonly generateDataKey: DataKeys['generateDataKey'] = (request, use) =>
    this.#closed ? Promise.reject(closed()) : this.#services.dataKeys.generateDataKey(request, use);
  readonly decrypt: DataKeys['decrypt'] = (request, use) =>
    this.#closed ? Promise.reject(closed()) : this.#services.dataKeys.decrypt(request, use);
  readonly decryptNow: DataKeys['decryptNow'] = (...args) => this.#open().dataKeys.decryptNow(...args);
  readonly decryptEachNow: DataKeys['decryptEachNow'] = (asked) => this.#open().dataKeys.decryptEachNow(asked);
  readonly readUnsealed: DataKeys['readUnsealed'] = async (...args) => this.#open().dataKeys.readUnsealed(...args);
  readonly reEncrypt: DataKeys['reEncrypt'] = async (...args) => this.#open().dataKeys.reEncrypt(...args);
  readonly resolveKey: DataKeys['resolveKey'] = async (keyId) => this.#open().dataKeys.resolveKey(keyId);
  readonly serviceKey: DataKeys['serviceKey'] = async (purpose, epoch) => {
    const { owned } = this.#open();
    return epoch === undefined ? owned.current(purpose) : owned.of(purpose, epoch);
  };
  readonly escrow: DataKeys['escrow'] = async (...args) => this.#open().escrow.escrow(...args);
  async escrowed(owner: string): Promise<readonly EscrowRecord[]> {
    return this.#open().escrow.escrowed(owner);
  }

  async escrowedKey(dekId: Uint8Array): Promise<EscrowRecord | undefined> {
    return this.#open().escrow.escrowedKey(dekId);
  }

  async backup(request: BackupRequest, use: KeyUse): Promise<BackupSummary> {
    const { changes, recorder } = this.#open().home;
    const { store, ports } = this.#owned;
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
    const { dataKeys, home } = this.#open();
    if (dataKeys instanceof RemoteDataKeyService) await dataKeys.ready();
    const { log } = this.#owned;
    log.check();
    if (!log.failing) return;
    const decision = { allow: true, why: 'a record could not be written' };
    await home.recorder.write('AuditProbe', ITSELF, null, { decision }, 'success');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { lock, log, life, cache, pairs, store } = this.#owned;
    await this.#services.home.changes.exclusively(async () => undefined);
    cache.close();
    try {
      await Promise.allSettled([pairs.close(), this.#owned.ports.remote?.close()]);
      await log.close();
      await life.kept?.close();
      store.database.rememberAuditHead(log.syncedHead);
    } finally {
      store.database.close();
      lock.release();
    }
  }

  #keysOf(own: RegionServices): RegionKeys {
    return new OpenRegionKeys(() => {
      this.#open();
      return own;
    });
  }

  #open(): Services {
    if (this.#closed) throw closed();
    return this.#services;
  }
}

const closed = (): KeysError => new KeysError('ERR_KEYS_CLOSED', 'the key manager is closed');
