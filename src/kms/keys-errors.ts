/** The key manager's errors in AWS's words: the one place where its codes become names on the wire. */
import { KeysError, type KeysErrorCode } from '../keys/errors.ts';
import { KmsError, type KmsErrorCode } from './errors.ts';

/** `own`: its text is in AWS's words, or says what is wrong with a value, and goes to the client as it is. */
type Wire = { readonly code: KmsErrorCode; readonly own: boolean };

const own = (code: KmsErrorCode): Wire => ({ code, own: true });
const plain = (code: KmsErrorCode): Wire => ({ code, own: false });

/** What concerns store, root or disk is nothing a client could mend: its text stays in the log. */
const WIRE: Partial<Record<KeysErrorCode, Wire>> = {
  ERR_KEYS_NOT_FOUND: own('ERR_KMS_NOT_FOUND'),
  ERR_KEYS_INVALID_ID: own('ERR_KMS_NOT_FOUND'),
  ERR_KEYS_INVALID_ARN: own('ERR_KMS_INVALID_ARN'),
  ERR_KEYS_ALIAS_EXISTS: own('ERR_KMS_ALREADY_EXISTS'),
  ERR_KEYS_REPLICA_EXISTS: own('ERR_KMS_ALREADY_EXISTS'),
  ERR_KEYS_INVALID_REQUEST: own('ERR_KMS_VALIDATION'),
  ERR_KEYS_DISABLED: own('ERR_KMS_DISABLED'),
  ERR_KEYS_INVALID_STATE: own('ERR_KMS_INVALID_STATE'),
  ERR_KEYS_INCORRECT_KEY: own('ERR_KMS_INCORRECT_KEY'),
  ERR_KEYS_CIPHERTEXT_INVALID: plain('ERR_KMS_INVALID_CIPHERTEXT'),
  ERR_KEYS_CIPHERTEXT_FOREIGN: own('ERR_KMS_INVALID_CIPHERTEXT'),
  ERR_KEYS_CIPHERTEXT_UNKNOWN_KEY: own('ERR_KMS_ACCESS_DENIED'),
  ERR_KEYS_ACCESS_DENIED: own('ERR_KMS_ACCESS_DENIED'),
  ERR_KEYS_MANAGED: own('ERR_KMS_ACCESS_DENIED'),
  ERR_KEYS_KEY_USAGE: own('ERR_KMS_INVALID_KEY_USAGE'),
  ERR_KEYS_UNSUPPORTED: own('ERR_KMS_UNSUPPORTED'),
  ERR_KEYS_MAC_INVALID: plain('ERR_KMS_INVALID_MAC'),
  ERR_KEYS_SIGNATURE_INVALID: plain('ERR_KMS_WRONG_SIGNATURE'),
  ERR_KEYS_BUSY: plain('ERR_KMS_THROTTLED'),
  ERR_KEYS_DRY_RUN: own('ERR_KMS_DRY_RUN'),
  ERR_KEYS_GRANT_ID: own('ERR_KMS_INVALID_GRANT_ID'),
  ERR_KEYS_GRANT_TOKEN: plain('ERR_KMS_INVALID_GRANT_TOKEN'),
  ERR_KEYS_LIMIT: own('ERR_KMS_LIMIT_EXCEEDED'),
  ERR_KEYS_CONFLICT: own('ERR_KMS_CONFLICT'),
  ERR_KEYS_TAG: own('ERR_KMS_TAG'),
  ERR_KEYS_POLICY_MALFORMED: own('ERR_KMS_MALFORMED_POLICY'),
  ERR_KEYS_POLICY_LOCKOUT: own('ERR_KMS_MALFORMED_POLICY'),
  ERR_KEYS_PERIOD_OVER: own('ERR_KMS_INVALID_STATE'),
  ERR_KEYS_WEAK_WRAPPING: own('ERR_KMS_UNSUPPORTED'),
  ERR_KEYS_IMPORT_TOKEN: own('ERR_KMS_INVALID_IMPORT_TOKEN'),
  ERR_KEYS_IMPORT_TOKEN_EXPIRED: own('ERR_KMS_EXPIRED_IMPORT_TOKEN'),
  ERR_KEYS_INCORRECT_MATERIAL: own('ERR_KMS_INCORRECT_KEY_MATERIAL'),
  ERR_KEYS_AUDIT_UNAVAILABLE: plain('ERR_KMS_UNAVAILABLE'),
  ERR_KEYS_STORE_WRITE: plain('ERR_KMS_UNAVAILABLE'),
  ERR_KEYS_STORE_UNAVAILABLE: plain('ERR_KMS_UNAVAILABLE'),
  ERR_KEYS_CLOSED: plain('ERR_KMS_UNAVAILABLE'),
};

/** A KmsError of the key manager's error; what has no name on the wire is an internal error. */
export function asKmsError(error: KeysError): KmsError {
  const { code, own: isOwn } = WIRE[error.code] ?? plain('ERR_KMS_INTERNAL');
  return new KmsError(code, isOwn ? error.message : undefined, { cause: error });
}
