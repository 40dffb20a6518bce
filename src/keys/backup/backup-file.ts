/**
 * The backup file: `magic "SGBK" 4 | version 1 | reserved 3 | header length 4 | header (JSON) | box`. The box holds the root
 * and the whole store, sealed under a fresh backup key; the header holds that key wrapped for every slot of the store (through
 * the root) and for the passphrases and key files given when the backup was made (docs/KEYSTORE.md, "Backup").
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { hkdfSha256 } from '../../crypto/hkdf.ts';
import { KEY_BYTES, takeKey, type RootKey } from '../../crypto/key-types.ts';
import type { RandomSource } from '../../crypto/random.ts';
import { KeysError } from '../errors.ts';
import { encodeFields } from '../fields.ts';
import { MAX_BACKUP_HEADER_BYTES, MAX_SLOTS } from '../limits.ts';
import type { UnsealSecret } from '../options.ts';
import { deriveRootKeys } from '../root/root-keys.ts';
import { makeSlot, openSlots, type Slot } from '../root/slots.ts';
import { openBox, sealBox } from '../sealed-box.ts';

const MAGIC = Buffer.from('SGBK\x01\0\0\0', 'latin1');
const PREFIX_BYTES = MAGIC.length + 4;

const HEX_16_BYTES = z.string().regex(/^[0-9a-f]{32}$/);
const SLOT = z.strictObject({
  slotId: z.uuid(),
  type: z.enum(['key-file', 'passphrase']),
  label: z.string(),
  params: z.string(),
  wrapped: z.base64(),
});
const HEADER = z.strictObject({
  backupId: HEX_16_BYTES,
  storeId: HEX_16_BYTES,
  createdAt: z.iso.datetime(),
  epoch: z.number().int().positive(),
  keys: z.number().int().nonnegative(),
  materials: z.number().int().nonnegative(),
  /** The store's own slots: any of them gives the root, and the root the backup key. */
  rootSlots: z.array(SLOT).max(MAX_SLOTS),
  wrappedByRoot: z.base64(),
  /** Slots of this backup alone. */
  backupSlots: z.array(SLOT).max(MAX_SLOTS),
});
type Header = z.infer<typeof HEADER>;

/** What the header says without any key; authenticated only once the box has opened. */
export type BackupFacts = Pick<Header, 'storeId' | 'createdAt' | 'epoch' | 'keys' | 'materials'>;

/** What a backup holds; the caller zeroes `root`. */
export type BackupContent = { readonly facts: BackupFacts; readonly root: Uint8Array; readonly database: Uint8Array };

export type BackupSource = {
  readonly facts: BackupFacts;
  readonly root: RootKey;
  readonly rootSlots: readonly Slot[];
  readonly database: Uint8Array;
};

/** The bytes of a backup of `source`, openable also with each of `secrets`. */
export async function sealBackup(
  source: BackupSource,
  secrets: readonly UnsealSecret[],
  random: RandomSource,
): Promise<Uint8Array> {
  const backupKey = random(KEY_BYTES);
  const root = source.root.export();
  const payload = Buffer.concat([root, source.database]);
  try {
    const header = await sealHeader(source, secrets, backupKey, random);
    const prefix = encodePrefix(header);
    return Buffer.concat([prefix, sealBox(payloadKey(backupKey, header), prefix, payload, random)]);
  } finally {
    for (const secret of [backupKey, root, payload]) secret.fill(0);
  }
}

async function sealHeader(
  source: BackupSource,
  secrets: readonly UnsealSecret[],
  backupKey: Uint8Array,
  random: RandomSource,
): Promise<Header> {
  const id = random(16);
  const backupId = Buffer.from(id).toString('hex');
  const storeId = Buffer.from(source.facts.storeId, 'hex');
  const backupSlots: Slot[] = [];
  for (const secret of secrets) backupSlots.push(await makeSlot(secret, backupKey, { type: 'backup', id }, '', random));
  const byRoot = sealBox(
    deriveRootKeys(source.root, storeId).backup,
    keyAad(backupId, source.facts.storeId),
    backupKey,
    random,
  );
  return {
    ...source.facts,
    backupId,
    rootSlots: source.rootSlots.map(slotToJson),
    wrappedByRoot: Buffer.from(byRoot).toString('base64'),
    backupSlots: backupSlots.map(slotToJson),
  };
}

/** Errors: ERR_KEYS_BACKUP_INVALID, ERR_KEYS_UNSEAL_FAILED, unreadable secrets. */
export async function openBackup(file: Uint8Array, secrets: readonly UnsealSecret[]): Promise<BackupContent> {
  const { header, prefix, box } = parseFile(file);
  const backupKey = await openBackupKey(header, secrets);
  try {
    const payload = openBox(payloadKey(backupKey, header), prefix, box);
    if (payload === undefined || payload.length < KEY_BYTES) throw invalid();
    // A copy: `slice` of a Buffer is a view, which the next line would zero.
    const root = new Uint8Array(payload.subarray(0, KEY_BYTES));
    payload.fill(0, 0, KEY_BYTES);
    const { storeId, createdAt, epoch, keys, materials } = header;
    return { facts: { storeId, createdAt, epoch, keys, materials }, root, database: payload.subarray(KEY_BYTES) };
  } finally {
    backupKey.fill(0);
  }
}

async function openBackupKey(header: Header, secrets: readonly UnsealSecret[]): Promise<Uint8Array> {
  if (header.backupSlots.length > 0) {
    try {
      const id = Buffer.from(header.backupId, 'hex');
      return await openSlots(header.backupSlots.map(slotFromJson), secrets, { type: 'backup', id });
    } catch (error) {
      if (!(error instanceof KeysError) || error.code !== 'ERR_KEYS_UNSEAL_FAILED') throw error;
    }
  }
  const id = Buffer.from(header.storeId, 'hex');
  const root = takeKey('RootKey', await openSlots(header.rootSlots.map(slotFromJson), secrets, { type: 'root', id }));
  const aad = keyAad(header.backupId, header.storeId);
  const backupKey = openBox(deriveRootKeys(root, id).backup, aad, Buffer.from(header.wrappedByRoot, 'base64'));
  if (backupKey === undefined) throw invalid();
  return backupKey;
}

function encodePrefix(header: Header): Uint8Array {
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([MAGIC, length, json]);
}

function parseFile(file: Uint8Array): { header: Header; prefix: Uint8Array; box: Uint8Array } {
  const view = Buffer.from(file.buffer, file.byteOffset, file.length);
  if (view.length < PREFIX_BYTES || !view.subarray(0, MAGIC.length).equals(MAGIC)) throw invalid();
  const end = PREFIX_BYTES + view.readUInt32BE(MAGIC.length);
  if (end > view.length || end > MAX_BACKUP_HEADER_BYTES) throw invalid();
  return {
    header: parseHeader(view.toString('utf8', PREFIX_BYTES, end)),
    prefix: view.subarray(0, end),
    box: view.subarray(end),
  };
}

function parseHeader(json: string): Header {
  try {
    return HEADER.parse(JSON.parse(json));
  } catch {
    throw invalid();
  }
}

function payloadKey(backupKey: Uint8Array, header: Header): KeyObject {
  const bytes = hkdfSha256(backupKey, Buffer.from(header.backupId, 'hex'), 'sealgate backup payload v1', KEY_BYTES);
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

function keyAad(backupId: string, storeId: string): Uint8Array {
  return encodeFields('sealgate backup key v1', [backupId, storeId]);
}

function slotToJson(slot: Slot): z.infer<typeof SLOT> {
  return { ...slot, wrapped: Buffer.from(slot.wrapped).toString('base64') };
}

function slotFromJson(slot: z.infer<typeof SLOT>): Slot {
  return { ...slot, wrapped: Buffer.from(slot.wrapped, 'base64') };
}

function invalid(): KeysError {
  return new KeysError('ERR_KEYS_BACKUP_INVALID', 'the file is no whole backup, or was changed');
}
