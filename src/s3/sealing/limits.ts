/** The sealed half's limits: one line each, value as arithmetic, unit, why, source. */

/** Largest listing document: 1000 rows of a 1 KiB key, escaped up to six-fold, and 1 KiB of other elements each. */
export const MAX_LIST_BYTES = 8 * 1024 * 1024;
/** Look-ups of sizes and tokens at once for one listing: enough to hide latency, too few to be a flood. */
export const SIZE_LOOKUPS_AT_ONCE = 16;
/** Bodies up to this are sealed, or opened, whole in memory: sent with a hash over all of it, retried by the client, never half-written and never half-answered. */
export const MAX_BUFFERED_BYTES = 256 * 1024;
/** Parts of one object that the backend copies at once: enough to hide latency, too few to be a flood. */
export const PART_COPIES_AT_ONCE = 8;
/** First read of a range on an object not seen before: the header and, for most small objects, all of it. */
export const FIRST_READ_BYTES = 64 * 1024;
/** A completion that marked the upload so long ago is over, or its gateway died: longer than the largest takes (S3: "several minutes"). */
export const MARK_COUNTS_MS = 30 * 60 * 1000;
/** 10 000 is the footer's. */
export const MAX_PART_NUMBER = 9_999;
/** A backend that could not be tried is tried again after this: soon enough after an outage, seldom enough where it stays refused. */
export const PROBE_AGAIN_MS = 30 * 1000;
