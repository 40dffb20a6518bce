/**
 * Sends what is in the audit log to one sink, in order, each record at least once: the log itself is the queue, so nothing is held
 * in memory, and a sink that was away gets what it missed.
 *
 * A sink that is required stops the use of keys once too many records wait for it: what nobody but this machine has seen can be
 * taken back by whoever owns this machine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { advance, readRecord, type AuditHead } from '../record.ts';
import { LogReader } from '../log-reader.ts';
import { readCursor, writeCursor } from './cursor.ts';
import type { AuditLine, AuditSink } from './sink.ts';

/** The log, as its forwarders see it. */
export interface AuditFeed {
  readonly path: string;
  /** What has been written. */
  readonly head: { readonly seq: number; readonly offset: number };
  /** The place in the log of the first byte of the file that is written to: another once it was rotated. */
  readonly fileStart: number;
  /** Calls back after each write; gives how to end that. */
  onWritten(listener: () => void): () => void;
  /** Uses of keys are refused while `reason` gives one; gives how to end that. */
  hold(reason: () => string | undefined): () => void;
}

export type ForwarderOptions = {
  readonly feed: AuditFeed;
  readonly name: string;
  readonly sink: AuditSink;
  readonly cursorPath: string;
  /** Records that may wait before uses are refused; undefined: any number. */
  readonly maxWaiting: number | undefined;
  readonly reports: ForwarderReports;
  readonly retryMs?: { readonly first: number; readonly most: number };
};

export interface ForwarderReports {
  /** It could not be reached, or did not take what it was sent; told once until it does again. */
  failing(error: unknown): void;
  recovered(): void;
  /** Records from `first` to `last` are in a file that was moved away before it had them. */
  moved(records: Numbers): void;
}

const RETRY_MS = { first: 500, most: 30_000 };
const MAX_BATCH_LINES = 1000;
const MAX_BATCH_BYTES = 1024 * 1024;
/** Between two writes of the cursor. */
const CURSOR_INTERVAL_MS = 1000;

type Numbers = { readonly first: number; readonly last: number };
/** `moved`: records before it that are not here any more. */
type Batch = { readonly lines: readonly AuditLine[]; readonly end: AuditHead; readonly moved: Numbers | undefined };

export class AuditForwarder {
  readonly #options: ForwarderOptions;
  #reader: LogReader;
  /** Where the file began that was written to when the log was opened for reading. */
  #fileStart: number;
  /** Asked to end: what is there is still sent. */
  readonly #ending = new AbortController();
  /** Out of time. */
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  readonly #releases: readonly (() => void)[];
  #cursor: AuditHead;
  #kept: AuditHead;
  #keptAtMs = 0;
  #wake = Promise.withResolvers<void>();
  #isFailing = false;

  constructor(options: ForwarderOptions) {
    const { feed, name, maxWaiting } = options;
    this.#options = options;
    this.#fileStart = feed.fileStart;
    this.#reader = LogReader.open(feed.path);
    this.#cursor = readCursor(options.cursorPath, this.#reader);
    this.#kept = this.#cursor;
    const releases = [feed.onWritten(() => this.#wake.resolve())];
    if (maxWaiting !== undefined)
      releases.push(
        feed.hold(() => (this.waiting > maxWaiting ? `audit sink ${name}: ${this.waiting} records wait` : undefined)),
      );
    this.#releases = releases;
    this.#running = this.#run();
  }

  /** Records the sink does not have yet. */
  get waiting(): number {
    return Math.max(0, this.#options.feed.head.seq - this.#cursor.seq);
  }

  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Sends what is left, within the time given. The feed must write no more. */
  async stop(remainingMs: number): Promise<void> {
    this.#ending.abort();
    this.#wake.resolve();
    const timer = setTimeout(() => this.#stopping.abort(), remainingMs);
    await this.#running;
    clearTimeout(timer);
    for (const release of this.#releases) release();
    await this.#options.sink.close();
    this.#reader.close();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { first, most } = this.#options.retryMs ?? RETRY_MS;
    let pauseMs = first;
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers<void>();
      const outcome = await this.#step(signal);
      if (outcome === 'sent') {
        pauseMs = first;
        continue;
      }
      if (outcome === 'idle') this.#keep(true);
      if (this.#ending.signal.aborted) break;
      if (outcome === 'idle') await this.#wake.promise;
      else {
        await sleep(pauseMs, undefined, { signal: this.#ending.signal, ref: false }).catch(() => undefined);
        pauseMs = Math.min(2 * pauseMs, most);
      }
    }
    this.#keep(true);
  }

  /** What fails, reading the log included, is told once and tried again. */
  async #step(signal: AbortSignal): Promise<'sent' | 'idle' | 'failed'> {
    const { sink, reports } = this.#options;
    try {
      const batch = this.#next();
      if (batch === undefined) return 'idle';
      if (batch.lines.length > 0) await sink.send(batch.lines, signal);
      if (batch.moved !== undefined) reports.moved(batch.moved);
      this.#cursor = batch.end;
    } catch (error) {
      if (!this.#isFailing) reports.failing(error);
      this.#isFailing = true;
      return 'failed';
    }
    if (this.#isFailing) reports.recovered();
    this.#isFailing = false;
    this.#keep(false);
    return 'sent';
  }

  #next(): Batch | undefined {
    const { feed } = this.#options;
    if (this.#cursor.offset >= feed.head.offset) return undefined;
    if (feed.fileStart !== this.#fileStart) this.#look();
    try {
      return this.#read();
    } catch {
      // A file may have been moved away since they were looked at.
      this.#look();
      return this.#read();
    }
  }

  /** The lines that follow, as far as they were written as records. */
  #read(): Batch | undefined {
    const { offset } = this.#options.feed.head;
    let end = this.#cursor;
    let bytes = 0;
    let moved: Numbers | undefined;
    const lines: AuditLine[] = [];
    for (const line of this.#reader.lines(end.offset)) {
      if (line.end > offset || lines.length === MAX_BATCH_LINES || bytes > MAX_BATCH_BYTES) break;
      const seq = readRecord(line.bytes)?.seq;
      if (line.start > end.offset && end.seq > 0 && seq !== undefined && seq > end.seq + 1) {
        // What comes before it is sent first, so that it is told once.
        if (lines.length > 0) break;
        moved = { first: end.seq + 1, last: seq - 1 };
      }
      // A line that is no record is left out: an accepted gap may have left some.
      if (seq !== undefined) lines.push({ seq, bytes: line.bytes });
      bytes += line.bytes.length;
      end = advance(end, seq ?? end.seq, line.bytes, line.end);
    }
    return end === this.#cursor ? undefined : { lines, end, moved };
  }

  /** Which files there are, as they are now. */
  #look(): void {
    const { feed } = this.#options;
    const { fileStart } = feed;
    const reader = LogReader.open(feed.path);
    this.#reader.close();
    this.#reader = reader;
    this.#fileStart = fileStart;
  }

  #keep(now: boolean): void {
    const time = performance.now();
    if (this.#kept === this.#cursor || (!now && time - this.#keptAtMs < CURSOR_INTERVAL_MS)) return;
    try {
      writeCursor(this.#options.cursorPath, this.#cursor);
      this.#kept = this.#cursor;
      this.#keptAtMs = time;
    } catch {
      // An older one only sends more again.
    }
  }
}
