/**
 * Checks a whole audit log: by a secret of its store (each record's MAC, the chain, and what the store and the head file remember), or
 * by the public key of its checkpoints alone (the chain, and their signatures). Reads only.
 */
import type { KeyObject } from 'node:crypto';
import { equalBytes } from '../../crypto/bytes.ts';
import { ed25519PublicKey } from '../../crypto/ed25519.ts';
import { CHECKPOINT_ACTION, checkpointKey, isSigned } from './checkpoint.ts';
import { laterHead, readHeadFile } from './head-file.ts';
import type { AuditIdentity } from './identity.ts';
import { LogReader } from './log-reader.ts';
import {
  advance,
  CONTINUED_ACTION,
  EMPTY_HEAD,
  GAP_ACTION,
  openRecord,
  readRecord,
  type AuditHead,
  type ChainRecord,
} from './record.ts';
import { headBefore, isAfter } from './resume.ts';

/** `line` of `file`, the first being 1. */
type LinePlace = { readonly file: string; readonly line: number };
export type AuditGap = LinePlace & { readonly afterSeq: number; readonly nextSeq: number };

export type AuditReport = {
  readonly records: number;
  readonly lastSeq: number;
  /** The last record of those that are in files that were moved away; 0: none is, the first is here. */
  readonly startsAfter: number;
  /** Missing records that an operator accepted; they are gone, and known to be. */
  readonly gaps: readonly AuditGap[];
  /** Signed checkpoints, and the last record that one of them covers. */
  readonly checkpoints: number;
  readonly attestedSeq: number;
  /** Ed25519, 64 hex digits: by what checkpoints are checked where the store is not at hand. */
  readonly checkpointKey: string;
  /** Bytes after the last line end: a write under way, or torn by a crash. */
  readonly unfinishedBytes: number;
  /** The first thing wrong; undefined means the log is whole. */
  readonly problem: AuditProblem | undefined;
};
export type AuditProblem =
  | (LinePlace & { readonly type: 'bad-record'; readonly afterSeq: number })
  | (LinePlace & { readonly type: 'broken-chain'; readonly seq: number; readonly afterSeq: number })
  | (LinePlace & { readonly type: 'bad-checkpoint'; readonly seq: number })
  | { readonly type: 'truncated'; readonly lastSeq: number; readonly rememberedSeq: number };

/** What lines are checked by. */
type Check = {
  /** Undefined: not a record that counts. */
  readonly open: (line: Uint8Array) => ChainRecord | undefined;
  readonly publicKey: KeyObject;
  /** Undefined: checkpoints say it. */
  readonly storeId: Uint8Array | undefined;
  readonly remembered: AuditHead;
};

type Progress = {
  head: AuditHead;
  place: LinePlace;
  /** What the first record that is here goes on from. */
  start: AuditHead;
  records: number;
  checkpoints: number;
  attestedSeq: number;
  unfinishedBytes: number;
  sawRemembered: boolean;
  readonly gaps: AuditGap[];
};

/** Errors: ERR_KEYS_AUDIT_UNAVAILABLE when the file cannot be read; what is wrong inside is in the report. */
export function verifyAuditLog(path: string, identity: AuditIdentity, storeHead: AuditHead): AuditReport {
  const { key, hex } = checkpointKey(identity);
  // Read first: the owner may append while we read.
  const remembered = laterHead(storeHead, readHeadFile(path, identity)) ?? EMPTY_HEAD;
  return verifyFile(path, hex, {
    open: (line) => openRecord(line, identity.key),
    ...{ publicKey: key, storeId: identity.storeId, remembered },
  });
}

/**
 * Without the store, by the 32 bytes of the public key: what its checkpoints cover is as it was written. Records after the last of them, and whether
 * later ones were cut off, nobody can tell without the store. Errors: as `verifyAuditLog`.
 */
export function verifyAttestedLog(path: string, publicBytes: Uint8Array): AuditReport {
  const publicKey = ed25519PublicKey(publicBytes);
  const check = { open: readRecord, publicKey, storeId: undefined, remembered: EMPTY_HEAD };
  return verifyFile(path, Buffer.from(publicBytes).toString('hex'), check);
}

function verifyFile(path: string, publicKeyHex: string, check: Check): AuditReport {
  const reader = LogReader.open(path);
  try {
    const progress: Progress = {
      ...{ head: EMPTY_HEAD, start: EMPTY_HEAD, place: { file: path, line: 0 } },
      ...{ records: 0, checkpoints: 0, attestedSeq: 0, unfinishedBytes: 0 },
      sawRemembered: check.remembered.seq === 0,
      gaps: [],
    };
    const problem = walk(reader, check, progress) ?? endProblem(progress, check.remembered);
    const { records, gaps, checkpoints, attestedSeq, unfinishedBytes, head, start } = progress;
    const found = { records, lastSeq: head.seq, startsAfter: start.seq, gaps, checkpoints, attestedSeq };
    return { ...found, unfinishedBytes, problem, checkpointKey: publicKeyHex };
  } finally {
    reader.close();
  }
}

function walk(reader: LogReader, check: Check, progress: Progress): AuditProblem | undefined {
  for (const line of reader.lines()) {
    const { file } = progress.place;
    progress.place = { file: line.path, line: line.path === file ? progress.place.line + 1 : 1 };
    if (line.type === 'unfinished' && !line.isRotated) {
      progress.unfinishedBytes = line.end - line.start;
      return undefined;
    }
    const record = line.type === 'whole' ? check.open(line.bytes) : undefined;
    if (record === undefined) return { type: 'bad-record', ...progress.place, afterSeq: progress.head.seq };
    if (progress.records === 0) begin(record, line.start, progress, check.remembered);
    const problem = follow(record, progress) ?? attest(record, check, progress);
    if (problem !== undefined) return problem;
    progress.head = advance(progress.head, record.seq, line.bytes, line.end);
    progress.records += 1;
    if (record.seq === check.remembered.seq)
      progress.sawRemembered = equalBytes(progress.head.hash, check.remembered.hash);
  }
  return undefined;
}

/** The first record that is here may go on from a file that was moved away. */
function begin(record: ChainRecord, offset: number, progress: Progress, remembered: AuditHead): void {
  if (record.action !== CONTINUED_ACTION) return;
  progress.start = headBefore(record, offset);
  progress.head = progress.start;
  progress.sawRemembered ||= isAfter(progress.start, remembered);
}

function attest(
  { action, seq, prevHash, detail }: ChainRecord,
  check: Check,
  progress: Progress,
): AuditProblem | undefined {
  if (action !== CHECKPOINT_ACTION) return undefined;
  const storeId = check.storeId ?? Buffer.from(text(detail['store']), 'hex');
  if (!isSigned(check.publicKey, { storeId, seq, prevHash }, text(detail['signature'])))
    return { type: 'bad-checkpoint', ...progress.place, seq };
  progress.checkpoints += 1;
  progress.attestedSeq = seq - 1;
  return undefined;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function follow(record: ChainRecord, progress: Progress): AuditProblem | undefined {
  const { head, place } = progress;
  const continues = record.seq === head.seq + 1 && equalBytes(record.prevHash, head.hash);
  if (continues) return undefined;
  if (record.action === GAP_ACTION && record.seq > head.seq) {
    progress.gaps.push({ ...place, afterSeq: head.seq, nextSeq: record.seq });
    return undefined;
  }
  return { type: 'broken-chain', ...place, seq: record.seq, afterSeq: head.seq };
}

function endProblem(progress: Progress, remembered: AuditHead): AuditProblem | undefined {
  const lastSeq = progress.head.seq;
  // A gap accepted after the remembered record was lost stands in its place.
  const gone = progress.gaps.some((gap) => gap.afterSeq < remembered.seq && remembered.seq < gap.nextSeq);
  if (lastSeq < remembered.seq || (!progress.sawRemembered && !gone))
    return { type: 'truncated', lastSeq, rememberedSeq: remembered.seq };
  return undefined;
}
