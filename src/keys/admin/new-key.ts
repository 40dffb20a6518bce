/** A new key, durable, read back and tried, and then visible: whoever asked for it. */
import { newKeyUuid, newMultiRegionId } from '../arn.ts';
import { put, type KeyChanges } from './key-changes.ts';
import type { HeldKey, HeldMaterial } from '../key-ring.ts';
import { makeMaterial } from '../material.ts';
import { assertConsistent } from '../pairs/pair-material.ts';
import { aliasRow, keyRow, materialRow, type KeyRecord, type MaterialRecord } from '../records.ts';
import type { RowChange } from '../stores/key-database.ts';
import type { UseTrace } from '../uses/use-recorder.ts';

export type NewKey = Pick<
  KeyRecord,
  'spec' | 'usage' | 'origin' | 'description' | 'policy' | 'tags' | 'rotation' | 'management'
> & {
  readonly alias: string | undefined;
  readonly multiRegion?: boolean;
  /** A principal's ARN, or our own name. */
  readonly by: string;
};

/** `made`: material of a pair, which takes time to make; zeroed. */
export async function storeNewKey(
  changes: KeyChanges,
  { alias, by, multiRegion = false, ...asked }: NewKey,
  trace: UseTrace,
  made?: Uint8Array,
): Promise<HeldKey> {
  const { ports, vault, ring } = changes.parts;
  const createdAt = changes.now();
  const keyId = multiRegion ? newMultiRegionId(ports.random) : newKeyUuid(ports.random);
  const { region } = ring;
  const facts = { createdAt, by };
  // What is to be imported is not there yet.
  const materials =
    asked.origin === 'EXTERNAL' ? [] : [makeMaterial({ keyId, region, ...asked }, 1, facts, vault, ports.random, made)];
  const record: KeyRecord = {
    ...asked,
    keyId,
    region,
    multiRegion: multiRegion ? 'primary' : undefined,
    state: 'enabled',
    stateSince: createdAt,
    currentMaterial: materials[0]?.materialId,
    createdAt,
    deletionDate: undefined,
    deletionDays: undefined,
  };
  const aliases = alias === undefined ? [] : [{ aliasName: alias, region, keyId, createdAt, updatedAt: createdAt }];
  const rows: RowChange[] = [put('keys', keyRow(record))];
  for (const each of materials) rows.push(put('materials', materialRow(each)));
  for (const each of aliases) rows.push(put('aliases', aliasRow(each)));
  changes.commit(rows);
  const held = await Promise.all(materials.map((each) => reread(changes, each, record)));
  const key = changes.publish(record, held, trace);
  for (const each of aliases) ring.putAlias(each);
  return key;
}

/** As it now lies on the disk, and tried. */
async function reread(changes: KeyChanges, material: MaterialRecord, record: KeyRecord): Promise<HeldMaterial> {
  const held = changes.reread(material, record);
  if (held.secret.type === 'pair') await assertConsistent(record, held.secret, changes.parts.pairs);
  return held;
}
