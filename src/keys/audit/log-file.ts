/** The file that a log is written to, and how it is rotated away. Places are in the log (`log-reader.ts`), names of its files in `rotated-files.ts`. */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { KeysError } from '../errors.ts';
import { errorName } from '../root/secret-file.ts';
import { syncFolder, writeAll } from '../stores/durable-file.ts';
import { isSame, realLogPath, rotatedPath } from './rotated-files.ts';

const WRITE = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND;
const MODE = 0o600;

/** Opened as it is, or made. ERR_KEYS_AUDIT_UNAVAILABLE. */
export function openLogFile(path: string): number {
  // A device or pipe has no end to go on from, and reading one may never end.
  if (existsSync(path) && !statSync(path).isFile()) {
    throw new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', `${path} is no regular file`);
  }
  try {
    const file = openSync(path, WRITE, MODE);
    syncFolder(dirname(realLogPath(path)));
    return file;
  } catch (cause) {
    throw new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', `${path} cannot be opened: ${errorName(cause)}`, { cause });
  }
}

/** Errors are the system's. */
export class LogFile {
  readonly #path: string;
  #file: number;
  #start: number;
  #firstSeq: number;
  /** Syncs that the disk has not answered yet: closed before, a file's number may be another's by then. */
  readonly #syncing = new Set<Promise<void>>();

  /** `file`: its, from here on. `start`: the place of its first byte; `firstSeq`: the number of its first record, be it there or to come. */
  constructor(path: string, file: number, { start, firstSeq }: { readonly start: number; readonly firstSeq: number }) {
    this.#path = realLogPath(path);
    this.#file = file;
    this.#start = start;
    this.#firstSeq = firstSeq;
  }

  get start(): number {
    return this.#start;
  }

  append(bytes: Uint8Array): void {
    writeAll(this.#file, bytes);
  }

  cutTo(offset: number): void {
    ftruncateSync(this.#file, offset - this.#start);
  }

  syncNow(): void {
    fdatasyncSync(this.#file);
  }

  sync(): Promise<void> {
    const synced = new Promise<void>((resolve, reject) => {
      fdatasync(this.#file, (cause) => {
        if (cause === null) resolve();
        else reject(cause);
      });
    });
    this.#syncing.add(synced);
    const done = (): boolean => this.#syncing.delete(synced);
    synced.then(done, done);
    return synced;
  }

  /**
   * Puts the file aside, where it is not touched again, and goes on in a new one after `beginning`. Precondition: all of it is synced; `end` is
   * its end. Where it throws, nothing has changed, such as where a full disk has room for a name and for no record: without its first
   * record the new file would need the old one, which may be moved away to make room.
   */
  rotate(end: { readonly seq: number; readonly offset: number }, beginning: Uint8Array): void {
    const rotated = rotatedPath(this.#path, this.#firstSeq);
    if (existsSync(rotated)) throw failure('EEXIST', `${rotated} is there`);
    const old = this.#file;
    if (!isSame(fstatSync(old), statSync(this.#path))) throw failure('ESTALE', `${this.#path} is another file`);
    renameSync(this.#path, rotated);
    try {
      this.#file = makeLike(old, this.#path, beginning);
    } catch (error) {
      renameSync(rotated, this.#path);
      throw error;
    }
    this.#start = end.offset;
    this.#firstSeq = end.seq + 1;
    // It is synced already: what closing it may still say is about nothing.
    void this.#settled()
      .then(() => closeSync(old))
      .catch(() => undefined);
  }

  /** After the syncs under way. */
  async close(): Promise<void> {
    await this.#settled();
    closeSync(this.#file);
  }

  async #settled(): Promise<void> {
    await Promise.allSettled(this.#syncing);
  }
}

const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code });

/** A new file, it and its name durable, which whoever may read the old one may read. */
function makeLike(old: number, path: string, bytes: Uint8Array): number {
  const file = openSync(path, WRITE | constants.O_EXCL, MODE);
  try {
    const { mode, uid, gid } = fstatSync(old);
    try {
      fchownSync(file, uid, gid);
    } catch {
      // Another's file: only its mode can be kept.
    }
    fchmodSync(file, mode & 0o777);
    writeAll(file, bytes);
    fdatasyncSync(file);
    syncFolder(dirname(path));
    return file;
  } catch (error) {
    closeSync(file);
    rmSync(path, { force: true });
    throw error;
  }
}
