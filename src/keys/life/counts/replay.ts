/**
 * Counts what the audit log says that materials have protected. Each record is authenticated; where records are missing, or are not what
 * was written, their numbers tell how many, and each counts as a use of every material that was there.
 */
import type { AuditIdentity } from '../../audit/identity.ts';
import { LogReader } from '../../audit/log-reader.ts';
import { EMPTY_HEAD, openRecord, type AuditHead, type ChainRecord } from '../../audit/record.ts';
import { readCountFile } from './count-file.ts';
import { MAX_BYTES_OF_USE, UseCounts } from './use-counts.ts';

/** What protects; that a use has failed is in its record. */
const PROTECTS: ReadonlySet<string> = new Set([
  'Encrypt',
  'ReEncryptTo',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateMac',
  'Sign',
  'DeriveSharedSecret',
  'Encapsulate',
]);

export type Replayed = {
  readonly counts: UseCounts;
  /** As far as the log was counted before, by its file of counts. */
  readonly from: AuditHead;
};

/** Until the end that is known of the log: records before it that are not there are missing. `now` in ISO 8601. */
export function replayUses(path: string, identity: AuditIdentity, until: AuditHead, now: string): Replayed {
  const reader = openLog(path);
  try {
    const kept = reader && readCountFile(path, reader, identity);
    const from = kept?.head ?? EMPTY_HEAD;
    const counts = kept?.counts ?? new UseCounts();
    const seq = reader === undefined ? 0 : follow(reader, from, identity, counts);
    counts.noteMissing({ at: now, records: until.seq - seq });
    return { counts, from };
  } finally {
    reader?.close();
  }
}

function openLog(path: string): LogReader | undefined {
  try {
    return LogReader.open(path);
  } catch {
    // All that was ever written to it is missing.
    return undefined;
  }
}

/** The number of the last record. */
function follow(reader: LogReader, from: AuditHead, identity: AuditIdentity, counts: UseCounts): number {
  let { seq } = from;
  for (const line of reader.lines(from.offset)) {
    const record = line.type === 'whole' ? openRecord(line.bytes, identity.key) : undefined;
    if (record === undefined || record.seq <= seq) continue;
    counts.noteMissing({ at: record.time, records: record.seq - seq - 1 });
    seq = record.seq;
    noteUse(record, counts);
  }
  return seq;
}

function noteUse({ action, result, material, detail }: ChainRecord, counts: UseCounts): void {
  if (result !== 'success' || material === null || !PROTECTS.has(action)) return;
  const { bytes } = detail;
  // Before they were recorded: as many as there can have been.
  counts.note(material, typeof bytes === 'number' ? bytes : MAX_BYTES_OF_USE);
}
