/** Why somebody did something, in their words: kept on record for ever, so it is short and one line. */
import { KeysError } from '../errors.ts';
import { MAX_REASON_CHARS } from '../limits.ts';

/** ERR_KEYS_INVALID_REQUEST. */
export function checkReason(reason: string): void {
  const isLine = reason.isWellFormed() && !/\p{Cc}/u.test(reason) && reason.trim() !== '';
  if (!isLine || reason.length > MAX_REASON_CHARS)
    throw new KeysError('ERR_KEYS_INVALID_REQUEST', `a reason is one line of 1 to ${MAX_REASON_CHARS} characters`);
}
