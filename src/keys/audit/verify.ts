/** Checks a whole audit log against its chain and against what the store and the head file remember. Reads only. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { equalBytes } from '../../crypto/bytes.ts';
import { KeysError } from '../errors.ts';
import { errorName } from '../root/secret-file.ts';
import { laterHead, readHeadFile, type AuditIdentity } from './head-file.ts';
import { readLines } from './lines.ts';
import { advance, EMPTY_HEAD, GAP_ACTION, openRecord, type AuditHead, type GenuineRecord } from './record.ts';

export type AuditGap = { readonly line: number; readonly afterSeq: number; readonly nextSeq: number };

export type AuditReport = {
  readonly records: number;
  readonly lastSeq: number;
  /** Missing records that an operator accepted; they are gone, and known to be. */
  readonly gaps: readonly AuditGap[];
  /** Bytes after the last line end: a write under way, or torn by a crash. */
  readonly unfinishedBytes: number;
  /** The first thing wrong; undefined means the log is whole. */
  readonly problem: AuditProblem | undefined;
};
export type AuditProblem =
  | { readonly type: 'bad-record'; readonly line: number; readonly afterSeq: number }
  | { readonly type: 'broken-chain'; readonly line: number; readonly seq: number; readonly afterSeq: number }
  | { readonly type: 'truncated'; readonly lastSeq: number; readonly rememberedSeq: number };

type Progress = {
  head: AuditHead;
  line: number;
  records: number;
  unfinishedBytes: number;
  sawRemembered: boolean;
  readonly gaps: AuditGap[];
};

/** Errors: ERR_KEYS_AUDIT_UNAVAILABLE when the file cannot be read; what is wrong inside is in the report. */
export function verifyAuditLog(path: string, identity: AuditIdentity, storeHead: AuditHead): AuditReport {
  // Read first: the owner may append while we read.
  const remembered = laterHead(storeHead, readHeadFile(path, identity)) ?? EMPTY_HEAD;
  const file = openForReading(path);
  try {
    const progress: Progress = {
      head: EMPTY_HEAD,
      line: 0,
      records: 0,
      unfinishedBytes: 0,
      sawRemembered: remembered.seq === 0,
      gaps: [],
    };
    const problem = walk(file, identity, remembered, progress) ?? endProblem(progress, remembered);
    const { records, gaps, unfinishedBytes, head } = progress;
    return { records, lastSeq: head.seq, gaps, unfinishedBytes, problem };
  } finally {
    closeSync(file);
  }
}

function openForReading(path: string): number {
  try {
    const file = openSync(path, 'r');
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
  } catch (cause) {
    throw new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', `${path} cannot be read: ${errorName(cause)}`, { cause });
  }
  throw new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', `${path} is no regular file`);
}

function walk(
  file: number,
  identity: AuditIdentity,
  remembered: AuditHead,
  progress: Progress,
): AuditProblem | undefined {
  for (const line of readLines(file, 0)) {
    progress.line += 1;
    if (line.type === 'unfinished') {
      progress.unfinishedBytes = line.end - line.start;
      return undefined;
    }
    const record = line.type === 'whole' ? openRecord(line.bytes, identity.key) : undefined;
    if (record === undefined) return { type: 'bad-record', line: progress.line, afterSeq: progress.head.seq };
    const problem = follow(record, progress);
    if (problem !== undefined) return problem;
    progress.head = advance(progress.head, record.seq, line.bytes, line.end);
    progress.records += 1;
    if (record.seq === remembered.seq) progress.sawRemembered = equalBytes(progress.head.hash, remembered.hash);
  }
  return undefined;
}

function follow(record: GenuineRecord, progress: Progress): AuditProblem | undefined {
  const { head, line } = progress;
  const continues = record.seq === head.seq + 1 && equalBytes(record.prevHash, head.hash);
  if (continues) return undefined;
  if (record.action === GAP_ACTION && record.seq > head.seq) {
    progress.gaps.push({ line, afterSeq: head.seq, nextSeq: record.seq });
    return undefined;
  }
  return { type: 'broken-chain', line, seq: record.seq, afterSeq: head.seq };
}

function endProblem(progress: Progress, remembered: AuditHead): AuditProblem | undefined {
  const lastSeq = progress.head.seq;
  // A gap accepted after the remembered record was lost stands in its place.
  const gone = progress.gaps.some((gap) => gap.afterSeq < remembered.seq && remembered.seq < gap.nextSeq);
  if (lastSeq < remembered.seq || (!progress.sawRemembered && !gone))
    return { type: 'truncated', lastSeq, rememberedSeq: remembered.seq };
  return undefined;
}
