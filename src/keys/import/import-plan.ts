/** What an import does to a key: whose place the material takes, and in which state it and the key are then. */
import { KeysError } from '../errors.ts';
import type { HeldKey, HeldMaterial } from '../key-ring.ts';
import type { KeyRecord, MaterialRecord } from '../records.ts';
import type { RowRegion } from '../regions/row-names.ts';
import { belongs, isImported, isWaiting } from './availability.ts';
import { incorrect } from './imported-bytes.ts';
import type { ImportRequest, ImportType } from './key-import.ts';

export type ImportPlan = {
  readonly type: ImportType;
  /** Its own row, where the key had the material before. */
  readonly old: HeldMaterial | undefined;
  readonly version: number;
  readonly state: MaterialRecord['state'];
};

export const importTypeOf = ({ materials }: HeldKey, { type }: Pick<ImportRequest, 'type'>): ImportType =>
  type ?? (materials.size === 0 ? 'new' : 'existing');

/** What can be told without the material. Errors: ERR_KEYS_UNSUPPORTED, ERR_KEYS_INVALID_REQUEST. */
export function assertImportFits(key: HeldKey, request: ImportRequest): void {
  const { type, description, materialId } = request;
  const isSpecial = type !== undefined || description !== undefined || materialId !== undefined;
  if (isSpecial && key.record.spec !== 'SYMMETRIC_DEFAULT') {
    throw new KeysError(
      'ERR_KEYS_UNSUPPORTED',
      'ImportType, KeyMaterialDescription and KeyMaterialId are for symmetric encryption keys only.',
    );
  }
  if (materialId !== undefined && importTypeOf(key, request) === 'new') {
    throw new KeysError(
      'ERR_KEYS_INVALID_REQUEST',
      'KeyMaterialId cannot be specified when ImportType is NEW_KEY_MATERIAL.',
    );
  }
}

/** Errors: ERR_KEYS_INCORRECT_MATERIAL, ERR_KEYS_INVALID_STATE; ERR_KEYS_UNSUPPORTED where it is the primary key's to have it first. */
export function planImport(key: HeldKey, request: ImportRequest, materialId: string): ImportPlan {
  const type = importTypeOf(key, request);
  if (type === 'new' && key.record.multiRegion === 'replica') throw notIntoReplica(key);
  const materials = [...key.materials.values()];
  const old = materials.find(({ name }) => name === materialId);
  if (type === 'existing') {
    const isMeant = request.materialId === undefined || request.materialId === materialId;
    if (old === undefined || !isMeant) throw incorrect('The key material is not the one that was imported before.');
    return { type, old, version: old.record.version, state: old.record.state };
  }
  if (old !== undefined)
    throw incorrect(`The key material (id: ${materialId}) is already associated with the KMS key.`);
  assertNonePending(key, materials, materialId);
  const version = 1 + Math.max(0, ...materials.map(({ record }) => record.version));
  return { type, old, version, state: key.current === undefined ? 'active' : 'pre-activation' };
}

function notIntoReplica({ arn }: HeldKey): KeysError {
  return new KeysError(
    'ERR_KEYS_UNSUPPORTED',
    `${arn} is not a multi-region primary key. Import new key material into the primary key first, then the same into this one as EXISTING_KEY_MATERIAL.`,
  );
}

/** In AWS's words. */
function assertNonePending({ record }: HeldKey, materials: readonly HeldMaterial[], materialId: string): void {
  const pending = materials.find(isWaiting);
  if (pending === undefined) return;
  throw new KeysError(
    'ERR_KEYS_INVALID_STATE',
    `New key material (id: ${materialId}) cannot be imported into KMS key ${record.keyId}, because another key material (id: ${pending.name}) is pending rotation.`,
  );
}

/** The key once `made` is imported. One that was pending import is enabled by what it lacked, as AWS has it. */
export function recordAfter(
  key: HeldKey,
  made: MaterialRecord,
  others: readonly HeldMaterial[],
  now: number,
): KeyRecord {
  const { record } = key;
  const changed = key.current === undefined ? { ...record, currentMaterial: made.materialId } : record;
  const isComplete = others.every((material) => !belongs(material) || isImported(material, now));
  if (key.state() !== 'pending-import' || made.state === 'pre-activation' || !isComplete) return changed;
  return { ...changed, state: 'enabled', stateSince: new Date(now).toISOString() };
}

/** What the replicas of a key know of what was imported into it: which material it is, and nothing of its bytes. */
export function awaitedMaterial(made: MaterialRecord, region: RowRegion): MaterialRecord {
  const none = new Uint8Array();
  return { ...made, region, wrapped: none, canary: none, validTo: undefined, description: undefined };
}
