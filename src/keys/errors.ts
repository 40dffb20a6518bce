/** What goes wrong in the key manager. Texts name keys, files and slots; never key bytes, passphrases or plaintext. */
import { SealgateError, type ErrorCatalogue } from '../errors.ts';
import { KEYS_EXIT } from './exit-code.ts';
import { IMPORT_ERRORS } from './import/errors.ts';
import { LIFE_ERRORS } from './life/errors.ts';
import { REMOTE_ERRORS } from './remote/errors.ts';
import { STORE_ERRORS } from './store-errors.ts';

export const KEYS_ERRORS = {
  ...STORE_ERRORS,
  ...LIFE_ERRORS,
  ERR_KEYS_NOT_FOUND: {
    says: 'No such key, alias or material.',
    why: 'The name is wrong, or belongs to another store, region or account.',
    fix: 'List what exists: `sealgate keys list`.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_INVALID_ID: {
    says: 'This is no key id, key ARN, alias name or alias ARN.',
    why: 'Its form is wrong.',
    fix: 'Give a UUID, `arn:aws:kms:<region>:<account>:key/<uuid>`, `alias/<name>`, or the alias as an ARN.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_ALIAS_EXISTS: {
    says: 'An alias of this name exists already.',
    why: 'An alias names one key.',
    fix: 'Choose another name, or point it elsewhere with `sealgate keys alias update`.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_REPLICA_EXISTS: {
    says: 'The multi-Region key is in that region already.',
    why: 'A region has one key of an id. One that is pending deletion counts.',
    fix: 'Use the replica that is there; cancel its deletion, or wait for its end.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_REGION: {
    says: 'The store holds keys of a region by the name that its home region has now.',
    why: '`keys.region` was renamed to a region that was among `keys.otherRegions`, and whose keys are another region’s.',
    fix: 'Give `keys.region` the name it had.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_INVALID_REQUEST: {
    says: 'A value of the request is outside its limits.',
    why: 'A text is too long, or has characters that are not allowed there.',
    fix: 'The message names the value and its limit.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_DISABLED: {
    says: 'The key is disabled.',
    why: 'It was disabled by an administrator, or its current material is suspended or compromised.',
    fix: '`sealgate keys describe <key>` shows which. Enable it (`sealgate keys enable <key>`), reactivate the material (`keys reactivate`), or give it a new one where it is compromised (`keys rotate`).',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_INVALID_STATE: {
    says: 'The key’s or the material’s state does not allow this.',
    why: 'It is pending deletion or import, suspended, compromised or destroyed; or the change asked for is none that a state allows: nothing comes back from deactivated or compromised.',
    fix: '`sealgate keys describe <key>` shows the states.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_INCORRECT_KEY: {
    says: 'The wrapped key was not wrapped by the key named in the request.',
    why: 'The request names one key, the wrapped key another.',
    fix: 'Name the key that wrapped it, or none.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_CIPHERTEXT_INVALID: {
    says: 'The wrapped key does not open.',
    why: 'It is malformed or changed, or the encryption context is not the one it was wrapped with. Which of these is not said.',
    fix: 'Give the bytes and the context exactly as they were stored.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_CIPHERTEXT_FOREIGN: {
    says: 'The ciphertext is of AWS KMS itself.',
    why: 'It begins as those of AWS do; the key that made it is there and not here.',
    fix: 'Open it with AWS KMS, and encrypt it anew here.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_CIPHERTEXT_UNKNOWN_KEY: {
    says: 'The ciphertext names a key that is not here.',
    why: 'It was wrapped by the key of another store, or by one that has been deleted.',
    fix: 'Use the store that wrapped it, or restore the backup that has the key.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_KEY_USAGE: {
    says: 'The key does not do this.',
    why: 'Its usage or specification does not fit the operation or the algorithm asked for.',
    fix: 'Use a key made for it.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_UNSUPPORTED: {
    says: 'This kind of key does not do that.',
    why: 'Rotation, for one, is for symmetric encryption keys: what others made does not say which material made it.',
    fix: 'Make a new key, and point an alias at it.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_MAC_INVALID: {
    says: 'The MAC is not of this message, key and algorithm.',
    why: 'The message or the MAC was changed, or another key or algorithm made it.',
    fix: 'Ask with what GenerateMac was asked with; if that is what you did, do not trust the message.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_SIGNATURE_INVALID: {
    says: 'The signature is not of this message, key and algorithm.',
    why: 'The message or the signature was changed, another key or algorithm made it, or a digest was given as a message.',
    fix: 'Ask with what Sign was asked with, MessageType included; if that is what you did, do not trust the message.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_BUSY: {
    says: 'More operations with key pairs wait than can be served soon.',
    why: 'Making RSA keys, RSA signatures and decryptions take long, and so many are under way that one more would wait too long. Symmetric keys are not concerned.',
    fix: 'Nothing: SDKs try again by themselves. If it persists, spread the load, or use keys on elliptic curves.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_DRY_RUN: {
    says: 'The request would have succeeded; it asked only that.',
    why: 'It was made as a dry run.',
    fix: 'Make it again without.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_GRANT_TOKEN: {
    says: 'A grant token is not valid.',
    why: 'No grant gave it.',
    fix: 'Leave the token away.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_GRANT_ID: {
    says: 'This is no grant id.',
    why: 'A grant id is 64 hex digits.',
    fix: 'Give the id that CreateGrant answered; ListGrants shows it.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_LIMIT: {
    says: 'A quota of the key is used up.',
    why: 'It has been rotated on demand 25 times, has 50 tags or aliases, or its material was reactivated 100 times.',
    fix: 'Make another key, or remove what is no longer needed.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_CONFLICT: {
    says: 'Another change of the key is about to be made.',
    why: 'Its automatic rotation is due within 20 minutes.',
    fix: 'Wait for it.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_TAG: {
    says: 'A tag is not valid.',
    why: 'Its name stands twice, begins with `aws:`, or there are more than 50.',
    fix: 'Correct the tags.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_ACCESS_DENIED: {
    says: 'The caller may not do this with this key.',
    why: 'No rule allows it.',
    fix: 'Ask the key’s administrator; the audit record says which rule decided.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_MANAGED: {
    says: 'The key is managed by one of our services, and not by whoever uses or runs it.',
    why: 'Keys named `alias/aws/…` are made and rotated by themselves; they are not disabled, deleted, tagged or renamed, and their policy is fixed: what the gateway or the proxy sealed has to open.',
    fix: 'Use a key of your own (`sealgate keys create`) where you want to say more. An operator may rotate, suspend, deactivate, reactivate and compromise its material.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_POLICY_MALFORMED: {
    says: 'The policy document cannot be taken.',
    why: 'It is no JSON, breaks the grammar of the IAM policy language, names a principal in no known form, or would mean other than it seems to.',
    fix: 'The message names the statement and what is wrong there; docs/ACCESS.md describes the language.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_POLICY_LOCKOUT: {
    says: 'The new key policy would not let its maker replace it again.',
    why: 'No statement allows kms:PutKeyPolicy to the caller or to its account, or one denies it.',
    fix: 'Name the caller or its account in the policy, or ask for the check to be left out (BypassPolicyLockoutSafetyCheck).',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_INVALID_ARN: {
    says: 'This is no ARN of the kind that is expected here.',
    why: 'A key or alias is named by an ARN of KMS. Grants are given to an account, a user, a role, a role’s session or a federated user, by its ARN.',
    fix: 'Give `arn:aws:kms:<region>:<account>:key/<uuid>` or `…:alias/<name>`; for a grant for example `arn:aws:iam::<account>:user/<name>`: groups, services and wildcards cannot hold grants.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_ESCROW_CONFLICT: {
    says: 'Another record is held under the same data key id.',
    why: 'Ids are random and never reused: the database or the store holds a copy of another’s.',
    fix: 'Run `sealgate check`; do not delete either record.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_AUDIT_UNAVAILABLE: {
    says: 'The audit log cannot be written, so no key is used.',
    why: 'The disk is full, read-only or failing, the path is wrong, or a required sink is too far behind. An unrecorded use is never allowed.',
    fix: 'Mend the disk or the sink, or correct `keys.audit.file`. After a full disk uses go on by themselves; otherwise restart.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_AUDIT_TAMPERED: {
    says: 'The audit log’s chain is broken.',
    why: 'A record was changed, removed, added or moved, or `keys.audit.file` names another store’s log or some other file. It was not touched.',
    fix: '`sealgate audit verify` names the first bad line. Keep the file as evidence; name another path, or accept the gap with `--accept-audit-gap` where the log is this store’s.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_AUDIT_TRUNCATED: {
    says: 'The audit log ends before the last record that is remembered.',
    why: 'The end of the log was removed, or the log was not restored along with the store.',
    fix: 'Put the log back. If it is lost for good, open once with `--accept-audit-gap`: the gap is recorded and stays visible.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_BACKUP_INVALID: {
    says: 'The file is no whole backup, or none of the given secrets opens it.',
    why: 'It is cut or changed, or the secrets belong to another store. Which of these is not said.',
    fix: 'Try another copy, or give the passphrase or key file it was made with.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_BACKUP_WRITE: {
    says: 'The backup could not be written.',
    why: 'The path exists already, or the disk is full or read-only.',
    fix: 'The message says what the operating system reported.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_CLOSED: {
    says: 'The key manager is closed.',
    why: 'The process is shutting down.',
    fix: 'Nothing: the client retries against the next process.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_OWNER: {
    says: 'The process that owns the key store did not answer.',
    why: 'It ended, or failed at this one question; a process that serves clients ends with it.',
    fix: 'Its log says why; start it again.',
    exit: KEYS_EXIT,
  },
  ...IMPORT_ERRORS,
  ...REMOTE_ERRORS,
} as const satisfies ErrorCatalogue;

export type KeysErrorCode = keyof typeof KEYS_ERRORS;

export class KeysError extends SealgateError<KeysErrorCode> {
  override readonly name = 'KeysError';
}

/** No key or alias of the region has this ARN, or nothing on that key what the caller names: nobody has been asked whether he may know. */
export class UnknownArnError extends KeysError {
  readonly arn: string;

  constructor(arn: string, message: string) {
    super('ERR_KEYS_NOT_FOUND', message);
    this.arn = arn;
  }
}
