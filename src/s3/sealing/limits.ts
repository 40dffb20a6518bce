/** The sealed half's limits: one line each, value as arithmetic, unit, why, source. */

/** Largest listing document: 1000 rows of a 1 KiB key, escaped up to six-fold, and 1 KiB of other elements each. */
export const MAX_LIST_BYTES = 8 * 1024 * 1024;
/** Look-ups of sizes and tokens at once for one listing: enough to hide latency, too few to be a flood. */
export const SIZE_LOOKUPS_AT_ONCE = 16;
/** Bodies up to this are sealed, or opened, whole in memory: sent with a hash over all of it, retried by the client, never half-written and never half-answered. */
export const MAX_BUFFERED_BYTES = 256 * 1024;
/** Headers of parts of one object that are read at once, where its list has no room for their lengths: enough to hide latency, too few to be a flood. */
export const PART_LOOKUPS_AT_ONCE = 16;
/** Parts of one object that the backend copies at once: enough to hide latency, too few to be a flood. */
export const PART_COPIES_AT_ONCE = 8;
/** First read of a range on an object not seen before: the header and, for most small objects, all of it. */
export const FIRST_READ_BYTES = 64 * 1024;
/** While it completes, a gateway renews its mark so often: a PUT of nothing. */
export const MARK_RENEWED_MS = 60 * 1000;
/**
 * A mark that was not renewed for so long is of a gateway that died: counted from when the backend last heard of it, and longer than that one may
 * still be completing without it (S3: "several minutes"; UPSTREAM_IDLE_MS is how long a living gateway waits).
 */
export const MARK_COUNTS_MS = 10 * 60 * 1000;
/** What uploads left behind is looked for so often in a bucket that takes uploads, by each process. */
export const SWEEP_EVERY_MS = 60 * 60 * 1000;
/** Nothing of an upload that was written to since is swept: a day, as nothing hurries. */
export const SWEEP_AGE_MS = 24 * 60 * 60 * 1000;
/** Looked at in one sweep; the others have their turn when these are gone. */
export const MAX_SWEPT_UPLOADS = 10_000;
/** What a probe left is cleared away after this. A probe takes some forty requests of STORE_QUESTION_MS at most; clocks of gateway and store differ by 15 minutes at most, or signatures would fail. */
export const PROBE_SWEEP_AGE_MS = 60 * 60 * 1000;
/** Looked at in one sweep; the others have their turn when these are gone. */
export const MAX_SWEPT_PROBES = 100;
/** So long after a probe what earlier ones left is cleared away: the request that needed the probe is over by then, most likely. */
export const PROBE_SWEEP_AFTER_MS = 60 * 1000;
/** A backend that could not be tried is tried again after this: soon enough after an outage, seldom enough where it stays refused. */
export const PROBE_AGAIN_MS = 30 * 1000;
