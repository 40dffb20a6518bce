/**
 * Finds where to go on in an audit log: after a clean end, after a crash's torn end, or, if told, after a gap.
 *
 * Threat: a path that names another file (a key file, another store's log). Bytes are cut off only where they can be nothing but
 * an unfinished write of this log; a file that holds nothing of ours is never touched, whatever the operator accepts.
 */
import { ftruncateSync, readSync } from 'node:fs';
import { equalBytes, isZero } from '../../crypto/bytes.ts';
import { KeysError } from '../errors.ts';
import type { AuditIdentity } from './identity.ts';
import type { LogLine } from './lines.ts';
import type { LogReader, PlacedLine } from './log-reader.ts';
import { advance, CONTINUED_ACTION, lineHash, openRecord, type AuditHead, type ChainRecord } from './record.ts';

/** `start`: the place in the log of the first byte of the file that is written to. */
export type Resumption = { readonly head: AuditHead; readonly start: number } & (
  | { readonly type: 'clean' }
  /** Bytes that a crash left of an unfinished write were removed. */
  | { readonly type: 'repaired'; readonly droppedBytes: number }
  /** Records are missing; `head.seq` and `head.hash` are the remembered ones, `head.offset` the log's end. */
  | { readonly type: 'gap' }
);

const RECORD_OPEN = Buffer.from('{"seq":', 'latin1');

/** What a log is resumed from: all its files, and the one of them that is written to, at `path`. */
export type ResumedLog = {
  readonly reader: LogReader;
  readonly file: number;
  readonly path: string;
  readonly identity: AuditIdentity;
};

/** Errors: ERR_KEYS_AUDIT_TRUNCATED, ERR_KEYS_AUDIT_TAMPERED (neither where `acceptGap`), ERR_KEYS_AUDIT_UNAVAILABLE. */
export function resumeLog(log: ResumedLog, remembered: AuditHead, acceptGap: boolean): Resumption {
  try {
    return followChain(log, placeOf(log, remembered));
  } catch (error) {
    if (!acceptGap || !(error instanceof KeysError)) throw error;
    return gapAfter(log, remembered);
  }
}

/** The record remembered must lie where it is remembered, or in a file that was moved away: then what is here begins after it. */
function placeOf(log: ResumedLog, remembered: AuditHead): AuditHead {
  const { reader, path } = log;
  if (remembered.seq === 0 && reader.start === 0) return remembered;
  if (reader.end < remembered.offset) {
    throw new KeysError(
      'ERR_KEYS_AUDIT_TRUNCATED',
      `${path} ends before record ${remembered.seq}, which was written to it`,
    );
  }
  const line = reader.lineBefore(remembered.offset);
  if (line !== undefined && equalBytes(lineHash(line), remembered.hash)) return remembered;
  const moved = remembered.offset <= reader.start ? beginning(log) : undefined;
  if (moved !== undefined && isAfter(moved, remembered)) return moved;
  throw new KeysError('ERR_KEYS_AUDIT_TAMPERED', `${path} does not hold record ${remembered.seq} where it was written`);
}

/** What the first file that is here goes on from, by its own genuine record. */
function beginning({ reader, identity }: ResumedLog): AuditHead | undefined {
  const { first } = reader;
  const record = first && openRecord(first, identity.key);
  return record?.action === CONTINUED_ACTION ? headBefore(record, reader.start) : undefined;
}

/** The end of the chain that a record goes on from. */
export const headBefore = ({ seq, prevHash }: ChainRecord, offset: number): AuditHead => ({
  seq: seq - 1,
  hash: prevHash,
  offset,
});

/** Whether what begins after `head` can follow what was remembered. */
export const isAfter = (head: AuditHead, remembered: AuditHead): boolean =>
  head.seq > remembered.seq || (head.seq === remembered.seq && equalBytes(head.hash, remembered.hash));

/** Records written after the head was last remembered: each must continue the chain, up to a torn end. */
function followChain(log: ResumedLog, from: AuditHead): Resumption {
  const { reader, identity } = log;
  let head = from;
  const lines = reader.lines(from.offset);
  for (const line of lines) {
    const next = nextHead(head, line, identity);
    if (next === undefined) return dropTornEnd(log, head, line, lines);
    head = next;
  }
  return { type: 'clean', head, start: reader.lastStart };
}

function nextHead(head: AuditHead, line: LogLine, identity: AuditIdentity): AuditHead | undefined {
  const record = line.type === 'whole' ? openRecord(line.bytes, identity.key) : undefined;
  if (record === undefined || record.seq !== head.seq + 1 || !equalBytes(record.prevHash, head.hash)) return undefined;
  return advance(head, record.seq, line.bytes, line.end);
}

/** What a crash leaves of a write has no whole record in it, genuine or not: something else was put or changed there. */
function dropTornEnd(log: ResumedLog, head: AuditHead, first: PlacedLine, rest: Iterable<PlacedLine>): Resumption {
  const { reader, file, identity } = log;
  const start = reader.lastStart;
  // A file is rotated away whole.
  if (head.offset < start) throw broken(first.path, head);
  if (head.offset === start) assertOwnBeginning(log);
  for (const lines of [[first], rest])
    for (const line of lines)
      if (line.type === 'whole' && (openRecord(line.bytes, identity.key) !== undefined || isJson(line.bytes)))
        throw broken(line.path, head);
  const droppedBytes = reader.end - head.offset;
  ftruncateSync(file, head.offset - start);
  return { type: 'repaired', head, start, droppedBytes };
}

const broken = (path: string, { seq }: AuditHead): KeysError =>
  new KeysError('ERR_KEYS_AUDIT_TAMPERED', `${path}: the chain breaks after record ${seq}, but records follow`);

function isJson(line: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(line).toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** How every file of a log begins (`recordJson`), or zeros (of a file that grew before its content was written). */
function assertOwnBeginning({ file, path }: ResumedLog): void {
  const beginning = Buffer.alloc(RECORD_OPEN.length);
  const found = beginning.subarray(0, readSync(file, beginning, 0, beginning.length, 0));
  if (RECORD_OPEN.subarray(0, found.length).equals(found) || isZero(found)) return;
  throw foreign(path);
}

function foreign(path: string): KeysError {
  return new KeysError(
    'ERR_KEYS_AUDIT_TAMPERED',
    `${path} holds something else than an audit log of this store; name another file, or move this one away`,
  );
}

/** A gap's record gets a number above all that are there, and its own line: what a torn write left of the last one goes. */
function gapAfter(log: ResumedLog, remembered: AuditHead): Resumption {
  const { reader, file, path, identity } = log;
  const { lastStart } = reader;
  let [seq, ownSeq] = [0, 0];
  let offset = lastStart;
  for (const line of reader.lines()) {
    const record = line.type === 'whole' ? openRecord(line.bytes, identity.key) : undefined;
    seq = Math.max(seq, record?.seq ?? 0);
    if (line.isRotated) continue;
    if (line.type !== 'unfinished') offset = line.end;
    ownSeq = Math.max(ownSeq, record?.seq ?? 0);
  }
  // Lines, and none of them ours: another store's log, or no log at all.
  if (ownSeq === 0 && offset > lastStart) throw foreign(path);
  if (ownSeq === 0) assertOwnBeginning(log);
  ftruncateSync(file, offset - lastStart);
  const head = { seq: Math.max(seq, remembered.seq), hash: remembered.hash };
  if (ownSeq > 0) return { type: 'gap', head: { ...head, offset }, start: lastStart };
  // Places of files that may be put back one day are not given again.
  const start = Math.max(lastStart, remembered.offset);
  return { type: 'gap', head: { ...head, offset: start }, start };
}
