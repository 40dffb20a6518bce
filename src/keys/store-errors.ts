/** What goes wrong with the store and the secrets that open it: a part of the catalogue in `errors.ts`. */
import type { ErrorCatalogue } from '../errors.ts';
import { KEYS_EXIT } from './exit-code.ts';

export const STORE_ERRORS = {
  ERR_KEYS_STORE_MISSING: {
    says: 'There is no key store at the configured path.',
    why: 'It was never made, the path is wrong, or the volume is not mounted.',
    fix: 'Check `keys.store`. On a first start make one with `sealgate init`; after a loss use `sealgate keys restore`. No empty store is ever made silently.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_STORE_EXISTS: {
    says: 'A key store, or its epoch file, exists already at the path to be written.',
    why: 'Making or restoring a store never overwrites one: what its keys protect would be lost.',
    fix: 'Choose another path, or move the old files away yourself (and keep them).',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_STORE_IN_USE: {
    says: 'Another process owns the key store.',
    why: 'A store has exactly one owner: two would each miss what the other changed.',
    fix: 'Stop the other process (usually `sealgate up`) and run the command again. `keys list`, `describe`, `backup` and `audit verify` work beside it.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_STORE_DAMAGED: {
    says: 'The key store is not readable as a database.',
    why: 'The file is cut, overwritten, or was damaged by the disk.',
    fix: 'Keep the damaged file and restore the newest backup with `sealgate keys restore`.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_STORE_UNAVAILABLE: {
    says: 'The key store cannot be had, although nothing says that it is damaged.',
    why: 'Its folder is missing or read-only, a file may not be read or written by this user, another program holds it, or the disk is failing. SQLite also needs to write beside the store to read it.',
    fix: 'The message names the file and the reason. Mend rights, mount or disk; do not restore a backup for this.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_STORE_TAMPERED: {
    says: 'A record of the key store fails its authentication.',
    why: 'A row was changed, removed, added or moved without the root key, or the disk damaged it.',
    fix: 'The message names table and record. Keep the file as evidence and restore the newest backup.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_STORE_VERSION: {
    says: 'The key store was written by a newer Sealgate, or is no key store.',
    why: 'Its schema version is unknown to this release.',
    fix: 'Run the release that wrote it, or a newer one.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_STORE_ROLLED_BACK: {
    says: 'The key store is older than its epoch counter.',
    why: 'An older copy was put in its place; keys and rotations made since are missing from it.',
    fix: 'Put the newest copy back. If it is lost for good, open once with `--accept-rollback`; data sealed under keys made since does not open.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_EPOCH_UNREADABLE: {
    says: 'The epoch file is missing, damaged, or belongs to another store.',
    why: 'Without it an older copy of the store could not be told from the newest.',
    fix: 'Put the file back. After a restore on a new machine, open once with `--accept-rollback`.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_STORE_WRITE: {
    says: 'A change could not be made durable in the key store, or did not read back as written.',
    why: 'The disk is full, read-only or failing. Nothing was acknowledged.',
    fix: 'Mend the disk and run it again; the message says what the operating system reported.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_UNSEAL_FAILED: {
    says: 'None of the given secrets unseals the key store.',
    why: 'The key file or passphrase is not one of this store, or the slot record was changed.',
    fix: 'Check `keys.unseal`: one entry must be a secret the store has a slot for. Of a backup: give the passphrase or key file it was made with.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_SLOT_PARAMETERS: {
    says: 'An unseal slot asks for work outside the allowed bounds.',
    why: 'Its argon2id parameters were changed, or the store comes from a release with other bounds.',
    fix: 'Restore the store from a backup, or unseal with another slot.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_LAST_SLOT: {
    says: 'The last unseal slot cannot be removed.',
    why: 'Without any slot the store could never be opened again.',
    fix: 'Add another slot first.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_SECRET_UNREADABLE: {
    says: 'A key file or passphrase file cannot be read, or is not of its format.',
    why: 'The path is wrong, the file is cut or damaged, or the process may not read it.',
    fix: 'The message names the file and the reason.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_SECRET_PERMISSIONS: {
    says: 'A key file or passphrase file can be read by others.',
    why: 'Its mode grants more than its owner (0600), or for a file of root more than its group (0640).',
    fix: 'Run `chmod 600` on it.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_SECRET_WRITE: {
    says: 'A key file could not be written.',
    why: 'The folder is missing or read-only, or the disk is full. Nothing of the file was left.',
    fix: 'The message names the file and the reason.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_SECRET_EXISTS: {
    says: 'A key file that would be written exists already.',
    why: 'A root key written over is a key store lost.',
    fix: 'Choose another path.',
    exit: KEYS_EXIT,
  },
} as const satisfies ErrorCatalogue;
