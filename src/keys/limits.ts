/** Every bound of the key manager, once. */
import type { DekCacheLimits } from './options.ts';

/** A cached DEK is used at most this long and this often before it is unwrapped again (field notes 5.2), and 10,000 at most (about 5 MB). */
export const DEK_CACHE_DEFAULTS: DekCacheLimits = { maxAgeMs: 5 * 60_000, maxUses: 1000, maxEntries: 10_000 };

/** Slots tried or held, so that a crafted store cannot make opening it endless. */
export const MAX_SLOTS = 32;
export const MIN_PASSPHRASE_BYTES = 12;
export const MAX_PASSPHRASE_BYTES = 4096;

/** AWS KMS quotas (field notes 2.3). */
export const MAX_DESCRIPTION_CHARS = 8192;
export const MAX_ALIAS_CHARS = 256;

export const MAX_TAGS_PER_KEY = 50;
export const MAX_ALIASES_PER_KEY = 50;
export const MAX_GRANTS_PER_KEY = 50_000;
export const MIN_DELETION_WINDOW_DAYS = 7;
export const MAX_DELETION_WINDOW_DAYS = 30;
export const MIN_ROTATION_DAYS = 90;
export const MAX_ROTATION_DAYS = 2560;
/** Where nobody says another; of keys that our services manage always. */
export const DEFAULT_ROTATION_DAYS = 365;
export const MAX_ON_DEMAND_ROTATIONS = 25;
/** So shortly before an automatic rotation none is made on demand. */
export const ROTATION_CONFLICT_MS = 20 * 60_000;
/** Parameters for import are good so long (AWS). */
export const IMPORT_TOKEN_MS = 24 * 60 * 60_000;
/** Imported material ends at most so many days after its import (AWS). */
export const MAX_IMPORT_DAYS = 365;
/** Of one material; bounds its history, which lies in its row. Whoever needs more needs a new key. */
export const MAX_REACTIVATIONS = 100;
export const MAX_REASON_CHARS = 500;
export const MAX_RANDOM_BYTES = 1024;
export const DAY_MS = 24 * 60 * 60_000;

/** From here on SQLite's check of a store's file, some 1.5 ms for each MiB, runs on a thread of its own; starting that takes 40 ms. */
export const CHECK_BESIDE_BYTES = 64 * 1024 * 1024;

/** A backup is sealed in one piece in memory; 100,000 keys take about 100 MiB. */
export const MAX_BACKUP_BYTES = 1024 * 1024 * 1024;
export const MAX_BACKUP_HEADER_BYTES = 1024 * 1024;

/** How much the audit writer lets wait for one write before it writes: bounds memory and the size of one group commit. */
export const MAX_AUDIT_BATCH_RECORDS = 4096;
/** Of a message that is authenticated. */
export const MAX_MESSAGE_BYTES = 4096;
/** One line of the audit log; longer ones are not ours. Context is at most 6 KiB of text in a KMS request. */
export const MAX_AUDIT_LINE_BYTES = 256 * 1024;
/** In `write` mode the log is synced, and its head remembered, this often. */
export const AUDIT_SYNC_INTERVAL_MS = 1000;
/** Where the log could not be rotated it is tried again after so many bytes. */
export const ROTATION_RETRY_BYTES = 16 * 1024 * 1024;
/** A signed checkpoint follows after so many records, and after so much time in which any was written. */
export const CHECKPOINT_RECORDS = 10_000;
export const CHECKPOINT_INTERVAL_MS = 60_000;
