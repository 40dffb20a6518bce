/**
 * The counts up to a place of the audit log, so that a start need not read all of it: `<log>.uses`, one line of JSON and its MAC. It only
 * saves time: without it, or with one that does not fit the log, all is counted anew (docs/KEYSTORE.md, "Counts of uses").
 */
import { readFileSync } from 'node:fs';
import { equalBytes } from '../../../crypto/bytes.ts';
import { hmacSha256 } from '../../../crypto/hmac.ts';
import type { AuditIdentity } from '../../audit/identity.ts';
import type { LogReader } from '../../audit/log-reader.ts';
import { lineHash, openRecord, type AuditHead } from '../../audit/record.ts';
import { UseCounts } from './use-counts.ts';

const LABEL = Buffer.from('sealgate use counts v1\n', 'latin1');
const VERSION = 1;

type Stored = {
  readonly version: number;
  readonly store: string;
  readonly seq: number;
  readonly offset: number;
  readonly hash: string;
  readonly uses: readonly (readonly [material: string, operations: number, bytes: number])[];
  readonly missing: readonly (readonly [at: string, records: number])[];
};

export function countPath(logPath: string): string {
  return `${logPath}.uses`;
}

export function encodeCounts(identity: AuditIdentity, head: AuditHead, counts: UseCounts): Uint8Array {
  const stored: Stored = {
    version: VERSION,
    store: Buffer.from(identity.storeId).toString('hex'),
    seq: head.seq,
    offset: head.offset,
    hash: Buffer.from(head.hash).toString('hex'),
    uses: Array.from(counts.uses(), ([material, { operations, bytes }]) => [material, operations, bytes] as const),
    missing: counts.missing().map(({ at, records }) => [at, records] as const),
  };
  const line = Buffer.from(JSON.stringify(stored));
  const mac = Buffer.from(macOf(identity, line)).toString('base64url');
  return Buffer.concat([line, Buffer.from(`\n${mac}\n`, 'latin1')]);
}

/** Undefined: there is none, it is not genuine, or this log does not hold the record that it ends with, where files of that time are here. */
export function readCountFile(
  logPath: string,
  log: LogReader,
  identity: AuditIdentity,
): { readonly head: AuditHead; readonly counts: UseCounts } | undefined {
  const stored = readStored(logPath, identity);
  if (stored?.version !== VERSION || stored.store !== Buffer.from(identity.storeId).toString('hex')) return undefined;
  const head = { seq: stored.seq, offset: stored.offset, hash: Buffer.from(stored.hash, 'hex') };
  if (!stands(log, head, identity)) return undefined;
  const counts = new UseCounts();
  for (const [material, operations, bytes] of stored.uses) counts.note(material, bytes, operations);
  for (const [at, records] of stored.missing) counts.noteMissing({ at, records });
  return { head, counts };
}

function readStored(logPath: string, identity: AuditIdentity): Stored | undefined {
  let file: Buffer;
  try {
    file = readFileSync(countPath(logPath));
  } catch {
    return undefined;
  }
  const end = file.indexOf(0x0a);
  if (end === -1) return undefined;
  const line = file.subarray(0, end);
  const mac = Buffer.from(
    file
      .subarray(end + 1)
      .toString('latin1')
      .trimEnd(),
    'base64url',
  );
  if (!equalBytes(macOf(identity, line), mac)) return undefined;
  // Authenticated: it is what `encodeCounts` wrote.
  return JSON.parse(line.toString('utf8')) as Stored;
}

function stands(log: LogReader, { seq, offset, hash }: AuditHead, identity: AuditIdentity): boolean {
  if (seq === 0) return offset === 0;
  // In a file that was moved away: what is missing since then is counted as such. Counts of a history that was left since (a backup restored,
  // a gap accepted) would have records passed over that they never counted.
  if (offset <= log.start) {
    const first = log.first && openRecord(log.first, identity.key);
    return first !== undefined && first.seq > seq;
  }
  const line = log.lineBefore(offset);
  return line !== undefined && equalBytes(lineHash(line), hash);
}

const macOf = (identity: AuditIdentity, line: Uint8Array): Uint8Array =>
  hmacSha256(identity.key, Buffer.concat([LABEL, line]));
