/** Keys and aliases as callers see them. */
import { aliasArn } from './arn.ts';
import type { AliasDescription, KeyDescription } from './key-admin.ts';
import { expirationOf } from './import/availability.ts';
import type { HeldKey, KeyRing } from './key-ring.ts';
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
    materials: [...key.materials.values()].map(({ name, record }) => ({
      materialId: name,
      version: record.version,
      state: record.state,
      createdAt: record.createdAt,
    })),
    deletionDate,
    expiration: expirationOf(key),
  };
}

export function describeAlias(ring: KeyRing, alias: AliasRecord): AliasDescription {
  const { aliasName, keyId, createdAt, updatedAt } = alias;
  return { aliasName, aliasArn: aliasArn(ring.realm, aliasName), targetKeyId: keyId, createdAt, updatedAt };
}
