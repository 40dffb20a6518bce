/**
 * What the server holds open between the client's messages without a BEGIN, told by what it answers: behind an Execute whatever comes before the
 * Sync is in a block that the server begins for it, which a Query of one statement does not end. Some statements commit at once, and empty ones
 * run nothing: there is no such block behind them, and a Query is committed by itself. A Sync in the wrong one of the two would commit too early, and
 * none in the other would leave a Query uncommitted that the client was told is not.
 *
 * Source: PostgreSQL manual, 54.2.3 "Extended Query" and 54.2.4 "Pipelining"; `exec_execute_message` and `start_xact_command` of its tcop/postgres.c.
 */

/** `portal`: nothing has run, and what was bound is still there. `unknown`: `block`, or nothing. Within a BEGIN it is of no consequence. */
export type Held = 'nothing' | 'portal' | 'unknown' | 'block';

/** Command tags of what an Execute commits at once, or may only run outside of a block. */
const COMMITTED: ReadonlySet<string> = new Set([
  ...['BEGIN', 'START TRANSACTION', 'COMMIT', 'ROLLBACK', 'SAVEPOINT', 'RELEASE'],
  ...['PREPARE TRANSACTION', 'COMMIT PREPARED', 'ROLLBACK PREPARED'],
  ...['DISCARD ALL', 'ALTER SYSTEM', 'CREATE DATABASE', 'DROP DATABASE', 'CREATE TABLESPACE', 'DROP TABLESPACE'],
]);

/** Of those that are committed at once in some of their forms: with CONCURRENTLY, of a whole database, about a slot. */
const PERHAPS_COMMITTED: ReadonlySet<string> = new Set([
  ...['REINDEX', 'DROP INDEX', 'ALTER DATABASE'],
  ...['CREATE SUBSCRIPTION', 'ALTER SUBSCRIPTION', 'DROP SUBSCRIPTION'],
]);

/** Longer than any of these tags. */
export const TAG_BYTES = 24;

/** `held` behind an Execute of the client's that was answered with this tag. */
export function heldBehind(held: Held, tag: string): Held {
  if (COMMITTED.has(tag)) return 'nothing';
  // In a block it would have failed, had it been of the forms that are committed.
  return PERHAPS_COMMITTED.has(tag) && held !== 'block' ? 'unknown' : 'block';
}
