/** The KMS edge's limits: one line each, value as arithmetic, unit, why, source. */

/**
 * Largest body. The largest that any action means is a key policy of 131072 characters, each written as six (`\u00ff`), beside
 * a description and 50 tags: under 900 KiB.
 */
export const MAX_BODY_BYTES = 1024 * 1024;
/** Bodies of all requests together; one more is told to slow down. */
export const MAX_BODIES_BYTES = 64 * 1024 * 1024;
/** Request line and headers: a signature, a session token of up to 8 KiB, and an SDK's own. */
export const MAX_HEADER_BYTES = 32 * 1024;
/** Values within values, in members that no shape knows; shapes themselves are at most four deep. */
export const MAX_JSON_DEPTH = 16;
/** Time for the request line and headers, and for the whole request: it is small. */
export const HEADERS_TIMEOUT_MS = 10 * 1000;
export const REQUEST_TIMEOUT_MS = 30 * 1000;
/** Idle kept-alive connections: longer than SDKs keep theirs. */
export const KEEP_ALIVE_MS = 75 * 1000;
/** A TLS handshake, client certificate included. */
export const TLS_HANDSHAKE_MS = 10 * 1000;
/** Open connections at most. */
export const MAX_CONNECTIONS = 10_000;
/** After an answer that came before the body's end, this much of the body is read so that the client sees the answer. */
export const MAX_LINGER_BYTES = 2 * MAX_BODY_BYTES;
/** How far a signature's time may be from ours (AWS, "Signing AWS API requests": five minutes). */
export const MAX_SKEW_MS = 5 * 60 * 1000;
/** Signatures remembered, so that a request is not answered twice: ten minutes at 4,000 requests a second, about 50 MB. */
export const MAX_SEEN_SIGNATURES = 2_400_000;
/** Of the audit log's end, read at a start for the signatures that were answered before it: a tenth of a second, some 20,000 requests. */
export const MAX_ANSWERED_LOG_BYTES = 16 * 1024 * 1024;
/** Equal requests of one client within one second are one signature; so long they may be apart on the way. */
export const REPEAT_GRACE_SECONDS = 5;
/** Entries of one batch: a tenth of what a core does in a second would keep others waiting; this is about 10 ms of work, done in slices. */
export const MAX_BATCH_ENTRIES = 256;
/** Entries that are worked on without a pause: about a millisecond, so that a batch keeps single requests waiting no longer. */
export const BATCH_SLICE_ENTRIES = 32;
