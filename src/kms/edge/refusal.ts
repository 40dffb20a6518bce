/**
 * What is wrong with a request's form is found before any key is asked for, and so before anything is on record: it is put there here.
 * Only of callers that are known: who is not could fill the log.
 */
import { KeysError } from '../../keys/errors.ts';
import type { KmsCall } from '../action.ts';
import { KmsError } from '../errors.ts';

/** Nothing where the key manager has recorded it. ERR_KEYS_AUDIT_UNAVAILABLE, and then that is the answer. */
export async function recordRefusal(error: unknown, action: string, { keys, use }: KmsCall): Promise<void> {
  if (use.recorded?.isSo === true) return;
  const isOurs = error instanceof KmsError || error instanceof KeysError;
  await keys.recordRefusal(action, use, isOurs ? error.code : 'failure');
}
