/**
 * A log's files, read as one. Places are counted over all files that ever were, so that a head or a cursor holds whatever is rotated or moved
 * away.
 */
import { closeSync, fstatSync } from 'node:fs';
import { KeysError } from '../errors.ts';
import { lineBefore, readLines, type LogLine } from './lines.ts';
import { readRecord } from './record.ts';
import { lookAt, openFile, realLogPath, reopen, rotatedFiles, unreadable, type FoundFile } from './rotated-files.ts';

/** `isRotated`: in a file that is no longer written to. */
export type PlacedLine = LogLine & { readonly path: string; readonly isRotated: boolean };

export class LogReader {
  readonly #files: readonly FoundFile[];

  private constructor(files: readonly FoundFile[]) {
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
