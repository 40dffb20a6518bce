/** The edge's limits: one line each, value as arithmetic, unit, why, source. */

/** Request line and headers: S3 allows 8 KB of headers; presigned URLs with session tokens come on top. */
export const MAX_HEADER_BYTES = 64 * 1024;
/** `size;chunk-signature=<64 hex>` and CR LF take 13 + 17 + 64 + 2 bytes. */
export const MAX_CHUNK_HEADER_BYTES = 128;
/** A trailer has one checksum and one signature: under 300 bytes. */
export const MAX_TRAILER_BYTES = 4 * 1024;
/** Largest single PUT, part and copy: 5 GiB (S3, "Multipart upload limits"). */
export const MAX_BODY_BYTES = 5 * 1024 ** 3;
/** Longest key in UTF-8 bytes (S3, "Naming Amazon S3 objects"). */
export const MAX_KEY_BYTES = 1024;
/** Largest request document: 1000 keys of 1 KiB each, escaped, or 10 000 parts with checksums (DeleteObjects, CompleteMultipartUpload). */
export const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
/** Largest document about one object or bucket: an ACL of 100 grants, 1000 lifecycle rules (S3: 20 KB for a policy, 64 KB for CORS). */
export const MAX_SUBRESOURCE_BYTES = 1024 * 1024;
/** Tags and attributes. Opening and closing tags of the largest document: 10 000 parts of number, ETag and five checksums (CompleteMultipartUpload). */
export const MAX_XML_TAGS = 2 * 8 * 10_000 + 100;
/** Elements within each other: S3's deepest documents (lifecycle, notifications) have seven. */
export const MAX_XML_DEPTH = 32;
/** What a form upload may have before its file (S3: MaxPostPreDataLengthExceededError): 20 KB, and the heads of some dozens of fields. */
export const MAX_FORM_BYTES = 32 * 1024;
/** A form's file up to this is read whole, whatever stands behind it: within what its request holds (STREAM_COST_BYTES). */
export const BUFFERED_FORM_BYTES = 256 * 1024;
/** Largest error document read from the upstream. */
export const MAX_ERROR_DOCUMENT_BYTES = 256 * 1024;
/** A short unread rest of an upstream answer is read so that its connection can be reused. */
export const MAX_DRAIN_BYTES = 256 * 1024;
/** What a request with bodies counts for: socket and stream buffers of both legs (4 x 64 KiB) and two segments of a part in work. */
export const STREAM_COST_BYTES = 512 * 1024;
/** What a listing counts for: a page of 1000 rows is some 300 KB of XML, and ten times of it in its texts and trees. */
export const LISTING_COST_BYTES = 4 * 1024 * 1024;
/**
 * After an answer that came before the body's end, this much of the body is read so that the client sees the answer: the parts that programs
 * send, of clients that read nothing before they have sent all (Python's). nginx reads on without such a bound, for 30 s.
 */
export const MAX_LINGER_BYTES = 128 * 1024 * 1024;
/** A client that sends nothing and reads nothing for so long is gone: S3 closes after 20 to 60 s. */
export const CLIENT_IDLE_MS = 60 * 1000;
/** Time for the request line and headers. */
export const HEADERS_TIMEOUT_MS = 30 * 1000;
/** Open connections of clients: an idle one with TLS takes some 50 KiB. As many as the KMS listener's. */
export const MAX_CONNECTIONS = 10_000;
/** A copy or completion that takes longer is answered with spaces first: SDKs give up after 50 or 60 s of silence, proxies after 60. */
export const LATE_ANSWER_MS = 20 * 1000;
export const LATE_ANSWER_SPACE_MS = 10 * 1000;
/** Idle kept-alive connections. */
export const KEEP_ALIVE_MS = 65 * 1000;
/** An upstream that sends nothing for so long is gone. Completing a large upload may take minutes, S3 says. */
export const UPSTREAM_IDLE_MS = 5 * 60 * 1000;
export const UPSTREAM_CONNECT_MS = 10 * 1000;
/** What the gateway asks a store for itself is answered at once or not at all: as long as connecting may take, and shorter than clients wait. */
export const STORE_QUESTION_MS = 10 * 1000;
/** Sockets to the storage for short requests beside a held answer: each is read at once, so few do. */
export const BESIDE_CONNECTIONS = 32;
/** Forwarded bodies up to this size are verified whole before they are sent: then they may be sent again, and checksums travel in headers. */
export const BUFFERED_BODY_BYTES = 1024 * 1024;
/** A connection on which nothing moves either way for so long is closed: longer than the upstream may be silent. */
export const MAX_SILENCE_MS = UPSTREAM_IDLE_MS + 60 * 1000;
/** Requests that may wait for memory; who comes later is told to slow down. */
export const MAX_WAITING_REQUESTS = 1_000;
/** So long a request waits for memory before it is told to slow down: clients give up after 60 s or so. */
export const MAX_WAIT_MS = 30 * 1000;
/** While others wait for memory, a client moves as many bytes in this time as are held for it: 9 KB/s for a stream of usual segments. */
export const CLIENT_PATIENCE_MS = 60 * 1000;
/** What a document takes while it is read and parsed, in times of its length: its pieces, the whole, the text, and two trees of it. */
export const DOCUMENT_COST = 16;
/** What a part named on completion takes until the upload is completed, its checksums among it. */
export const NAMED_PART_BYTES = 1024;
/** What documents hold together: one of the largest there are, or six completions of 10 000 parts each under way. */
export const MAX_DOCUMENTS_BYTES = 64 * 1024 * 1024;
/**
 * What segments larger than 64 KiB may hold together: three of the largest of any part but part 10 000 (10 MiB), or thirty of a 512 MiB part's. One of a
 * part 10 000 beyond 3 GiB is larger than all of it (at most 53 MiB): then it is the only one.
 */
export const MAX_LARGE_SEGMENT_BYTES = 32 * 1024 * 1024;
/** Largest document about a bucket's encryption: one rule of a few hundred bytes. */
export const MAX_ENCRYPTION_DOCUMENT_BYTES = 16 * 1024;
/** Plaintext of a part that is sealed whole in memory (buckets with Object Lock): eight times what programs send unless told. */
export const MAX_WHOLE_PART_BYTES = 64 * 1024 * 1024;
/** What such parts hold together: nearly two of the largest, or fifteen of 8 MiB. */
export const MAX_WHOLE_PARTS_BYTES = 128 * 1024 * 1024;
