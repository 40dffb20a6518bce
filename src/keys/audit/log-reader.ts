/**
 * A log's files, read as one: those that were rotated away and lie beside it still, each named after the number of its first record, then
 * the file itself. Places are counted over all files that ever were, so that a head or a cursor holds whatever is rotated or moved away;
 * a file's first record says where in the log it begins (docs/KEYSTORE.md, "Audit log").
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
import { lineBefore, readLines, type LogLine } from './lines.ts';
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

type LogFile = {
  readonly path: string;
  /** In the log, of its first byte. */
  readonly start: number;
  /** What it was when it was looked at. */
  readonly bytes: number;
  /** Undefined: opened when it is read. */
  readonly file: number | undefined;
};

/** `isRotated`: in a file that is no longer written to. */
export type PlacedLine = LogLine & { readonly path: string; readonly isRotated: boolean };

export class LogReader {
  readonly #files: readonly LogFile[];

  private constructor(files: readonly LogFile[]) {
    this.#files = files;
  }

  /**
   * As the files are now; what is appended to the last is read too, what is rotated later is not. `opened`: the file itself, which stays the
   * caller's. Errors: ERR_KEYS_AUDIT_UNAVAILABLE.
   */
  static open(logPath: string, opened?: number): LogReader {
    const path = realLogPath(logPath);
    let own = opened;
    try {
      // First: what is rotated away from now on is the file that is open here.
      own ??= openFile(path);
      const rotated = rotatedFiles(path, own);
      if (own === undefined && rotated.length === 0) throw missing(logPath);
      return new LogReader(own === undefined ? rotated : [...rotated, lookAt(path, own, rotated.at(-1))]);
    } catch (cause) {
      if (own !== undefined && own !== opened) closeSync(own);
      if (cause instanceof KeysError) throw cause;
      throw unreadable(logPath, cause);
    }
  }

  /** Of the first byte that is here. */
  get start(): number {
    return this.#files[0]?.start ?? 0;
  }

  /** Of the file that is written to; where there is none yet, its start is here. */
  get lastStart(): number {
    const last = this.#files.at(-1);
    if (last === undefined) return 0;
    return last.file === undefined ? last.start + last.bytes : last.start;
  }

  /** The number of the first record in the file that is written to; undefined where it has none. */
  get lastSeq(): number | undefined {
    const { file, start } = this.#files.at(-1) ?? {};
    if (file === undefined || start === undefined) return undefined;
    for (const { bytes } of readLines(file, 0)) return readRecord(bytes)?.seq;
    return undefined;
  }

  get end(): number {
    const last = this.#files.at(-1);
    return last === undefined ? 0 : last.start + (last.file === undefined ? last.bytes : fstatSync(last.file).size);
  }

  /** The first line that is here; undefined where there is none. */
  get first(): Uint8Array | undefined {
    for (const { type, bytes } of this.lines()) return type === 'whole' ? bytes : undefined;
    return undefined;
  }

  /** From a place in the log, or from the first that is here after it. Errors: ERR_KEYS_AUDIT_UNAVAILABLE, as where a file was moved away since. */
  *lines(from = 0): Generator<PlacedLine> {
    // Files that were lost and put back may reach into places that were given since: who holds a place from then is in the later file.
    const first = from > 0 ? this.#files.findLastIndex(({ start }) => start <= from) : 0;
    for (const [index, { path, start, bytes, file }] of this.#files.entries()) {
      if (index < first || (index < this.#files.length - 1 && start + bytes <= from)) continue;
      const opened = file ?? reopen(path);
      try {
        for (const line of readLines(opened, Math.max(start, from), start))
          yield { ...line, path, isRotated: file === undefined };
      } finally {
        if (file === undefined) closeSync(opened);
      }
    }
  }

  /** The whole line that ends right before a place; undefined if there is none here. */
  lineBefore(offset: number): Uint8Array | undefined {
    const holding = this.#files.findLast(({ start }) => start < offset);
    if (holding === undefined) return undefined;
    const { path, start, file } = holding;
    const opened = file ?? reopen(path);
    try {
      return lineBefore(opened, offset - start);
    } finally {
      if (file === undefined) closeSync(opened);
    }
  }

  close(): void {
    for (const { file } of this.#files) if (file !== undefined) closeSync(file);
  }
}

const missing = (path: string): KeysError =>
  new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', `${path} cannot be read: ENOENT`);

const unreadable = (path: string, cause: unknown): KeysError =>
  new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', `${path} cannot be read: ${errorName(cause)}`, { cause });

/** Undefined: there is none, as after a crash while it was rotated. */
function openFile(path: string): number | undefined {
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

function rotatedFiles(path: string, own: number | undefined): readonly LogFile[] {
  const files: LogFile[] = [];
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

function reopen(path: string): number {
  try {
    return openSync(path, READ);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

export const isSame = (a: Stats, b: Stats): boolean => a.ino === b.ino && a.dev === b.dev;

function lookAt(path: string, file: number, before: LogFile | undefined): LogFile {
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
