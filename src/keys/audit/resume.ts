/**
 * Finds where to go on in an audit log: after a clean end, after a crash's torn end, or, if told, after a gap.
 *
 * Threat: a path that names another file (a key file, another store's log). Bytes are cut off only where they can be nothing but
 * an unfinished write of this log; a file that holds nothing of ours is never touched, whatever the operator accepts.
 */
import { ftruncateSync, fstatSync, readSync } from 'node:fs';
import { equalBytes, isZero } from '../../crypto/bytes.ts';
import { KeysError } from '../errors.ts';
import type { AuditIdentity } from './identity.ts';
import { lineBefore, readLines, type LogLine } from './lines.ts';
import { advance, lineHash, openRecord, type AuditHead } from './record.ts';

export type Resumption =
  | { readonly type: 'clean'; readonly head: AuditHead }
  /** Bytes that a crash left of an unfinished write were removed. */
  | { readonly type: 'repaired'; readonly head: AuditHead; readonly droppedBytes: number }
  /** Records are missing; `head.seq` and `head.hash` are the remembered ones, `head.offset` the file's end. */
  | { readonly type: 'gap'; readonly head: AuditHead };

/** How every log begins (`encodeRecord`). */
const FIRST_RECORD = Buffer.from('{"seq":1,', 'latin1');

/** Errors: ERR_KEYS_AUDIT_TRUNCATED, ERR_KEYS_AUDIT_TAMPERED (neither where `acceptGap`). */
export function resumeLog(
  file: number,
  path: string,
  remembered: AuditHead,
  identity: AuditIdentity,
  acceptGap: boolean,
): Resumption {
  const problem = rememberedProblem(file, path, remembered);
  if (problem !== undefined) {
    if (!acceptGap) throw problem;
    return gapAfter(file, path, remembered, identity);
  }
  try {
    return followChain(file, path, remembered, identity);
  } catch (error) {
    if (!acceptGap || !(error instanceof KeysError)) throw error;
    return gapAfter(file, path, remembered, identity);
  }
}

/** The record remembered must lie where it is remembered. */
function rememberedProblem(file: number, path: string, remembered: AuditHead): KeysError | undefined {
  if (remembered.seq === 0) return undefined;
  if (fstatSync(file).size < remembered.offset) {
    return new KeysError(
      'ERR_KEYS_AUDIT_TRUNCATED',
      `${path} ends before record ${remembered.seq}, which was written to it`,
    );
  }
  const line = lineBefore(file, remembered.offset);
  if (line !== undefined && equalBytes(lineHash(line), remembered.hash)) return undefined;
  return new KeysError(
    'ERR_KEYS_AUDIT_TAMPERED',
    `${path} does not hold record ${remembered.seq} where it was written`,
  );
}

/** Records written after the head was last remembered: each must continue the chain, up to a torn end. */
function followChain(file: number, path: string, remembered: AuditHead, identity: AuditIdentity): Resumption {
  let head = remembered;
  const lines = readLines(file, remembered.offset);
  for (const line of lines) {
    const next = nextHead(head, line, identity);
    if (next === undefined) return dropTornEnd(file, path, head, [line], lines, identity);
    head = next;
  }
  return { type: 'clean', head };
}

function nextHead(head: AuditHead, line: LogLine, identity: AuditIdentity): AuditHead | undefined {
  const record = line.type === 'whole' ? openRecord(line.bytes, identity.key) : undefined;
  if (record === undefined || record.seq !== head.seq + 1 || !equalBytes(record.prevHash, head.hash)) return undefined;
  return advance(head, record.seq, line.bytes, line.end);
}

/** What a crash leaves of a write has no whole record in it, genuine or not: something else was put or changed there. */
function dropTornEnd(
  file: number,
  path: string,
  head: AuditHead,
  first: readonly LogLine[],
  rest: Iterable<LogLine>,
  identity: AuditIdentity,
): Resumption {
  if (head.seq === 0) assertOwnBeginning(file, path);
  for (const lines of [first, rest]) {
    for (const line of lines) {
      if (line.type !== 'whole' || (openRecord(line.bytes, identity.key) === undefined && !isJson(line.bytes)))
        continue;
      throw new KeysError(
        'ERR_KEYS_AUDIT_TAMPERED',
        `${path}: the chain breaks after record ${head.seq}, but records follow`,
      );
    }
  }
  const droppedBytes = fstatSync(file).size - head.offset;
  ftruncateSync(file, head.offset);
  return { type: 'repaired', head, droppedBytes };
}

function isJson(line: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(line).toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** The first bytes of a first record, or zeros (of a file that grew before its content was written). */
function assertOwnBeginning(file: number, path: string): void {
  const beginning = Buffer.alloc(FIRST_RECORD.length);
  const found = beginning.subarray(0, readSync(file, beginning, 0, beginning.length, 0));
  if (FIRST_RECORD.subarray(0, found.length).equals(found) || isZero(found)) return;
  throw foreign(path);
}

function foreign(path: string): KeysError {
  return new KeysError(
    'ERR_KEYS_AUDIT_TAMPERED',
    `${path} holds something else than an audit log of this store; name another file, or move this one away`,
  );
}

/** A gap's record gets a number above all that are there, and its own line: what a torn write left of the last one goes. */
function gapAfter(file: number, path: string, remembered: AuditHead, identity: AuditIdentity): Resumption {
  let seq = 0;
  let offset = 0;
  for (const line of readLines(file, 0)) {
    if (line.type !== 'unfinished') offset = line.end;
    const record = line.type === 'whole' ? openRecord(line.bytes, identity.key) : undefined;
    seq = Math.max(seq, record?.seq ?? 0);
  }
  // Lines, and none of them ours: another store's log, or no log at all.
  if (seq === 0 && offset > 0) throw foreign(path);
  if (seq === 0) assertOwnBeginning(file, path);
  ftruncateSync(file, offset);
  return { type: 'gap', head: { seq: Math.max(seq, remembered.seq), hash: remembered.hash, offset } };
}
