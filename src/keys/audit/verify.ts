/**
 * Checks a whole audit log: by a secret of its store (each record's MAC, the chain, and what the store and the head file remember), or
 * by the public key of its checkpoints alone (the chain, and their signatures). Reads only.
 */
import type { KeyObject } from 'node:crypto';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { equalBytes } from '../../crypto/bytes.ts';
import { ed25519PublicKey } from '../../crypto/ed25519.ts';
import { KeysError } from '../errors.ts';
import { errorName } from '../root/secret-file.ts';
import { CHECKPOINT_ACTION, checkpointKey, isSigned } from './checkpoint.ts';
import { laterHead, readHeadFile } from './head-file.ts';
import type { AuditIdentity } from './identity.ts';
import { readLines } from './lines.ts';
import { advance, EMPTY_HEAD, GAP_ACTION, openRecord, readRecord, type AuditHead, type ChainRecord } from './record.ts';

export type AuditGap = { readonly line: number; readonly afterSeq: number; readonly nextSeq: number };

export type AuditReport = {
  readonly records: number;
  readonly lastSeq: number;
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
  | { readonly type: 'bad-record'; readonly line: number; readonly afterSeq: number }
  | { readonly type: 'broken-chain'; readonly line: number; readonly seq: number; readonly afterSeq: number }
  | { readonly type: 'bad-checkpoint'; readonly line: number; readonly seq: number }
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
  line: number;
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
  const file = openForReading(path);
  try {
    const progress: Progress = {
      head: EMPTY_HEAD,
      ...{ line: 0, records: 0, checkpoints: 0, attestedSeq: 0, unfinishedBytes: 0 },
      sawRemembered: check.remembered.seq === 0,
      gaps: [],
    };
    const problem = walk(file, check, progress) ?? endProblem(progress, check.remembered);
    const { records, gaps, checkpoints, attestedSeq, unfinishedBytes, head } = progress;
    const found = { records, lastSeq: head.seq, gaps, checkpoints, attestedSeq, unfinishedBytes, problem };
    return { ...found, checkpointKey: publicKeyHex };
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

function walk(file: number, check: Check, progress: Progress): AuditProblem | undefined {
  for (const line of readLines(file, 0)) {
    progress.line += 1;
    if (line.type === 'unfinished') {
      progress.unfinishedBytes = line.end - line.start;
      return undefined;
    }
    const record = line.type === 'whole' ? check.open(line.bytes) : undefined;
    if (record === undefined) return { type: 'bad-record', line: progress.line, afterSeq: progress.head.seq };
    const problem = follow(record, progress) ?? attest(record, check, progress);
    if (problem !== undefined) return problem;
    progress.head = advance(progress.head, record.seq, line.bytes, line.end);
    progress.records += 1;
    if (record.seq === check.remembered.seq)
      progress.sawRemembered = equalBytes(progress.head.hash, check.remembered.hash);
  }
  return undefined;
}

function attest(
  { action, seq, prevHash, detail }: ChainRecord,
  check: Check,
  progress: Progress,
): AuditProblem | undefined {
  if (action !== CHECKPOINT_ACTION) return undefined;
  const storeId = check.storeId ?? Buffer.from(text(detail['store']), 'hex');
  if (!isSigned(check.publicKey, { storeId, seq, prevHash }, text(detail['signature'])))
    return { type: 'bad-checkpoint', line: progress.line, seq };
  progress.checkpoints += 1;
  progress.attestedSeq = seq - 1;
  return undefined;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function follow(record: ChainRecord, progress: Progress): AuditProblem | undefined {
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
