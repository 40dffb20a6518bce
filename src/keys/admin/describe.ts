/** Keys and aliases as callers see them. */
import { aliasArn } from '../arn.ts';
import { KeysError } from '../errors.ts';
import type {
  AliasDescription,
  KeyDescription,
  MaterialDescription,
  MultiRegionDescription,
  RegionalKeyName,
} from './key-admin.ts';
import { expirationOf } from '../import/availability.ts';
import type { HeldKey, HeldMaterial, KeyRing } from '../key-ring.ts';
import type { AliasRecord } from '../records.ts';

export function describeKey(ring: KeyRing, key: HeldKey): KeyDescription {
  const { keyId, description, spec, usage, origin, createdAt, deletionDate, deletionDays, management } = key.record;
  const state = key.state();
  return {
    keyId,
    arn: key.arn,
    state,
    enabled: state === 'enabled',
    description,
    spec,
    usage,
    origin,
    createdAt,
    aliases: ring.aliasesOf(keyId),
    management,
    currentMaterialId: key.current?.name,
    materials: [...key.materials.values()].map(describeMaterial),
    deletionDate,
    deletionDays,
    multiRegion: describeRelated(ring, key),
    expiration: expirationOf(key),
  };
}

function describeRelated(ring: KeyRing, { record }: HeldKey): MultiRegionDescription | undefined {
  if (record.multiRegion === undefined) return undefined;
  const related = ring.related(record.keyId);
  const primary = related.find((each) => each.record.multiRegion === 'primary');
  // A primary outlives its replicas.
  if (primary === undefined) throw new KeysError('ERR_KEYS_STORE_DAMAGED', `${record.keyId} has no primary key`);
  const replicas = related.filter((each) => each !== primary);
  return { type: record.multiRegion, primary: nameOf(primary), replicas: replicas.map(nameOf) };
}

function nameOf({ arn, regionName }: HeldKey): RegionalKeyName {
  return { arn, region: regionName };
}

function describeMaterial({ name, record }: HeldMaterial): MaterialDescription {
  const { version, state, createdAt, stillOpens, history } = record;
  return { materialId: name, version, state, createdAt, stillOpens, history };
}

export function describeAlias(ring: KeyRing, alias: AliasRecord): AliasDescription {
  const { aliasName, keyId, createdAt, updatedAt } = alias;
  return { aliasName, aliasArn: aliasArn(ring.realm, aliasName), targetKeyId: keyId, createdAt, updatedAt };
}
