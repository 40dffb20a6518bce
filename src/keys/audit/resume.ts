/** Finds where to go on in an audit log: after a clean end, after a crash's torn end, or, if told, after a gap. */
import { ftruncateSync, fstatSync } from 'node:fs';
import { equalBytes } from '../../crypto/bytes.ts';
import { KeysError } from '../errors.ts';
import type { AuditIdentity } from './head-file.ts';
import { lineBefore, readLines, type LogLine } from './lines.ts';
import { advance, lineHash, openRecord, type AuditHead } from './record.ts';

export type Resumption =
  | { readonly type: 'clean'; readonly head: AuditHead }
  /** Bytes that a crash left of an unfinished write were removed. */
  | { readonly type: 'repaired'; readonly head: AuditHead; readonly droppedBytes: number }
  /** Records are missing; `head.seq` and `head.hash` are the remembered ones, `head.offset` the file's end. */
  | { readonly type: 'gap'; readonly head: AuditHead };

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
    return gapAfter(file, remembered, identity);
  }
  try {
    return followChain(file, path, remembered, identity);
  } catch (error) {
    if (!acceptGap || !(error instanceof KeysError)) throw error;
    return gapAfter(file, remembered, identity);
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

/** A genuine record after a bad one is no torn write: something in between was changed. */
function dropTornEnd(
  file: number,
  path: string,
  head: AuditHead,
  first: readonly LogLine[],
  rest: Iterable<LogLine>,
  identity: AuditIdentity,
): Resumption {
  for (const lines of [first, rest]) {
    for (const line of lines) {
      if (line.type !== 'whole' || openRecord(line.bytes, identity.key) === undefined) continue;
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

/** A gap's record gets a number above all that are there, and its own line: what a torn write left of the last one goes. */
function gapAfter(file: number, remembered: AuditHead, identity: AuditIdentity): Resumption {
  let { seq } = remembered;
  let offset = 0;
  for (const line of readLines(file, 0)) {
    if (line.type === 'unfinished') ftruncateSync(file, line.start);
    else offset = line.end;
    const record = line.type === 'whole' ? openRecord(line.bytes, identity.key) : undefined;
    seq = Math.max(seq, record?.seq ?? 0);
  }
  return { type: 'gap', head: { seq, hash: remembered.hash, offset } };
}
