/** Keys that are no more, as they stay on record: what they were, and what became of their materials. Nothing opens what they sealed. */
import { keyArn, type KeyRealm } from '../arn.ts';
import type { MaterialTransition } from '../life/material-history.ts';
import type { KeyRecord, MaterialRecord } from '../records.ts';
import { rowName } from '../regions/row-names.ts';

export type DestroyedKey = Pick<KeyRecord, 'spec' | 'usage' | 'origin' | 'description' | 'createdAt'> & {
  readonly arn: string;
  /** ISO 8601. */
  readonly destroyedAt: string;
  readonly materials: readonly {
    readonly materialId: string;
    readonly version: number;
    readonly history: readonly MaterialTransition[];
  }[];
};

type Recorded = { readonly keys: readonly KeyRecord[]; readonly materials: readonly MaterialRecord[] };

/** Of every region, in the order in which they ended. */
export function destroyedKeys({ keys, materials }: Recorded, home: KeyRealm): readonly DestroyedKey[] {
  const ended = keys.filter(({ state }) => state === 'deleted');
  if (ended.length === 0) return [];
  const byKey = Map.groupBy(materials, ({ keyId, region }) => rowName(keyId, region));
  return ended
    .map((key) => describe(key, byKey.get(rowName(key.keyId, key.region)) ?? [], home))
    .sort((a, b) => (a.destroyedAt < b.destroyedAt ? -1 : 1));
}

function describe(key: KeyRecord, materials: readonly MaterialRecord[], home: KeyRealm): DestroyedKey {
  const { keyId, region = home.region, spec, usage, origin, description, createdAt, stateSince } = key;
  const arn = keyArn({ region, account: home.account }, keyId);
  return {
    ...{ arn, spec, usage, origin, description, createdAt },
    destroyedAt: stateSince,
    materials: [...materials]
      .sort((a, b) => a.version - b.version)
      .map(({ materialId, version, history }) => ({
        materialId: Buffer.from(materialId).toString('hex'),
        version,
        history,
      })),
  };
}
