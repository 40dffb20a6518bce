/** How keys are changed: checked, recorded, durable and tried, then visible, then acknowledged. One change at a time. */
import type { PairCrypto } from '../../crypto/pairs/pair-crypto.ts';
import type { GrantStore } from '../access/grants/grant-store.ts';
import type { RequestFacts } from '../access/request.ts';
import type { AuditLog } from '../audit/log.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import type { DekCache } from '../uses/dek-cache.ts';
import { KeysError } from '../errors.ts';
import { holdMaterial, type HeldKey, type HeldMaterial, type KeyRing } from '../key-ring.ts';
import { assertChangesAllowed } from '../managed/managed-changes.ts';
import type { MaterialKind, MaterialVault } from '../material.ts';
import type { KeyPorts } from '../options.ts';
import { keyRow, parseMaterialRow, type AliasRecord, type KeyRecord, type MaterialRecord } from '../records.ts';
import type { KeyRegions, RelatedKey } from '../regions/key-regions.ts';
import { materialRowId, rowName } from '../regions/row-names.ts';
import type { KeyDatabase, RowChange } from '../stores/key-database.ts';
import type { Row } from '../stores/row-mac.ts';
import type { UseRecorder, UseTrace } from '../uses/use-recorder.ts';

export type AdminParts = {
  readonly ring: KeyRing;
  readonly regions: KeyRegions;
  readonly cache: DekCache;
  readonly recorder: UseRecorder;
  readonly log: AuditLog;
  readonly database: KeyDatabase;
  readonly grants: GrantStore;
  readonly vault: MaterialVault;
  readonly pairs: PairCrypto;
  readonly ports: KeyPorts;
  /** Of keys that have none of their own. */
  readonly defaultKeyPolicy: string;
};

/** A change that was checked and may be made: it makes itself durable and visible, and gives the answer. */
type Plan<Result> = (trace: UseTrace) => () => Result | Promise<Result>;

/** Changes of one store take turns, whichever region they are of. */
export class ChangeTurns {
  #last: Promise<unknown> = Promise.resolve();

  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const run = this.#last.then(work);
    this.#last = run.catch(() => undefined);
    return run;
  }
}

/** What nobody should do to a key in use: conditions may ask how long it was not. */
const CUTTING_OFF: ReadonlySet<string> = new Set(['DisableKey', 'ScheduleKeyDeletion']);

export class KeyChanges {
  readonly parts: AdminParts;
  readonly #turns: ChangeTurns;

  constructor(parts: AdminParts, turns: ChangeTurns) {
    this.parts = parts;
    this.#turns = turns;
  }

  /** Runs `work` when no change is under way, and lets none begin meanwhile. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#turns.take(work);
  }

  /** Checked, recorded as started, made, recorded as done: there is no unrecorded change, whenever the process dies. */
  make<Result>(action: string, use: KeyUse, plan: Plan<Result>): Promise<Result> {
    const { recorder } = this.parts;
    return this.exclusively(() =>
      recorder.record(action, use, null, async (trace) => {
        const apply = plan(trace);
        await recorder.write(action, use, null, trace, 'started');
        return apply();
      }),
    );
  }

  /** The key that is named, if the caller may do this with it and it is one that takes it; ERR_KEYS_MANAGED. */
  find(keyId: string, action: string, use: KeyUse, trace: UseTrace, facts: RequestFacts = {}): HeldKey {
    // An operator sees the keys that we own.
    const key = (use.via === 'cli' ? this.parts.ring.ownedById(keyId) : undefined) ?? this.parts.ring.find(keyId);
    trace.key = key;
    this.parts.recorder.authorize(trace, action, use, {}, this.#withUnused(facts, action, key));
    assertChangesAllowed(key, action, use);
    return key;
  }

  #withUnused(facts: RequestFacts, action: string, key: HeldKey): RequestFacts {
    if (!CUTTING_OFF.has(action)) return facts;
    return { ...facts, parameters: { ...facts.parameters, ...this.parts.recorder.unusedFacts(key) } };
  }

  commit(changes: readonly RowChange[]): void {
    this.parts.database.commit(changes, this.parts.log.syncedHead);
  }

  /** A change of the key's own record alone; its materials stay. */
  putRecord(key: HeldKey, changes: Partial<KeyRecord>, trace: UseTrace): HeldKey {
    const record = { ...key.record, ...changes };
    this.commit([put('keys', keyRow(record))]);
    return this.publish(record, [...key.materials.values()], trace);
  }

  /** Of what related multi-Region keys share: all of them change, or none. */
  putShared(key: HeldKey, changes: Pick<KeyRecord, 'rotation'>, trace: UseTrace): void {
    const changed = this.related(key).map(({ ring, key: each }) => ({
      ring,
      key: each,
      record: { ...each.record, ...changes },
    }));
    this.commit(changed.map(({ record }) => put('keys', keyRow(record))));
    for (const { ring, key: each, record } of changed) ring.putKey(record, [...each.materials.values()]);
    this.published(key.record.keyId, trace);
  }

  /** The key itself, and those of its id in other regions. */
  related({ record }: HeldKey): readonly RelatedKey[] {
    return this.parts.regions.related(record.keyId);
  }

  /** The material as it now lies on the disk, opened and tried on its canary: only then is it used or acknowledged. */
  reread(material: MaterialRecord, owner: MaterialKind): HeldMaterial {
    const row = this.parts.database.row('materials', materialRowId(material.materialId, material.region));
    if (row === undefined) throw new KeysError('ERR_KEYS_STORE_WRITE', 'a material did not read back');
    return holdMaterial(parseMaterialRow(row), owner, this.parts.vault);
  }

  publish(record: KeyRecord, materials: readonly HeldMaterial[], trace: UseTrace): HeldKey {
    this.parts.ring.putKey(record, materials);
    return this.published(record.keyId, trace);
  }

  /** The key as it is now, for the record of its change. */
  published(keyId: string, trace: UseTrace): HeldKey {
    const { ring } = this.parts;
    const key = ring.ownedById(keyId) ?? ring.byId(keyId);
    trace.key = key;
    trace.material = key.current;
    return key;
  }

  nowMs(): number {
    return this.parts.ports.now();
  }

  now(): string {
    return new Date(this.nowMs()).toISOString();
  }
}

export function deleteAlias({ aliasName, region }: Pick<AliasRecord, 'aliasName' | 'region'>): RowChange {
  return { type: 'delete', table: 'aliases', id: rowName(aliasName, region) };
}

export function deleteMaterial({ materialId, region }: Pick<MaterialRecord, 'materialId' | 'region'>): RowChange {
  return { type: 'delete', table: 'materials', id: materialRowId(materialId, region) };
}

export function put(table: 'keys' | 'materials' | 'aliases', row: Row): RowChange {
  return { type: 'put', table, row };
}
