/**
 * Signed checkpoints: records that say, under a key whose public half anybody may have, how the chain went up to them. The MACs of
 * records are checked by who holds a secret of the store; whoever holds neither can check the chain by its hashes up to the last
 * checkpoint (docs/KEYSTORE.md, "Audit log").
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { ED25519_SIGNATURE_BYTES, ed25519PublicBytes, signEd25519, verifyEd25519 } from '../../crypto/ed25519.ts';
import { encodeFields } from '../fields.ts';
import type { AuditIdentity } from './identity.ts';
import { ownEntry } from './own-entries.ts';
import type { AuditEntry, AuditHead } from './record.ts';

export const CHECKPOINT_ACTION = 'AuditCheckpoint';

/** What a checkpoint says: which store's log, its own number, and the hash of the line before it. */
export type CheckpointClaim = { readonly storeId: Uint8Array; readonly seq: number; readonly prevHash: Uint8Array };

/** The record that follows `head`. */
export function checkpointEntry(
  { storeId, signer }: AuditIdentity,
  { seq, hash }: AuditHead,
  nowMs: number,
): AuditEntry {
  const signature = signEd25519(signer, signedBytes({ storeId, seq: seq + 1, prevHash: hash }));
  const detail = {
    store: hex(storeId),
    publicKey: hex(ed25519PublicBytes(signer)),
    signature: Buffer.from(signature).toString('base64url'),
  };
  return ownEntry({ action: CHECKPOINT_ACTION, why: 'signed by the store', result: 'success', detail }, nowMs);
}

/** Whether the signature in a checkpoint's record is of this claim. */
export function isSigned(publicKey: KeyObject, claim: CheckpointClaim, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64url');
  if (bytes.length !== ED25519_SIGNATURE_BYTES || bytes.toString('base64url') !== signature) return false;
  return verifyEd25519(publicKey, signedBytes(claim), bytes);
}

/** The public half of a store's checkpoint key: 32 bytes, to be kept where the log's writer cannot reach. */
export function checkpointKey({ signer }: AuditIdentity): { readonly key: KeyObject; readonly hex: string } {
  return { key: createPublicKey(signer), hex: hex(ed25519PublicBytes(signer)) };
}

function signedBytes({ storeId, seq, prevHash }: CheckpointClaim): Uint8Array {
  return encodeFields('sealgate audit checkpoint v1', [storeId, seq, prevHash]);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
