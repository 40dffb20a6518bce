/** Opens a log where its chain ends. */
import { closeSync } from 'node:fs';
import { laterHead, readHeadFile } from './head-file.ts';
import { AuditLog, type LogParts } from './log.ts';
import { LogFile, openLogFile } from './log-file.ts';
import { LogReader } from './log-reader.ts';
import { EMPTY_HEAD, type AuditHead } from './record.ts';
import { resumeLog, type Resumption } from './resume.ts';

/** Errors: ERR_KEYS_AUDIT_UNAVAILABLE, ERR_KEYS_AUDIT_TRUNCATED, ERR_KEYS_AUDIT_TAMPERED (the last two not where `acceptGap`). */
export function openAuditLog(parts: LogParts & { readonly storeHead: AuditHead; readonly acceptGap: boolean }): {
  log: AuditLog;
  resumption: Resumption;
} {
  const { options, identity, storeHead, acceptGap } = parts;
  const remembered = laterHead(storeHead, readHeadFile(options.path, identity)) ?? EMPTY_HEAD;
  const { path } = options;
  const file = openLogFile(path);
  try {
    const reader = LogReader.open(path, file);
    const resumption = resumeLog({ reader, file, path, identity }, remembered, acceptGap);
    const { head, start } = resumption;
    const firstSeq = head.offset === start ? head.seq + 1 : (reader.lastSeq ?? head.seq + 1);
    return { log: new AuditLog(parts, new LogFile(path, file, { start, firstSeq }), head), resumption };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}
