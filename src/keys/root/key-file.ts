/**
 * The root key file: `magic "SGKF" 4 | version 1 | reserved 3 | file id 16 | secret 32 | checksum 8` (docs/KEYSTORE.md).
 * It unseals a store's slot; it is not the root itself, so a lost or leaked file is replaced without touching a key.
 */
import { createHash } from 'node:crypto';
import type { RandomSource } from '../../crypto/random.ts';
import { KeysError } from '../errors.ts';
import { writeNewFile } from '../stores/durable-file.ts';
import { errorName, readSecretFile } from './secret-file.ts';

const MAGIC = Buffer.from('SGKF', 'ascii');
const VERSION = 1;
const HEADER_BYTES = 8;
const ID_BYTES = 16;
const SECRET_BYTES = 32;
const CHECKSUM_BYTES = 8;
const BODY_BYTES = HEADER_BYTES + ID_BYTES + SECRET_BYTES;
export const KEY_FILE_BYTES = BODY_BYTES + CHECKSUM_BYTES;

/** `secret` is zeroed by whoever parsed it; `fileId` is public and says which slot it fits. */
export type KeyFile = { readonly fileId: Uint8Array; readonly secret: Uint8Array };

/** Writes a new key file (mode 0600), durable. Errors: ERR_KEYS_SECRET_EXISTS, ERR_KEYS_SECRET_WRITE. */
export function createKeyFile(path: string, random: RandomSource): void {
  const bytes = Buffer.alloc(KEY_FILE_BYTES);
  try {
    bytes.set(MAGIC, 0);
    bytes[4] = VERSION;
    bytes.set(random(ID_BYTES), HEADER_BYTES);
    const secret = random(SECRET_BYTES);
    bytes.set(secret, HEADER_BYTES + ID_BYTES);
    secret.fill(0);
    bytes.set(checksum(bytes), BODY_BYTES);
    writeNew(path, bytes);
  } finally {
    bytes.fill(0);
  }
}

function writeNew(path: string, bytes: Uint8Array): void {
  try {
    writeNewFile(path, bytes);
  } catch (cause) {
    const reason = errorName(cause);
    if (reason === 'EEXIST') throw new KeysError('ERR_KEYS_SECRET_EXISTS', `${path} exists already`, { cause });
    throw new KeysError('ERR_KEYS_SECRET_WRITE', `${path} cannot be written: ${reason}`, { cause });
  }
}

/** Errors: ERR_KEYS_SECRET_UNREADABLE, ERR_KEYS_SECRET_PERMISSIONS. */
export function readKeyFile(path: string): KeyFile {
  const bytes = readSecretFile(path, KEY_FILE_BYTES);
  try {
    return parseKeyFile(path, bytes);
  } finally {
    bytes.fill(0);
  }
}

function parseKeyFile(path: string, bytes: Uint8Array): KeyFile {
  const whole =
    bytes.length === KEY_FILE_BYTES &&
    MAGIC.equals(bytes.subarray(0, MAGIC.length)) &&
    checksum(bytes).equals(bytes.subarray(BODY_BYTES));
  if (!whole) throw new KeysError('ERR_KEYS_SECRET_UNREADABLE', `${path} is no whole Sealgate key file`);
  if (bytes[4] !== VERSION)
    throw new KeysError('ERR_KEYS_SECRET_UNREADABLE', `${path} is a key file of a newer release`);
  return {
    fileId: Uint8Array.prototype.slice.call(bytes, HEADER_BYTES, HEADER_BYTES + ID_BYTES),
    secret: Uint8Array.prototype.slice.call(bytes, HEADER_BYTES + ID_BYTES, BODY_BYTES),
  };
}

/** Finds damage, not forgery: a file that was cut or mangled in transit is told from a wrong one. */
function checksum(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes.subarray(0, BODY_BYTES)).digest().subarray(0, CHECKSUM_BYTES);
}
