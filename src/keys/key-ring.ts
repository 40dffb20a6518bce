/** The keys of one region in memory: what the store holds, opened. Changed only after the store has the change. */
import type { Kek } from '../crypto/key-types.ts';
import type { KeyPair } from '../crypto/pairs/key-pair.ts';
import { MATERIAL_REF_BYTES, WRAPPED_KEY_FLAGS } from '../envelope/wrapped-key.ts';
import { aliasArn, keyArn, parseKeyReference, uuidToBytes, type KeyRealm, type KeyReference } from './arn.ts';
import { KeysError, UnknownArnError } from './errors.ts';
import { usableUntil } from './import/availability.ts';
import { materialAllows, shownState, type KeyState } from './life/key-states.ts';
import type { KeyUsage } from './key-kinds.ts';
import { openMaterial, type MaterialKind, type MaterialSecret, type MaterialVault } from './material.ts';
import type { AliasRecord, KeyRecord, MaterialRecord } from './records.ts';
import type { RowRegion } from './regions/row-names.ts';
import { remembered } from './remembered.ts';
import { SortedNames } from './admin/sorted-names.ts';

export type HeldMaterial = {
  readonly record: MaterialRecord;
  /** ERR_KEYS_STORE_TAMPERED where it is opened for the first time, and does not open. */
  readonly secret: MaterialSecret;
  /** Its id in hex. */ readonly name: string;
};

export type HeldKey = {
  readonly record: KeyRecord;
  readonly arn: string;
  /** As its ARN says it. */
  readonly regionName: string;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  /** Of the wrapped keys it makes: with them the 16 bytes name it. */
  readonly wrapFlags: number;
  /** Undefined: its first material is to be imported. */
  readonly current: HeldMaterial | undefined;
  /** By the reference that wrapped keys carry, in hex. */
  readonly materials: ReadonlyMap<string, HeldMaterial>;
  /** Its state now, as callers see it: what was imported may have come to its end, and material be held back. */
  readonly state: () => KeyState;
};

/** `related`: all keys of an id, whichever region they are in. */
export type RingPlace = {
  readonly region: RowRegion;
  readonly related: (keyId: string) => readonly HeldKey[];
};

export class KeyRing {
  readonly region: RowRegion;
  readonly related: RingPlace['related'];
  readonly #realm: KeyRealm;
  readonly #reference: (keyId: string) => KeyReference;
  readonly #now: () => number;
  readonly #keys = new Map<string, HeldKey>();
  readonly #keyIds = new SortedNames();
  /** By what they are for: callers name keys, and so find none of these. */
  readonly #owned = new Map<string, HeldKey>();
  readonly #aliases = new Map<string, AliasRecord>();
  readonly #aliasNames = new SortedNames();
  readonly #aliasesOf = new Map<string, Set<string>>();

  constructor(realm: KeyRealm, now: () => number, { region, related }: RingPlace) {
    this.region = region;
    this.related = related;
    this.#realm = realm;
    this.#reference = remembered((keyId) => parseKeyReference(keyId, realm));
    this.#now = now;
  }

  get realm(): KeyRealm {
    return this.#realm;
  }

  /** The key that an id, ARN or alias names; ERR_KEYS_INVALID_ID, ERR_KEYS_NOT_FOUND. */
  find(keyId: string): HeldKey {
    const reference = this.#reference(keyId);
    const id = reference.type === 'key' ? reference.keyId : this.alias(reference.aliasName).keyId;
    return this.byId(id);
  }

  byId(keyId: string): HeldKey {
    const key = this.#keys.get(keyId);
    if (key !== undefined) return key;
    const arn = keyArn(this.#realm, keyId);
    throw new UnknownArnError(arn, `Key '${arn}' does not exist`);
  }

  /** Undefined: no such key that callers may see, or none any more. */
  held(keyId: string): HeldKey | undefined {
    return this.#keys.get(keyId);
  }

  alias(aliasName: string): AliasRecord {
    const alias = this.#aliases.get(aliasName);
    if (alias !== undefined) return alias;
    const arn = aliasArn(this.#realm, aliasName);
    throw new UnknownArnError(arn, `Alias ${arn} is not found.`);
  }

  hasAlias(aliasName: string): boolean {
    return this.#aliases.has(aliasName);
  }

  /** Those that callers may see. */
  keys(): readonly HeldKey[] {
    return [...this.#keys.values()];
  }

  /** And those that we own. */
  everyKey(): readonly HeldKey[] {
    return [...this.#keys.values(), ...this.#owned.values()];
  }

  /** Whoever manages it; undefined: no such key, or none any more. */
  anyKey(keyId: string): HeldKey | undefined {
    return this.#keys.get(keyId) ?? this.ownedById(keyId);
  }

  /** By its id or ARN. */
  ownedById(keyId: string): HeldKey | undefined {
    return [...this.#owned.values()].find(({ record, arn }) => record.keyId === keyId || arn === keyId);
  }

  owned(purpose: string): HeldKey | undefined {
    return this.#owned.get(purpose);
  }

  aliases(): readonly AliasRecord[] {
    return this.aliasPage(undefined, this.#aliases.size);
  }

  /** Names, sorted. */
  aliasesOf(keyId: string): readonly string[] {
    return [...(this.#aliasesOf.get(keyId) ?? [])].sort();
  }

  /** At most `limit` keys, in the order of their ids, after the id given. */
  keyPage(after: string | undefined, limit: number): readonly HeldKey[] {
    return this.#keyIds.after(after, limit).map((keyId) => this.byId(keyId));
  }

  aliasPage(after: string | undefined, limit: number): readonly AliasRecord[] {
    return this.#aliasNames.after(after, limit).map((aliasName) => this.alias(aliasName));
  }

  putKey(record: KeyRecord, materials: readonly HeldMaterial[]): HeldKey {
    const { keyId, management } = record;
    const key = holdKey(record, materials, this.#realm, this.#now);
    if (management.type === 'owned') {
      this.#owned.set(management.purpose, key);
      return key;
    }
    if (!this.#keys.has(keyId)) this.#keyIds.add(keyId);
    this.#keys.set(keyId, key);
    return key;
  }

  /** Its aliases must be gone. */
  deleteKey(keyId: string): void {
    this.#keys.delete(keyId);
    this.#keyIds.delete(keyId);
  }

  putAlias(alias: AliasRecord): void {
    const { aliasName, keyId } = alias;
    const old = this.#aliases.get(aliasName);
    if (old === undefined) this.#aliasNames.add(aliasName);
    else this.#takeAlias(aliasName, old.keyId);
    this.#aliases.set(aliasName, alias);
    const names = this.#aliasesOf.get(keyId) ?? new Set();
    this.#aliasesOf.set(keyId, names.add(aliasName));
    this.#renew(keyId);
  }

  deleteAlias(aliasName: string): void {
    this.#takeAlias(aliasName, this.alias(aliasName).keyId);
    this.#aliases.delete(aliasName);
    this.#aliasNames.delete(aliasName);
  }

  #takeAlias(aliasName: string, keyId: string): void {
    this.#aliasesOf.get(keyId)?.delete(aliasName);
    this.#renew(keyId);
  }

  /** A key whose aliases changed is another object: what was decided on the old one is decided anew. */
  #renew(keyId: string): void {
    const key = this.#keys.get(keyId);
    if (key !== undefined) this.#keys.set(keyId, { ...key });
  }
}

function holdKey(record: KeyRecord, materials: readonly HeldMaterial[], realm: KeyRealm, now: () => number): HeldKey {
  const currentName = Buffer.from(record.currentMaterial ?? []).toString('hex');
  const byRef = new Map(materials.map((material) => [material.name.slice(0, 2 * MATERIAL_REF_BYTES), material]));
  const current = materials.find((material) => material.name === currentName);
  const lacksCurrent = current === undefined && (record.origin === 'AWS_KMS' || record.currentMaterial !== undefined);
  if (lacksCurrent || byRef.size !== materials.length) {
    throw new KeysError('ERR_KEYS_STORE_DAMAGED', `key ${record.keyId} lacks its current material`);
  }
  const until = usableUntil(record, materials);
  const isSwitchable = record.state === 'enabled' || record.state === 'disabled';
  const shown = current === undefined ? record.state : shownState(record.state, current.record);
  const state = (): KeyState => (isSwitchable && now() >= until ? 'pending-import' : shown);
  return {
    record,
    arn: keyArn(realm, record.keyId),
    regionName: realm.region,
    uuid: uuidToBytes(record.keyId),
    wrapFlags: record.multiRegion === undefined ? 0 : WRAPPED_KEY_FLAGS.multiRegion,
    current,
    materials: byRef,
    state,
  };
}

export function holdMaterial(record: MaterialRecord, owner: MaterialKind, vault: MaterialVault): HeldMaterial {
  return { record, secret: openMaterial(record, owner, vault), name: Buffer.from(record.materialId).toString('hex') };
}

/** A material that is opened and tried when it is first used, once. */
export function unopenedMaterial(record: MaterialRecord, owner: MaterialKind, vault: MaterialVault): HeldMaterial {
  let secret: MaterialSecret | undefined;
  return {
    record,
    name: Buffer.from(record.materialId).toString('hex'),
    get secret() {
      secret ??= openMaterial(record, owner, vault);
      return secret;
    },
  };
}

/** Whether the key may be used at all; ERR_KEYS_DISABLED, ERR_KEYS_INVALID_STATE. */
export function assertKeyUsable(key: HeldKey): void {
  const state = key.state();
  if (state === 'enabled') return;
  if (state === 'disabled') throw new KeysError('ERR_KEYS_DISABLED', `${key.arn} is disabled.`);
  throw stateRefuses(key);
}

/** For what a key is told besides, as its names and tags, whatever it can be used for; ERR_KEYS_INVALID_STATE. */
export function assertKeyChangeable(key: HeldKey): void {
  if (key.state() !== 'pending-import') assertKeySwitchable(key);
}

/** Whether it is enabled or disabled, and can be made the other; ERR_KEYS_INVALID_STATE. */
export function assertKeySwitchable(key: HeldKey): void {
  const state = key.state();
  if (state !== 'enabled' && state !== 'disabled') throw stateRefuses(key);
}

/** In AWS's words, which clients look for. */
export function stateRefuses(key: HeldKey): KeysError {
  return new KeysError('ERR_KEYS_INVALID_STATE', `${key.arn} is ${key.state().replaceAll('-', ' ')}.`);
}

/** Of a key that was asserted to be usable. */
export function currentOf(key: HeldKey): HeldMaterial {
  if (key.current !== undefined) return key.current;
  throw stateRefuses(key);
}

/** Of a key whose usage was asserted, or that a ciphertext names: ERR_KEYS_CIPHERTEXT_INVALID, since other keys make none. */
export function kekOf({ secret }: HeldMaterial): Kek {
  if (secret.type === 'kek') return secret.kek;
  throw new KeysError('ERR_KEYS_CIPHERTEXT_INVALID', 'the wrapped key does not open');
}

/** Of a key whose usage was asserted. */
export function pairOf({ secret }: HeldMaterial): KeyPair {
  if (secret.type === 'pair') return secret;
  throw new TypeError('a key for pairs without a pair as its material');
}

/** Whether the key is one for this, whoever asks and whatever its state; ERR_KEYS_KEY_USAGE, in AWS's words. */
export function assertKeyUsage({ arn, record }: HeldKey, usage: KeyUsage, action: string): void {
  if (record.usage === usage) return;
  throw new KeysError('ERR_KEYS_KEY_USAGE', `${arn} key usage is ${record.usage} which is not valid for ${action}.`);
}

/** Whether the key wraps, as symmetric encryption keys alone do; ERR_KEYS_KEY_USAGE. */
export function assertWraps(key: HeldKey, action: string): void {
  assertKeyUsage(key, 'ENCRYPT_DECRYPT', action);
  const { spec } = key.record;
  if (spec === 'SYMMETRIC_DEFAULT') return;
  throw new KeysError('ERR_KEYS_KEY_USAGE', `${key.arn} key spec is ${spec} which is not valid for ${action}.`);
}

/** Whether the material may wrap (`protect`) or open (`process`); ERR_KEYS_INVALID_STATE. */
export function assertMaterialAllows(material: HeldMaterial, purpose: 'protect' | 'process'): void {
  if (materialAllows(material.record)[purpose]) return;
  throw new KeysError('ERR_KEYS_INVALID_STATE', `material ${material.name} is ${material.record.state}`);
}
