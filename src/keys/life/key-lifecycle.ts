/** How keys change with time: rotation, and deletion after a waiting period. For the KMS edge and the owner's schedule. */
import type { KeyUse } from '../uses/data-keys.ts';
import type { Page, PageRequest } from '../admin/key-settings.ts';
import type { RotationType } from '../records.ts';

export type RotationStatus = {
  readonly keyId: string;
  readonly enabled: boolean;
  readonly periodDays: number | undefined;
  readonly nextAt: string | undefined;
};

export type RotationDescription = {
  readonly materialId: string;
  readonly state: 'current' | 'non-current' | 'pending-rotation' | 'pending-import-and-rotation';
  /** Undefined for a key's first material. */
  readonly rotatedAt: string | undefined;
  readonly type: RotationType | undefined;
  /** Undefined: we made it. */
  readonly imported: ImportDescription | undefined;
};

/** Of imported material. */
export type ImportDescription = {
  /** Whether its bytes are there, and have not come to their end. */
  readonly isHere: boolean;
  /** Undefined: never. */
  readonly validTo: string | undefined;
  readonly description: string | undefined;
};

export type ScheduledDeletion = {
  readonly arn: string;
  readonly state: 'pending-deletion' | 'pending-replica-deletion';
  /** Undefined: it is known when the last replica is gone. */
  readonly deletionDate: string | undefined;
};

/** What the schedule did, by key ARN. */
export type DueWork = {
  readonly rotated: readonly string[];
  readonly destroyed: readonly string[];
  /** Of which imported material was deleted, as its importer had said. */
  readonly expired: readonly string[];
  /** What could not be done now, and is due still. */
  readonly failed: readonly { readonly key: string; readonly error: unknown }[];
};

/**
 * Every method rejects with a KeysError and resolves only after the change is durable and its audit record is written. `keyId` is
 * a key id or key ARN: here an alias names nothing (ERR_KEYS_INVALID_ID).
 */
export interface KeyLifecycle {
  /** From now on the key does nothing; it is destroyed when the days (7 to 30) are over, unless that is cancelled before. */
  scheduleDeletion(request: { keyId: string; days: number }, use: KeyUse): Promise<ScheduledDeletion>;
  /** The key is disabled afterwards. */
  cancelDeletion(keyId: string, use: KeyUse): Promise<{ arn: string }>;
  /** The first rotation comes `periodDays` (90 to 2560) from now. */
  enableRotation(request: { keyId: string; periodDays: number }, use: KeyUse): Promise<void>;
  disableRotation(keyId: string, use: KeyUse): Promise<void>;
  rotationStatus(keyId: string, use: KeyUse): Promise<RotationStatus>;
  /** As KeyAdmin's `rotateKey`, and no alias will do. ERR_KEYS_LIMIT, ERR_KEYS_CONFLICT. */
  rotateOnDemand(keyId: string, use: KeyUse): Promise<{ keyId: string }>;
  /** Oldest first; `all` includes the key's first material. `after` is a material id. */
  rotations(
    request: { keyId: string; all: boolean } & PageRequest,
    use: KeyUse,
  ): Promise<Page<RotationDescription> & { readonly keyId: string }>;
}
