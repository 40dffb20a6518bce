/** KMS keys, materials and aliases as the store holds them, and their rows. */
import { KeysError } from './errors.ts';
import { isKeyState, isMaterialState, type KeyState, type MaterialState } from './life/key-states.ts';
import { MATERIAL_ID_BYTES } from '../envelope/wrapped-key.ts';
import { isKeySpec, isUsageOf, type KeySpec, type KeyUsage } from './key-kinds.ts';
import { CUSTOMER, isManagingService, type KeyManagement } from './managed/management.ts';
import { encodeHistory, impliedHistory, parseHistory, type MaterialTransition } from './life/material-history.ts';
import { materialRowId, parseMaterialRowId, parseRowName, rowName, type RowRegion } from './regions/row-names.ts';
import type { Slot, SlotType } from './root/slots.ts';
import { bytes, integer, text } from './stores/columns.ts';
import { optionalInteger, optionalText } from './stores/columns.ts';
import type { Row } from './stores/row-mac.ts';

/** Who made its materials: we, or whoever imports them. */
export type KeyOrigin = 'AWS_KMS' | 'EXTERNAL';

/** Its place among the keys of the same id in other regions. */
export type MultiRegionType = 'primary' | 'replica';

export type KeyRecord = {
  readonly keyId: string;
  readonly region: RowRegion;
  /** Undefined: it is of its region alone, for ever. */
  readonly multiRegion: MultiRegionType | undefined;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  readonly origin: KeyOrigin;
  readonly description: string;
  readonly state: KeyState;
  readonly stateSince: string;
  /** Undefined: it is to be imported, and never was. */
  readonly currentMaterial: Uint8Array | undefined;
  readonly createdAt: string;
  /** The policy document; undefined: the default one. */
  readonly policy: string | undefined;
  readonly tags: readonly Tag[];
  /** When it is destroyed, while pending deletion; when it was, once deleted. */
  readonly deletionDate: string | undefined;
  /** Pending the deletion of its replicas: how long it waits after that. */
  readonly deletionDays: number | undefined;
  /** Automatic rotation; undefined: off. */
  readonly rotation: AutomaticRotation | undefined;
  readonly management: KeyManagement;
};

export type Tag = { readonly key: string; readonly value: string };
export type AutomaticRotation = { readonly periodDays: number; readonly nextAt: string };

/** How a material came to be current; undefined for a key's first. */
export type RotationType = 'on-demand' | 'automatic';

export type MaterialRecord = {
  readonly materialId: Uint8Array;
  readonly keyId: string;
  readonly region: RowRegion;
  readonly version: number;
  readonly state: MaterialState;
  readonly stateSince: string;
  readonly stateReason: string;
  readonly createdAt: string;
  /** The key's secret, sealed under the root; empty, as is `canary`: destroyed, or to be imported again. */
  readonly wrapped: Uint8Array;
  /** A known text that the material has wrapped, its MAC, or the public key of a pair: it tries the material. */
  readonly canary: Uint8Array;
  readonly rotation: RotationType | undefined;
  /** When it became current, where that was not when it was made. */
  readonly rotatedAt: string | undefined;
  /** Imported: when it ends; undefined: never. */
  readonly validTo: string | undefined;
  /** Imported: as the importer described it. */
  readonly description: string | undefined;
  /** Oldest first; the last is what it is now. */
  readonly history: readonly MaterialTransition[];
  /** Compromised, and an operator has taken the risk of opening what it protected. */
  readonly stillOpens: boolean;
};

export type AliasRecord = {
  readonly aliasName: string;
  readonly keyId: string;
  readonly region: RowRegion;
  readonly createdAt: string;
  /** When it was last pointed at a key. */
  readonly updatedAt: string;
};

export function keyRow(key: KeyRecord): Row {
  return {
    key_id: rowName(key.keyId, key.region),
    spec: key.spec,
    usage: key.usage,
    origin: key.origin,
    description: key.description,
    state: key.state,
    state_since: key.stateSince,
    current_material: new Uint8Array(key.currentMaterial ?? []),
    created_at: key.createdAt,
    policy: key.policy ?? null,
    tags: key.tags.length === 0 ? null : JSON.stringify(key.tags.map((tag) => [tag.key, tag.value])),
    deletion_date: key.deletionDate ?? null,
    rotation_days: key.rotation?.periodDays ?? null,
    next_rotation: key.rotation?.nextAt ?? null,
    multi_region: key.multiRegion ?? null,
    deletion_days: key.deletionDays ?? null,
    ...managementColumns(key.management),
  };
}

export function parseKeyRow(row: Row): KeyRecord {
  const state = text(row, 'state');
  if (!isKeyState(state)) throw unknownValue('keys', 'state');
  const spec = text(row, 'spec');
  if (!isKeySpec(spec)) throw unknownValue('keys', 'spec');
  const usage = text(row, 'usage');
  if (!isUsageOf(spec, usage)) throw unknownValue('keys', 'usage');
  const origin = text(row, 'origin');
  if (origin !== 'AWS_KMS' && origin !== 'EXTERNAL') throw unknownValue('keys', 'origin');
  const multiRegion = optionalText(row, 'multi_region');
  if (!isMultiRegionType(multiRegion)) throw unknownValue('keys', 'multi_region');
  const currentMaterial = bytes(row, 'current_material');
  const { name: keyId, region } = parseRowName(text(row, 'key_id'));
  return {
    keyId,
    region,
    multiRegion,
    spec,
    usage,
    origin,
    description: text(row, 'description'),
    state,
    stateSince: text(row, 'state_since'),
    currentMaterial: currentMaterial.length === 0 ? undefined : currentMaterial,
    createdAt: text(row, 'created_at'),
    policy: optionalText(row, 'policy'),
    tags: parseTags(optionalText(row, 'tags')),
    deletionDate: optionalText(row, 'deletion_date'),
    deletionDays: optionalInteger(row, 'deletion_days'),
    rotation: parseRotation(row),
    management: parseManagement(row),
  };
}

function isMultiRegionType(stored: string | undefined): stored is MultiRegionType | undefined {
  return stored === undefined || stored === 'primary' || stored === 'replica';
}

function managementColumns(management: KeyManagement): Row {
  if (management.type === 'customer') return { manager: null, manages_for: null };
  return {
    manager: management.type,
    manages_for: management.type === 'service' ? management.service : management.purpose,
  };
}

function parseManagement(row: Row): KeyManagement {
  const manager = optionalText(row, 'manager');
  if (manager === undefined) return CUSTOMER;
  const what = text(row, 'manages_for');
  if (manager === 'owned') return { type: 'owned', purpose: what };
  if (manager !== 'service' || !isManagingService(what)) throw unknownValue('keys', 'manager');
  return { type: 'service', service: what };
}

function parseTags(stored: string | undefined): readonly Tag[] {
  if (stored === undefined) return [];
  // The row is authenticated: it is what `keyRow` wrote.
  const pairs = JSON.parse(stored) as readonly (readonly [string, string])[];
  return pairs.map(([key, value]) => ({ key, value }));
}

function parseRotation(row: Row): AutomaticRotation | undefined {
  const periodDays = optionalInteger(row, 'rotation_days');
  return periodDays === undefined ? undefined : { periodDays, nextAt: text(row, 'next_rotation') };
}

export function materialRow(material: MaterialRecord): Row {
  return {
    material_id: materialRowId(material.materialId, material.region),
    key_id: rowName(material.keyId, material.region),
    version: material.version,
    state: material.state,
    state_since: material.stateSince,
    state_reason: material.stateReason,
    created_at: material.createdAt,
    wrapped: new Uint8Array(material.wrapped),
    canary: new Uint8Array(material.canary),
    rotation: material.rotation ?? null,
    rotated_at: material.rotatedAt ?? null,
    valid_to: material.validTo ?? null,
    description: material.description ?? null,
    history: encodeHistory(material.history),
    still_opens: material.stillOpens ? 1 : null,
  };
}

export function parseMaterialRow(row: Row): MaterialRecord {
  const state = text(row, 'state');
  if (!isMaterialState(state)) throw unknownValue('materials', 'state');
  const history = optionalText(row, 'history');
  const standing = {
    state,
    stateSince: text(row, 'state_since'),
    stateReason: text(row, 'state_reason'),
    createdAt: text(row, 'created_at'),
    rotatedAt: optionalText(row, 'rotated_at'),
  };
  return {
    ...parseMaterialRowId(bytes(row, 'material_id'), MATERIAL_ID_BYTES),
    keyId: parseRowName(text(row, 'key_id')).name,
    version: integer(row, 'version'),
    ...standing,
    wrapped: bytes(row, 'wrapped'),
    canary: bytes(row, 'canary'),
    rotation: parseRotationType(optionalText(row, 'rotation')),
    validTo: optionalText(row, 'valid_to'),
    description: optionalText(row, 'description'),
    history: history === undefined ? impliedHistory(standing) : parseHistory(history),
    stillOpens: optionalInteger(row, 'still_opens') === 1,
  };
}

function parseRotationType(stored: string | undefined): RotationType | undefined {
  if (stored === undefined || stored === 'on-demand' || stored === 'automatic') return stored;
  throw unknownValue('materials', 'rotation');
}

export function aliasRow(alias: AliasRecord): Row {
  const { aliasName, keyId, region, createdAt, updatedAt } = alias;
  const names = { alias_name: rowName(aliasName, region), key_id: rowName(keyId, region) };
  return { ...names, created_at: createdAt, updated_at: updatedAt };
}

export function parseAliasRow(row: Row): AliasRecord {
  const createdAt = text(row, 'created_at');
  const { name: aliasName, region } = parseRowName(text(row, 'alias_name'));
  return {
    aliasName,
    region,
    keyId: parseRowName(text(row, 'key_id')).name,
    createdAt,
    updatedAt: optionalText(row, 'updated_at') ?? createdAt,
  };
}

/** How many epochs of a purpose's service key the root gives. */
export type ServiceEpoch = { readonly purpose: string; readonly epoch: number };

export function parseServiceEpochRow(row: Row): ServiceEpoch {
  return { purpose: text(row, 'purpose'), epoch: integer(row, 'epoch') };
}

export function slotRow(slot: Slot, createdAt: string): Row {
  const { slotId, type, label, params, wrapped } = slot;
  return { slot_id: slotId, type, label, params, wrapped: new Uint8Array(wrapped), created_at: createdAt };
}

export function parseSlotRow(row: Row): Slot {
  const type = text(row, 'type');
  if (!isSlotType(type)) throw unknownValue('slots', 'type');
  return {
    slotId: text(row, 'slot_id'),
    type,
    label: text(row, 'label'),
    params: text(row, 'params'),
    wrapped: bytes(row, 'wrapped'),
  };
}

function isSlotType(type: string): type is SlotType {
  return type === 'key-file' || type === 'passphrase';
}

/** Authenticated, but of a release that knows more: never guessed at. */
function unknownValue(table: string, column: string): KeysError {
  return new KeysError('ERR_KEYS_STORE_VERSION', `${table}.${column} holds a value this release does not know`);
}
