/**
 * Which files a log has: those that were rotated away and lie beside it still, each named after the number of its first record, and the
 * file itself. Where in the log one begins its first record says (docs/KEYSTORE.md, "Rotation").
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { KeysError } from '../errors.ts';
import { errorName } from '../root/secret-file.ts';
import { CONTINUED_ACTION, GAP_ACTION, readRecord } from './record.ts';

const SEQ_DIGITS = 16;
/** How every log begins (`recordJson`). */
const FIRST_RECORD = Buffer.from('{"seq":1,', 'latin1');
const LINE_END = 0x0a;
/** What begins a file is shorter: it says nothing that anybody gave. */
const FIRST_BYTES = 8192;
/** Where a file may begin: what is added to it must be exact. No log comes near it but one that is forged. */
const MAX_START = 2 ** 52;
/** A pipe that nobody writes to is not waited for. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** The name of a file whose first record is `seq` once it is rotated away. */
export const rotatedPath = (path: string, seq: number): string => `${path}.${String(seq).padStart(SEQ_DIGITS, '0')}`;

/** Where the file is that `path` leads to, or would be: what is rotated away lies beside it, not beside a link. */
export function realLogPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    try {
      return resolve(dirname(path), readlinkSync(path));
    } catch {
      return path;
    }
  }
}

export type FoundFile = {
  readonly path: string;
  /** In the log, of its first byte. */
  readonly start: number;
  /** What it was when it was looked at. */
  readonly bytes: number;
  /** Undefined: opened when it is read. */
  readonly file: number | undefined;
};

export const unreadable = (path: string, cause: unknown): KeysError =>
  new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', `${path} cannot be read: ${errorName(cause)}`, { cause });

/** Undefined: there is none, as after a crash while it was rotated. */
export function openFile(path: string): number | undefined {
  let file: number;
  try {
    file = openSync(path, READ);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', `${path} is no regular file`);
}

/** A file of the log at `path`: itself, or one that was rotated away; undefined where there is none. */
export function someLogFile(path: string): string | undefined {
  if (existsSync(path)) return path;
  const real = realLogPath(path);
  return existsSync(dirname(real)) ? rotatedPaths(real)[0] : undefined;
}

/** Whatever has such a name, in the order of their records. */
function rotatedPaths(path: string): readonly string[] {
  const name = basename(path);
  const names = readdirSync(dirname(path)).filter(
    (found) => found.length === name.length + 1 + SEQ_DIGITS && found.startsWith(`${name}.`) && /\.\d+$/.test(found),
  );
  return names.toSorted().map((found) => join(dirname(path), found));
}

export function rotatedFiles(path: string, own: number | undefined): readonly FoundFile[] {
  const files: FoundFile[] = [];
  for (const rotated of rotatedPaths(path)) {
    const file = openRotated(rotated);
    if (file === undefined) continue;
    try {
      // What was rotated away after it since it was opened is not read.
      if (own !== undefined && isSame(fstatSync(own), fstatSync(file))) break;
      files.push({ ...lookAt(rotated, file, files.at(-1)), file: undefined });
    } finally {
      closeSync(file);
    }
  }
  return files;
}

/** Undefined: no file, or moved away since its name was read. */
function openRotated(path: string): number | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  try {
    return openFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

export function reopen(path: string): number {
  try {
    return openSync(path, READ);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

export const isSame = (a: Stats, b: Stats): boolean => a.ino === b.ino && a.dev === b.dev;

export function lookAt(path: string, file: number, before: FoundFile | undefined): FoundFile {
  const end = before === undefined ? 0 : before.start + before.bytes;
  return { path, start: startOf(file) ?? end, bytes: fstatSync(file).size, file };
}

/** What the first record says; undefined where it is not there, or is none that begins a file. */
function startOf(file: number): number | undefined {
  const bytes = Buffer.alloc(FIRST_BYTES);
  const read = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0));
  if (read.subarray(0, FIRST_RECORD.length).equals(FIRST_RECORD)) return 0;
  const end = read.indexOf(LINE_END);
  const record = end === -1 ? undefined : readRecord(read.subarray(0, end));
  if (record?.action !== CONTINUED_ACTION && record?.action !== GAP_ACTION) return undefined;
  const { offset = 0 } = record.detail;
  return typeof offset === 'number' && Number.isInteger(offset) && offset >= 0 && offset <= MAX_START
    ? offset
    : undefined;
}
