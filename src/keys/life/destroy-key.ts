/** The end of a key, for ever: its materials' bytes are overwritten in the store; key, aliases and grants are found no more. */
import { deleteGrant } from '../access/grants/grant-rows.ts';
import { isWaiting } from '../import/availability.ts';
import { deleteAlias, deleteMaterial, put, type KeyChanges } from '../admin/key-changes.ts';
import type { HeldKey, HeldMaterial } from '../key-ring.ts';
import type { LastUses } from '../uses/last-uses.ts';
import { DAY_MS } from '../limits.ts';
import { keyRow, materialRow } from '../records.ts';
import type { RelatedKey } from '../regions/key-regions.ts';
import type { RowChange } from '../stores/key-database.ts';
import { destroyedMaterial } from './material-ends.ts';
import { SCHEDULE } from './scheduled-change.ts';

export function destroyKey(changes: KeyChanges, lastUses: LastUses, key: HeldKey): void {
  const { cache, database, grants, ring } = changes.parts;
  const { keyId, region } = key.record;
  const given = grants.list({ by: 'key', keyId, after: undefined, limit: -1 });
  const now = changes.now();
  const aliases = ring.aliasesOf(keyId);
  const freed = freedPrimary(changes, key, now);
  changes.commit([
    ...aliases.map((aliasName) => deleteAlias({ aliasName, region })),
    ...given.map(deleteGrant),
    ...[...key.materials.values()].map((material) => endOf(material, key, now)),
    put('keys', keyRow({ ...key.record, state: 'deleted', stateSince: now, rotation: undefined })),
    ...(freed === undefined ? [] : [put('keys', keyRow(freed.key.record))]),
  ]);
  for (const alias of aliases) ring.deleteAlias(alias);
  ring.deleteKey(keyId);
  freed?.ring.putKey(freed.key.record, [...freed.key.materials.values()]);
  for (const grant of given) grants.changed(grant);
  lastUses.forget(keyId);
  cache.dropKey(keyId);
  database.scrub();
}

/** Of a multi-Region key what waited for its rotation leaves nothing: other material may come in its place, and the key again. */
function endOf(material: HeldMaterial, { record: { multiRegion } }: HeldKey, at: string): RowChange {
  if (multiRegion !== undefined && isWaiting(material)) return deleteMaterial(material.record);
  const facts = { at, by: SCHEDULE.principal, reason: 'deleted' };
  return put('materials', materialRow(destroyedMaterial(material.record, facts)));
}

/** The primary key that waited for this replica, its last: now its own waiting period begins. */
function freedPrimary(changes: KeyChanges, key: HeldKey, now: string): RelatedKey | undefined {
  const others = changes.related(key).filter((each) => each.key !== key);
  const [only] = others;
  if (only === undefined || others.length > 1 || only.key.record.state !== 'pending-replica-deletion') return undefined;
  const { deletionDays = 0 } = only.key.record;
  const deletionDate = new Date(Date.parse(now) + deletionDays * DAY_MS).toISOString();
  const waits = { state: 'pending-deletion', stateSince: now, deletionDate, deletionDays: undefined } as const;
  return { ring: only.ring, key: { ...only.key, record: { ...only.key.record, ...waits } } };
}
