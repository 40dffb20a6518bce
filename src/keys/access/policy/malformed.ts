/** The one error of the policy language; edges map it to MalformedPolicyDocumentException. */
import { KeysError } from '../../errors.ts';

export function malformed(message: string): KeysError {
  return new KeysError('ERR_KEYS_POLICY_MALFORMED', message);
}

/** A policy's own text inside a message: short, and on one line. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
