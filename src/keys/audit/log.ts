/**
 * The audit log's writer. An answer leaves only after its record is written: records that wait together go out in one write
 * (and one sync, where durability is `fsync`). What cannot be written is not acknowledged: the use is refused.
 */
import { KeysError } from '../errors.ts';
import {
  AUDIT_SYNC_INTERVAL_MS,
  CHECKPOINT_INTERVAL_MS,
  CHECKPOINT_RECORDS,
  MAX_AUDIT_BATCH_RECORDS,
  ROTATION_RETRY_BYTES,
} from '../limits.ts';
import type { AuditOptions } from '../options.ts';
import { errorName } from '../root/secret-file.ts';
import { Chained, endOf, headOf, LineBuffer, type ChainEnd } from './chained.ts';
import type { AuditFeed } from './forward/forwarder.ts';
import { HeadFile } from './head-file.ts';
import type { AuditIdentity } from './identity.ts';
import type { LogFile } from './log-file.ts';
import { beginFile, failedRotation } from './own-entries.ts';
import type { AuditEntry, AuditHead, RepeatedEntry } from './record.ts';

type Entry = AuditEntry | RepeatedEntry;

/** Records that go out in one write. Whoever waits for one of them waits for all: they are written together, or none of them is. */
type Group = PromiseWithResolvers<void> & { readonly entries: AuditEntry[] };

/** `now`: milliseconds since 1970. */
export type LogParts = { readonly options: AuditOptions; readonly identity: AuditIdentity; readonly now: () => number };

export class AuditLog implements AuditFeed {
  readonly #options: AuditOptions;
  readonly #identity: AuditIdentity;
  readonly #now: () => number;
  readonly #file: LogFile;
  readonly #headFile: HeadFile;
  readonly #lines = new LineBuffer();
  /** In the order of their records; the last still takes some. */
  #queue: Group[] = [];
  /** The chain's end in the file, and the part of it that is known to be on the disk. */
  #written: ChainEnd;
  #synced: AuditHead;
  #flushing: Promise<void> | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  /** Syncs whose answer moves the head. */
  readonly #syncing = new Set<Promise<void>>();
  /** Records since the last checkpoint, and the time of it (or of the start). */
  #unattested = 0;
  #attestedAtMs: number;
  #dead: KeysError | undefined;
  #failing = false;
  /** Where the file is next to be rotated; moved on where that failed. */
  #rotateAt: number;
  readonly #listeners = new Set<() => void>();
  readonly #rotated = new Set<() => void>();
  readonly #holds = new Set<() => string | undefined>();

  constructor({ options, identity, now }: LogParts, file: LogFile, head: AuditHead) {
    this.#options = options;
    this.#identity = identity;
    this.#now = now;
    this.#attestedAtMs = now();
    this.#file = file;
    this.#headFile = new HeadFile(options.path, identity);
    this.#written = endOf(head);
    this.#synced = head;
    this.#rotateAt = this.#full;
  }

  /** As much of the chain as is known to be on the disk: what the store may remember. */
  get syncedHead(): AuditHead {
    return this.#synced;
  }

  get path(): string {
    return this.#options.path;
  }

  get head(): AuditHead {
    return headOf(this.#written);
  }

  /** The place in the log of the first byte of the file that is written to. */
  get fileStart(): number {
    return this.#file.start;
  }

  onWritten(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls back once what was written so far is synced, in a file of its own. */
  onRotated(listener: () => void): void {
    this.#rotated.add(listener);
  }

  hold(reason: () => string | undefined): () => void {
    this.#holds.add(reason);
    return () => void this.#holds.delete(reason);
  }

  /** Resolves once the record is written as durably as configured; ERR_KEYS_AUDIT_UNAVAILABLE. */
  append(entry: AuditEntry): Promise<void> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    const group = this.#openGroup();
    group.entries.push(entry);
    this.#flushing ??= this.#flush();
    return group.promise;
  }

  #openGroup(): Group {
    const last = this.#queue.at(-1);
    if (last !== undefined && last.entries.length < MAX_AUDIT_BATCH_RECORDS) return last;
    const group = { ...Promise.withResolvers<void>(), entries: [] };
    this.#queue.push(group);
    return group;
  }

  /** Whether `appendNow` may be called: no record has to wait for a sync. */
  get writesAtOnce(): boolean {
    return this.#options.durability === 'write';
  }

  /** Returns once the records are written, all in one write, where none has to wait for a sync; ERR_KEYS_AUDIT_UNAVAILABLE: none is. */
  appendNow(entries: readonly Entry[]): void {
    if (!this.writesAtOnce) throw new TypeError('records of this log wait for a sync');
    try {
      this.#write(entries);
    } catch (error) {
      throw this.#failure(error);
    }
    this.#failing = false;
    this.#scheduleSync();
  }

  /** Throws where no record can be written: until a restart, or while a sink is too far behind. */
  check(): void {
    if (this.#dead !== undefined) throw this.#dead;
    for (const hold of this.#holds) {
      const reason = hold();
      if (reason !== undefined) throw new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', reason);
    }
  }

  /** Whether the last record could not be written; the next may be. */
  get failing(): boolean {
    return this.#failing;
  }

  async close(): Promise<void> {
    await this.#flushing;
    clearTimeout(this.#syncTimer);
    // Its answer moves the head: after the file is closed it would write into whatever file has that number by then.
    await Promise.allSettled(this.#syncing);
    try {
      this.#attest();
      if (this.#dead === undefined) {
        this.#file.syncNow();
        this.#remember(this.head);
      }
      this.#headFile.close();
    } finally {
      this.#dead ??= new KeysError('ERR_KEYS_CLOSED', 'the audit log is closed');
      await this.#file.close();
    }
  }

  async #flush(): Promise<void> {
    // One turn of the event loop: whatever else became ready in it shares the write.
    await new Promise(setImmediate);
    for (let group = this.#queue.shift(); group !== undefined; group = this.#queue.shift())
      await this.#writeGroup(group);
    this.#flushing = undefined;
  }

  async #writeGroup({ entries, resolve, reject }: Group): Promise<void> {
    try {
      this.#write(entries);
      if (this.#options.durability === 'fsync') await this.#sync(this.head);
      else this.#scheduleSync();
      this.#failing = false;
      resolve();
    } catch (error) {
      reject(this.#failure(error));
    }
  }

  #failure(error: unknown): KeysError {
    this.#failing = true;
    return error instanceof KeysError ? error : this.#unavailable(error);
  }

  #write(entries: readonly Entry[]): void {
    this.check();
    if (this.#written.offset >= this.#rotateAt) this.#rotate();
    const chained = this.#chain(entries);
    const attests = this.#unattested + entries.length >= CHECKPOINT_RECORDS;
    if (attests) chained.attest(this.#now());
    this.#put(chained);
    if (!attests) this.#unattested += entries.length;
  }

  /** A file that a start found without its first record gets it here. */
  #chain(entries: readonly Entry[]): Chained {
    const { start } = this.#file;
    const begins = start > 0 && this.#written.offset === start;
    return this.#chainOf(begins ? beginFile(entries, start, this.#now()) : entries);
  }

  #chainOf(entries: readonly Entry[]): Chained {
    const chained = new Chained(this.#identity, this.#written, this.#lines);
    for (const entry of entries) chained.add(entry);
    return chained;
  }

  /** A checkpoint, where records were written since the last; where it cannot be written the next start's records are its own. */
  #attest(): void {
    if (this.#unattested === 0 || this.#dead !== undefined) return;
    const chained = this.#chain([]);
    chained.attest(this.#now());
    try {
      this.#put(chained);
    } catch (error) {
      this.#failure(error);
    }
  }

  get #full(): number {
    return this.#file.start + (this.#options.rotateAtBytes ?? Infinity);
  }

  /** Where the file cannot be rotated it is gone on with, and that is on record. */
  #rotate(): void {
    this.#attest();
    if (this.#dead !== undefined) throw this.#dead;
    // There was no room for the checkpoint that it is to end with: the next write tries again.
    if (this.#unattested > 0) return;
    try {
      this.#file.syncNow();
    } catch (cause) {
      this.#dead = this.#unavailable(cause);
      throw this.#dead;
    }
    this.#remember(this.head);
    try {
      const begun = this.#chainOf(beginFile([], this.#written.offset, this.#now()));
      this.#file.rotate(this.#written, begun.bytes);
      this.#written = begun.end;
      this.#rotateAt = this.#full;
    } catch (cause) {
      this.#rotateAt = this.#written.offset + ROTATION_RETRY_BYTES;
      this.#put(this.#chain([failedRotation(errorName(cause), this.#now())]));
      return;
    }
    for (const listener of this.#rotated) listener();
  }

  #put(chained: Chained): void {
    try {
      this.#file.append(chained.bytes);
    } catch (error) {
      this.#cutBack(error);
      throw error;
    } finally {
      this.#lines.release();
    }
    this.#written = chained.end;
    if (chained.isAttested) {
      this.#unattested = 0;
      this.#attestedAtMs = this.#now();
    }
    for (const listener of this.#listeners) listener();
  }

  /** A full disk may free itself: remove what was half written, refuse these records, and go on. */
  #cutBack(cause: unknown): void {
    try {
      this.#file.cutTo(this.#written.offset);
    } catch {
      this.#dead = this.#unavailable(cause);
    }
  }

  #sync(head: AuditHead): Promise<void> {
    const sync = this.#startSync(head);
    this.#syncing.add(sync);
    const done = (): boolean => this.#syncing.delete(sync);
    sync.then(done, done);
    return sync;
  }

  async #startSync(head: AuditHead): Promise<void> {
    try {
      await this.#file.sync();
    } catch (cause) {
      // After a failed sync the kernel may have dropped the pages: what is on the disk is unknown until it is read again.
      this.#dead = this.#unavailable(cause);
      throw this.#dead;
    }
    this.#remember(head);
  }

  #scheduleSync(): void {
    if (this.#syncTimer !== undefined) return;
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = undefined;
      if (this.#now() - this.#attestedAtMs >= CHECKPOINT_INTERVAL_MS) this.#attest();
      // A failure is kept in #dead, and refuses everything from here on.
      this.#sync(this.head).catch(() => undefined);
    }, AUDIT_SYNC_INTERVAL_MS).unref();
  }

  #remember(head: AuditHead): void {
    // Two syncs may be answered in another order than they were begun.
    if (head.seq < this.#synced.seq) return;
    this.#synced = head;
    try {
      this.#headFile.write(head);
    } catch {
      // The log is complete; an older head only finds less of a later truncation.
    }
  }

  #unavailable(cause: unknown): KeysError {
    return new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', `${this.#options.path} cannot be written: ${errorName(cause)}`, {
      cause,
    });
  }
}
