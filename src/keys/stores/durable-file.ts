/** Writes files so that a crash at any instant leaves the old or the new one, whole, and what is done stays done. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export function writeFileDurably(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.new`;
  writeSynced(temporary, 'w', bytes);
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** A file that must not exist (EEXIST), its name durable too; where it fails, nothing of it is left. Errors: the system's. */
export function writeNewFile(path: string, bytes: Uint8Array): void {
  writeSynced(path, 'wx', bytes);
  syncFolder(dirname(path));
}

function writeSynced(path: string, flags: 'w' | 'wx', bytes: Uint8Array): void {
  const file = openSync(path, flags, 0o600);
  try {
    writeAll(file, bytes);
    fsyncSync(file);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

export function writeAll(file: number, bytes: Uint8Array, position: number | null = null): void {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(file, bytes, written, bytes.length - written, position === null ? null : position + written);
  }
}

/** A name is durable only once its folder is. Windows cannot open folders and needs none of this. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
