/**
 * Unseal slots: one secret (the store's root, or a backup's key) wrapped independently by each of several others, so that any
 * one of them suffices. A slot's AAD holds everything about it, its KDF parameters included (docs/KEYSTORE.md, "Slots").
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { concatBytes, equalBytes } from '../../crypto/bytes.ts';
import { hkdfSha256 } from '../../crypto/hkdf.ts';
import { KEY_BYTES } from '../../crypto/key-types.ts';
import type { RandomSource } from '../../crypto/random.ts';
import { bytesToUuid, newKeyUuid, uuidToBytes } from '../arn.ts';
import { KeysError } from '../errors.ts';
import { encodeFields } from '../fields.ts';
import { MAX_SLOTS } from '../limits.ts';
import type { UnsealSecret } from '../options.ts';
import { openBox, sealBox, BOX_OVERHEAD } from '../sealed-box.ts';
import { readKeyFile, type KeyFile } from './key-file.ts';
import { newPassphraseParameters, parsePassphraseParameters, readPassphrase, stretchPassphrase } from './passphrase.ts';

export type SlotType = 'key-file' | 'passphrase';

/** A slot as stored: nothing in it is secret. */
export type Slot = {
  /** UUID. */
  readonly slotId: string;
  readonly type: SlotType;
  readonly label: string;
  /** JSON, kept as the text that is authenticated. */
  readonly params: string;
  /** `commitment 32 | iv 12 | ciphertext 32 | tag 16`. */
  readonly wrapped: Uint8Array;
};

/** What a slot's secret opens: separates a store's root from a backup's key. */
export type SlotPurpose = { readonly type: 'root' | 'backup'; readonly id: Uint8Array };

const COMMITMENT_BYTES = 32;
export const SLOT_WRAPPED_BYTES = COMMITMENT_BYTES + KEY_BYTES + BOX_OVERHEAD;

type SlotKey = { readonly wrap: KeyObject; readonly commitment: Uint8Array };

/** Wraps `target` (32 bytes, left as it is) for one more secret. */
export async function makeSlot(
  secret: UnsealSecret,
  target: Uint8Array,
  purpose: SlotPurpose,
  label: string,
  random: RandomSource,
): Promise<Slot> {
  const slotId = newKeyUuid(random);
  const { type, params, input } = await newSlotInput(secret, random);
  try {
    const key = slotKey(input, slotId, purpose);
    const slot = { slotId, type, label, params };
    const box = sealBox(key.wrap, slotAad(slot, purpose), target, random);
    return { ...slot, wrapped: concatBytes(key.commitment, box) };
  } finally {
    input.fill(0);
  }
}

type SlotInput = { readonly type: SlotType; readonly params: string; readonly input: Uint8Array };

async function newSlotInput(secret: UnsealSecret, random: RandomSource): Promise<SlotInput> {
  if (secret.type === 'key-file') {
    const file = readKeyFile(secret.path);
    return { type: 'key-file', params: JSON.stringify({ fileId: bytesToUuid(file.fileId) }), input: file.secret };
  }
  const params = newPassphraseParameters(random);
  const passphrase = readPassphrase(secret);
  try {
    return {
      type: 'passphrase',
      params,
      input: await stretchPassphrase(passphrase, parsePassphraseParameters(params)),
    };
  } finally {
    passphrase.fill(0);
  }
}

/**
 * The 32 bytes that any of `secrets` opens from any of `slots`; the caller zeroes them. Errors: ERR_KEYS_UNSEAL_FAILED, or
 * what kept a secret or slot from being tried (unreadable file, parameters out of bounds); ERR_KEYS_SECRET_PERMISSIONS at once.
 */
export async function openSlots(
  slots: readonly Slot[],
  secrets: readonly UnsealSecret[],
  purpose: SlotPurpose,
): Promise<Uint8Array> {
  let obstacle: KeysError | undefined;
  for (const secret of secrets) {
    try {
      const target = await trySecret(secret, slots.slice(0, MAX_SLOTS), purpose);
      if (target !== undefined) return target;
    } catch (error) {
      if (!(error instanceof KeysError) || error.code === 'ERR_KEYS_SECRET_PERMISSIONS') throw error;
      obstacle ??= error;
    }
  }
  throw (
    obstacle ??
    new KeysError(
      'ERR_KEYS_UNSEAL_FAILED',
      `${secrets.map(nameOf).join(', ') || 'no secret'}: opens none of ${slots.length} slot(s)`,
    )
  );
}

function nameOf(secret: UnsealSecret): string {
  if (secret.type === 'passphrase') return 'the passphrase';
  return `${secret.type === 'key-file' ? 'key file' : 'passphrase of'} ${secret.path}`;
}

async function trySecret(
  secret: UnsealSecret,
  slots: readonly Slot[],
  purpose: SlotPurpose,
): Promise<Uint8Array | undefined> {
  return secret.type === 'key-file'
    ? tryKeyFile(readKeyFile(secret.path), slots, purpose)
    : tryPassphrase(readPassphrase(secret), slots, purpose);
}

function tryKeyFile(file: KeyFile, slots: readonly Slot[], purpose: SlotPurpose): Uint8Array | undefined {
  try {
    for (const slot of slots) {
      const target = slot.type === 'key-file' ? openSlot(slot, file.secret, purpose) : undefined;
      if (target !== undefined) return target;
    }
    return undefined;
  } finally {
    file.secret.fill(0);
  }
}

async function tryPassphrase(
  passphrase: Uint8Array,
  slots: readonly Slot[],
  purpose: SlotPurpose,
): Promise<Uint8Array | undefined> {
  let obstacle: KeysError | undefined;
  try {
    for (const slot of slots) {
      if (slot.type !== 'passphrase') continue;
      try {
        const target = await openPassphraseSlot(slot, passphrase, purpose);
        if (target !== undefined) return target;
      } catch (error) {
        // One slot's bad parameters do not keep another from opening.
        if (!(error instanceof KeysError)) throw error;
        obstacle ??= error;
      }
    }
  } finally {
    passphrase.fill(0);
  }
  if (obstacle !== undefined) throw obstacle;
  return undefined;
}

async function openPassphraseSlot(
  slot: Slot,
  passphrase: Uint8Array,
  purpose: SlotPurpose,
): Promise<Uint8Array | undefined> {
  const input = await stretchPassphrase(passphrase, parsePassphraseParameters(slot.params));
  try {
    return openSlot(slot, input, purpose);
  } finally {
    input.fill(0);
  }
}

function openSlot(slot: Slot, input: Uint8Array, purpose: SlotPurpose): Uint8Array | undefined {
  if (slot.wrapped.length !== SLOT_WRAPPED_BYTES) return undefined;
  const key = slotKey(input, slot.slotId, purpose);
  if (!equalBytes(key.commitment, slot.wrapped.subarray(0, COMMITMENT_BYTES))) return undefined;
  return openBox(key.wrap, slotAad(slot, purpose), slot.wrapped.subarray(COMMITMENT_BYTES));
}

/** Committing: without it one ciphertext could be made to open under many guessed passphrases at once (partitioning oracle). */
function slotKey(input: Uint8Array, slotId: string, purpose: SlotPurpose): SlotKey {
  const info = encodeFields('sealgate slot v1', [purpose.type, purpose.id]);
  const bytes = hkdfSha256(input, uuidToBytes(slotId), info, KEY_BYTES + COMMITMENT_BYTES);
  try {
    return { wrap: createSecretKey(bytes.subarray(0, KEY_BYTES)), commitment: bytes.slice(KEY_BYTES) };
  } finally {
    bytes.fill(0);
  }
}

function slotAad(slot: Omit<Slot, 'wrapped'>, purpose: SlotPurpose): Uint8Array {
  return encodeFields('sealgate slot aad v1', [
    purpose.type,
    purpose.id,
    slot.slotId,
    slot.type,
    slot.label,
    slot.params,
  ]);
}
