/** What serves one region: the same services for each, over its own keys, aliases and grants, and one store, one audit log, one turn to change. */
import type { PairCrypto } from '../../crypto/pairs/pair-crypto.ts';
import type { ServiceKey } from '../../crypto/key-types.ts';
import { PolicyAuthorizer } from '../access/authorizer.ts';
import { GrantStore } from '../access/grants/grant-store.ts';
import type { AccessOptions } from '../access/options.ts';
import type { AuditLog } from '../audit/log.ts';
import type { DekCache } from '../uses/dek-cache.ts';
import { KeyImportService } from '../import/key-import-service.ts';
import { KeyAdminService } from '../admin/key-admin-service.ts';
import { ChangeTurns, KeyChanges } from '../admin/key-changes.ts';
import { KeyGrantsService } from '../admin/key-grants-service.ts';
import { KeyMacsService } from '../uses/key-macs-service.ts';
import { KeyOperationsService } from '../uses/key-operations-service.ts';
import type { KeyRing } from '../key-ring.ts';
import { KeySettingsService } from '../admin/key-settings-service.ts';
import { LastUses } from '../uses/last-uses.ts';
import { KeyDueWork } from '../life/due-work.ts';
import { KeyLifecycleService } from '../life/key-lifecycle-service.ts';
import { LifeGuard } from '../life/guard/life-guard.ts';
import type { OpenedLife } from '../life/open-life.ts';
import { KeyMaterialsService } from '../life/key-materials-service.ts';
import { FirstUses } from '../managed/first-use.ts';
import type { MaterialVault } from '../material.ts';
import type { KeyPorts } from '../options.ts';
import { KeyPairsService } from '../pairs/key-pairs-service.ts';
import { KeySignaturesService } from '../pairs/key-signatures-service.ts';
import type { ServiceKeys } from '../service-keys.ts';
import type { KeyDatabase } from '../stores/key-database.ts';
import { UseRecorder } from '../uses/use-recorder.ts';
import type { KeyRegions } from './key-regions.ts';
import { MultiRegionService } from './multi-region-service.ts';

export type RegionParts = {
  readonly regions: KeyRegions;
  readonly database: KeyDatabase;
  readonly vault: MaterialVault;
  readonly log: AuditLog;
  readonly life: OpenedLife;
  readonly cache: DekCache;
  readonly pairs: PairCrypto;
  readonly service: ServiceKeys;
  readonly grantToken: ServiceKey;
  readonly defaultKeyPolicy: string;
  readonly access: AccessOptions | undefined;
  readonly ports: KeyPorts;
};

export type RegionServices = {
  readonly ring: KeyRing;
  readonly recorder: UseRecorder;
  readonly changes: KeyChanges;
  readonly firstUses: FirstUses;
  readonly admin: KeyAdminService;
  readonly settings: KeySettingsService;
  readonly lifecycle: KeyLifecycleService;
  readonly due: KeyDueWork;
  readonly materials: KeyMaterialsService;
  readonly operations: KeyOperationsService;
  readonly grants: KeyGrantsService;
  readonly macs: KeyMacsService;
  readonly imports: KeyImportService;
  readonly signatures: KeySignaturesService;
  readonly pairs: KeyPairsService;
  readonly multiRegion: MultiRegionService;
};

/** By region, the home region first. */
export function servedRegions(parts: RegionParts): ReadonlyMap<string, RegionServices> {
  const turns = new ChangeTurns();
  const served = new Map<string, RegionServices>();
  const changesIn = (region: string): KeyChanges | undefined => served.get(region)?.changes;
  for (const ring of parts.regions.served()) served.set(ring.realm.region, servicesOf(ring, parts, turns, changesIn));
  return served;
}

function servicesOf(
  ring: KeyRing,
  parts: RegionParts,
  turns: ChangeTurns,
  changesIn: (region: string) => KeyChanges | undefined,
): RegionServices {
  const { database, log, pairs, service, access } = parts;
  const grants = new GrantStore(database, parts.grantToken, ring.region);
  const authorizer =
    parts.ports.authorizer ??
    (access === undefined ? undefined : new PolicyAuthorizer(access, ring.realm, grants, parts.ports.now));
  const ports: KeyPorts = authorizer === undefined ? parts.ports : { ...parts.ports, authorizer };
  const lastUses = new LastUses(ports.now());
  const { terms, kept } = parts.life;
  const life = new LifeGuard({ ring, terms, counts: kept?.counts, now: ports.now });
  const recorder = new UseRecorder({ log, ring, lastUses, grants, life, ports });
  const changes = new KeyChanges({ ...parts, ring, recorder, grants, ports }, turns);
  const due = new KeyDueWork(changes, lastUses);
  life.rotateBy((keyId, bytes) => due.rotateEnded(keyId, bytes));
  const firstUses = new FirstUses(changes);
  return {
    ring,
    recorder,
    changes,
    firstUses,
    admin: new KeyAdminService(changes, firstUses),
    settings: new KeySettingsService(changes, lastUses),
    lifecycle: new KeyLifecycleService(changes),
    due,
    materials: new KeyMaterialsService(changes),
    operations: new KeyOperationsService(ring, recorder, pairs, ports),
    grants: new KeyGrantsService(changes),
    macs: new KeyMacsService(ring, recorder),
    imports: new KeyImportService(changes, service),
    signatures: new KeySignaturesService(ring, recorder, pairs),
    pairs: new KeyPairsService(ring, recorder, pairs),
    multiRegion: new MultiRegionService(changes, changesIn),
  };
}
