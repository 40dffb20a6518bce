/** Every limit of the Postgres proxy, one line each: value, unit, why, source. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Startup packets: PostgreSQL's own MAX_STARTUP_PACKET_LENGTH (libpq/pqcomm.h), and the four bytes of the length, which it does not count. */
export const MAX_STARTUP_BYTES = 10_000 + 4;
/** Password, SASL and other messages before authentication is done: PG_MAX_AUTH_TOKEN_LENGTH is 65535 (libpq/auth.h). */
export const MAX_AUTH_MESSAGE_BYTES = 64 * KIB;
/** Any message: the server's own PQ_LARGE_MESSAGE_LIMIT, MaxAllocSize - 1 (libpq/libpq.h). Such a message streams, it is never held. */
export const MAX_MESSAGE_BYTES = 0x3fffffff;
/** Query and Parse texts on databases with rules: they are read whole to be analysed. */
export const MAX_STATEMENT_BYTES = 64 * MIB;
/** Statements that are longer are read on a thread of their own: a parse of this much takes some 10 ms, in which nobody else is served. */
export const LARGE_STATEMENT_BYTES = 64 * KIB;
/** In a transaction that has changed the catalog, which the thread does not see, they are read here up to this length: some 50 ms. */
export const MAX_OWN_STATEMENT_BYTES = 256 * KIB;
/** After one that is longer the thread ends, so that its memory is given back: a hundred and fifty times the text (measured). */
export const VERY_LARGE_STATEMENT_BYTES = 1 * MIB;
/** Words, signs and constants of one statement to be analysed: 800 bytes each while it is read (measured: 0.9 million took 720 MB). */
export const MAX_STATEMENT_TOKENS = 1_000_000;
/** Steps that a statement's analysis may take on the main thread or that one: reading an expression, or a place in a row of rows. */
export const STEPS_OF_ANY_TEXT = 100_000;
/** A statement takes less than one per byte, where nothing in it doubles by being nested. */
export const STEPS_PER_BYTE = 16;
/** At about a microsecond each. */
export const MAX_STEPS = 20_000_000;
/** EXECUTE of a prepared statement on sealed columns, whose arguments are read on the main thread. */
export const MAX_EXECUTE_BYTES = 1 * MIB;
/** JavaScript's heap of that thread: the tree of the largest statement, and what is made of it. */
export const LARGE_THREAD_HEAP_MIB = 2048;
/** The processor's time that one statement may take before the next one: some five times what the largest that is read takes. */
export const LARGE_STATEMENT_MS = 120_000;
/** How long it is kept without work: its start takes as long as reading a megabyte. */
export const LARGE_THREAD_IDLE_MS = 30_000;
/** A sealed value's plaintext: it may not leave before its tag has verified (docs/SECURITY.md). */
export const MAX_SEALED_VALUE_BYTES = 16 * MIB;
/** A Bind or DataRow that carries sealed values: held whole; eight of the largest values, or four in hexadecimal. */
export const MAX_SEALED_MESSAGE_BYTES = 8 * MAX_SEALED_VALUE_BYTES;
/** Small backend messages read whole: RowDescription has up to 1664 columns of NAMEDATALEN names, errors quote statements. */
export const MAX_CONTROL_MESSAGE_BYTES = 1 * MIB;
/** Bodies of messages that carry no more than names: the server's own PQ_SMALL_MESSAGE_LIMIT (libpq/libpq.h), which counts the four bytes of the length. */
export const MAX_SMALL_MESSAGE_BYTES = 10_000 - 4;
/** Each name of a Bind, ahead of values of any length: no limit in the protocol; the server cuts identifiers at 63, drivers use digests. */
export const MAX_NAME_BYTES = 4 * KIB;
/** Replies owed on one connection beyond which the client is not read from; well above what the server holds back unflushed (8 KiB of 5-byte replies). */
export const MAX_PIPELINE_DEPTH = 65_536;
/** Parameters and sealed constants of one statement: npm `pg` reads the count of a ParameterDescription as a signed 16-bit number, and throws where nobody can catch it (pg-protocol/dist/parser.js). */
export const MAX_DESCRIBED_PARAMETERS = 32_767;
/** Sealed statements remembered for one connection. */
export const MAX_STATEMENTS = 10_000;
/** From the first byte to ReadyForQuery: slow-loris guard; PostgreSQL's authentication_timeout is 60 s. */
export const STARTUP_TIMEOUT_MS = 60_000;
/** TCP and TLS to the upstream. */
export const UPSTREAM_CONNECT_TIMEOUT_MS = 10_000;
/** How long a server of several that failed is tried last: as long as one timeout, so that it costs one session and not each. */
export const SERVER_FAILED_MS = 10_000;
/** How long it is taken for true that a server is primary or standby, so that sessions that come together ask once. */
export const SERVER_ROLE_MS = 1_000;
/** A CancelRequest of which it is not known to which of several servers it belongs is sent to all; one that is down is not waited for longer. */
export const CANCEL_ALL_MS = 2_000;
/** How long a side that takes nothing is waited for once the other is gone: what it has not taken by then is held for nobody. */
export const LINGER_MS = 30_000;
/** Client connections of one listener. */
export const MAX_CONNECTIONS = 10_000;
/** SCRAM iterations accepted from an upstream or a verifier: a hostile count would spin the CPU; PostgreSQL's default is 4096. */
export const MAX_SCRAM_ITERATIONS = 1_000_000;
/** Callers times columns whose uses of keys are remembered, at about a kilobyte each with what the key manager remembers of them. */
export const MAX_KEY_USES = 10_000;
