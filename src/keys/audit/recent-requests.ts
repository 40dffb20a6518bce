/**
 * The requests that the end of an audit log tells of, by their ids: what was answered shortly before a start, by the process that was there
 * before. That the last record is the store's was proven when the log was opened; those that lead to it by their hashes are its too, without
 * a secret.
 *
 * Threat: who can write to the log, and has seen a request, changes what tells of it before a restart and sends the request again.
 */
import { KeysError } from '../errors.ts';
import { errorName } from '../root/secret-file.ts';
import { LogReader } from './log-reader.ts';
import { lineHashText } from './record.ts';

export type RecentRequests = {
  /** Ids, as their answers named them. */
  readonly ids: readonly string[];
  /** Milliseconds since 1970: what was recorded before is not told of. Undefined: all since `sinceMs` is. */
  readonly completeSinceMs: number | undefined;
};

/** Of at most the last `maxBytes` of the log, those recorded from `sinceMs` on (milliseconds since 1970). ERR_KEYS_AUDIT_UNAVAILABLE. */
export function recentRequests(path: string, sinceMs: number, maxBytes: number): RecentRequests {
  const reader = LogReader.open(path);
  try {
    return requestsIn(reader, sinceMs, maxBytes);
  } catch (cause) {
    throw new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', `${path} cannot be read: ${errorName(cause)}`, { cause });
  } finally {
    reader.close();
  }
}

function requestsIn(reader: LogReader, sinceMs: number, maxBytes: number): RecentRequests {
  const ids: string[] = [];
  let completeFrom: { readonly atMs: number; readonly isFirst: boolean } | undefined;
  let before: Uint8Array | undefined;
  for (const line of reader.lines(Math.max(0, reader.end - maxBytes))) {
    // The first may be the end of one.
    const record = line.type === 'whole' ? readTimed(line.bytes) : undefined;
    if (record === undefined) continue;
    const { seq, prevHash, atMs, request } = record;
    // Where some are missing, such as a file that was moved away, or were changed, what lies before tells nothing of that time.
    if (before === undefined || prevHash !== lineHashText(before)) completeFrom = { atMs, isFirst: seq === 1 };
    before = line.bytes;
    if (atMs >= sinceMs && request !== undefined) ids.push(request);
  }
  const isComplete = completeFrom === undefined || completeFrom.isFirst || completeFrom.atMs < sinceMs;
  return { ids, completeSinceMs: isComplete ? undefined : completeFrom?.atMs };
}

type Timed = {
  readonly seq: unknown;
  readonly prevHash: unknown;
  readonly atMs: number;
  readonly request: string | undefined;
};

function readTimed(line: Uint8Array): Timed | undefined {
  try {
    const { seq, time, request, prevHash } = JSON.parse(Buffer.from(line).toString('utf8')) as Record<string, unknown>;
    const atMs = Date.parse(String(time));
    if (Number.isNaN(atMs)) return undefined;
    return { seq, prevHash, atMs, request: typeof request === 'string' ? request : undefined };
  } catch {
    return undefined;
  }
}
