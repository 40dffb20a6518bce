/** Keys and aliases as callers see them. */
import { aliasArn } from './arn.ts';
import type { AliasDescription, KeyDescription, MaterialDescription } from './key-admin.ts';
import { expirationOf } from './import/availability.ts';
import type { HeldKey, HeldMaterial, KeyRing } from './key-ring.ts';
import type { AliasRecord } from './records.ts';

export function describeKey(ring: KeyRing, key: HeldKey): KeyDescription {
  const { keyId, description, spec, usage, origin, createdAt, deletionDate } = key.record;
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
    currentMaterialId: key.current?.name,
    materials: [...key.materials.values()].map(describeMaterial),
    deletionDate,
    expiration: expirationOf(key),
  };
}

function describeMaterial({ name, record }: HeldMaterial): MaterialDescription {
  const { version, state, createdAt, stillOpens, history } = record;
  return { materialId: name, version, state, createdAt, stillOpens, history };
}

export function describeAlias(ring: KeyRing, alias: AliasRecord): AliasDescription {
  const { aliasName, keyId, createdAt, updatedAt } = alias;
  return { aliasName, aliasArn: aliasArn(ring.realm, aliasName), targetKeyId: keyId, createdAt, updatedAt };
}
