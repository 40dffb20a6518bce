/**
 * Statements that mean the same under all settings of the session and take no snapshot: SET, RESET, LOCK and DISCARD. The question for the settings, which
 * takes one, waits for what comes behind them: after a query the server takes no SET TRANSACTION, and what a lock was waited for could not be seen
 * in a snapshot of before.
 */

/** In words and plain constants, which are lexed alike whatever the settings; one statement. */
const INDIFFERENT = /^\s*(?:set|reset|lock|discard)\s[\w\s.,=:'+/*-]*;?\s*$/i;
const CONSTANT = /'[^']*'/g;
/** What begins a comment, or is a constant of another kind. */
const LEXED_OTHERWISE = /--|\/\*|\w'/;
/** Far more than any has. */
const MAX_LENGTH = 1000;

export function isIndifferent(sql: string): boolean {
  return sql.length <= MAX_LENGTH && INDIFFERENT.test(sql) && !LEXED_OTHERWISE.test(sql.replaceAll(CONSTANT, "''"));
}
