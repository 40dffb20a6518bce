/** KMS keys, materials and aliases as the store holds them, and their rows. */
import { KeysError } from './errors.ts';
import { isKeyState, isMaterialState, type KeyState, type MaterialState } from './key-states.ts';
import type { Slot, SlotType } from './root/slots.ts';
import { bytes, integer, text } from './stores/key-database.ts';
import type { Row } from './stores/row-mac.ts';

export type KeyRecord = {
  readonly keyId: string;
  readonly spec: 'SYMMETRIC_DEFAULT';
  readonly usage: 'ENCRYPT_DECRYPT';
  readonly origin: 'AWS_KMS';
  readonly description: string;
  readonly state: KeyState;
  readonly stateSince: string;
  readonly currentMaterial: Uint8Array;
  readonly createdAt: string;
};

export type MaterialRecord = {
  readonly materialId: Uint8Array;
  readonly keyId: string;
  readonly version: number;
  readonly state: MaterialState;
  readonly stateSince: string;
  readonly stateReason: string;
  readonly createdAt: string;
  /** The KEK, sealed under the root. */
  readonly wrapped: Uint8Array;
  /** A known text wrapped under the KEK: opening it tries the material. */
  readonly canary: Uint8Array;
};

export type AliasRecord = { readonly aliasName: string; readonly keyId: string; readonly createdAt: string };

export function keyRow(key: KeyRecord): Row {
  return {
    key_id: key.keyId,
    spec: key.spec,
    usage: key.usage,
    origin: key.origin,
    description: key.description,
    state: key.state,
    state_since: key.stateSince,
    current_material: new Uint8Array(key.currentMaterial),
    created_at: key.createdAt,
  };
}

export function parseKeyRow(row: Row): KeyRecord {
  const state = text(row, 'state');
  if (!isKeyState(state)) throw unknownValue('keys', 'state');
  return {
    keyId: text(row, 'key_id'),
    spec: expected(row, 'spec', 'SYMMETRIC_DEFAULT'),
    usage: expected(row, 'usage', 'ENCRYPT_DECRYPT'),
    origin: expected(row, 'origin', 'AWS_KMS'),
    description: text(row, 'description'),
    state,
    stateSince: text(row, 'state_since'),
    currentMaterial: bytes(row, 'current_material'),
    createdAt: text(row, 'created_at'),
  };
}

export function materialRow(material: MaterialRecord): Row {
  return {
    material_id: new Uint8Array(material.materialId),
    key_id: material.keyId,
    version: material.version,
    state: material.state,
    state_since: material.stateSince,
    state_reason: material.stateReason,
    created_at: material.createdAt,
    wrapped: new Uint8Array(material.wrapped),
    canary: new Uint8Array(material.canary),
  };
}

export function parseMaterialRow(row: Row): MaterialRecord {
  const state = text(row, 'state');
  if (!isMaterialState(state)) throw unknownValue('materials', 'state');
  return {
    materialId: bytes(row, 'material_id'),
    keyId: text(row, 'key_id'),
    version: integer(row, 'version'),
    state,
    stateSince: text(row, 'state_since'),
    stateReason: text(row, 'state_reason'),
    createdAt: text(row, 'created_at'),
    wrapped: bytes(row, 'wrapped'),
    canary: bytes(row, 'canary'),
  };
}

export function aliasRow(alias: AliasRecord): Row {
  return { alias_name: alias.aliasName, key_id: alias.keyId, created_at: alias.createdAt };
}

export function parseAliasRow(row: Row): AliasRecord {
  return { aliasName: text(row, 'alias_name'), keyId: text(row, 'key_id'), createdAt: text(row, 'created_at') };
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

function expected<Text extends string>(row: Row, column: string, value: Text): Text {
  if (text(row, column) !== value) throw unknownValue('keys', column);
  return value;
}

/** Authenticated, but of a release that knows more: never guessed at. */
function unknownValue(table: string, column: string): KeysError {
  return new KeysError('ERR_KEYS_STORE_VERSION', `${table}.${column} holds a value this release does not know`);
}
