/** Reads secrets from files, and refuses files that others can read. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { KeysError } from '../errors.ts';

/**
 * The whole file, at most `maxBytes`; the caller zeroes it. Errors: ERR_KEYS_SECRET_UNREADABLE, ERR_KEYS_SECRET_PERMISSIONS.
 * The mode is asked of the opened file, so that it cannot be exchanged in between.
 */
export function readSecretFile(path: string, maxBytes: number): Uint8Array {
  const file = openSecret(path);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new KeysError('ERR_KEYS_SECRET_UNREADABLE', `${path} is no regular file`);
    checkPermissions(path, stats);
    if (stats.size > maxBytes)
      throw new KeysError('ERR_KEYS_SECRET_UNREADABLE', `${path} is longer than ${maxBytes} bytes`);
    const bytes = Buffer.alloc(stats.size);
    const read = readSync(file, bytes, 0, bytes.length, 0);
    if (read !== bytes.length) throw new KeysError('ERR_KEYS_SECRET_UNREADABLE', `${path} changed while it was read`);
    return bytes;
  } finally {
    closeSync(file);
  }
}

function openSecret(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY);
  } catch (cause) {
    throw new KeysError('ERR_KEYS_SECRET_UNREADABLE', `${path} cannot be read: ${errorName(cause)}`, { cause });
  }
}

/** PostgreSQL's rule for key files: ours 0600 or less; of root 0640 or less, as secret mounts for a group have it. */
function checkPermissions(path: string, stats: Stats): void {
  if (process.platform === 'win32') return;
  const forbidden = stats.uid === 0 ? 0o037 : 0o077;
  if ((stats.mode & forbidden) === 0) return;
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
  throw new KeysError(
    'ERR_KEYS_SECRET_PERMISSIONS',
    `${path} has mode ${mode}: others can read or change it (chmod 600)`,
  );
}

export function errorName(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
}
