/**
 * The requests that the end of an audit log tells of, by their ids: what was answered shortly before a start, by the process that was there
 * before. Whose records they are was proven when the log was opened; here they are only read.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { KeysError } from '../errors.ts';
import { errorName } from '../root/secret-file.ts';
import { readLines } from './lines.ts';

export type RecentRequests = {
  /** Ids, as their answers named them. */
  readonly ids: readonly string[];
  /** Milliseconds since 1970: what was recorded before is not told of. Undefined: all since `sinceMs` is. */
  readonly completeSinceMs: number | undefined;
};

/** Of at most the last `maxBytes` of the log, those recorded from `sinceMs` on (milliseconds since 1970). ERR_KEYS_AUDIT_UNAVAILABLE. */
export function recentRequests(path: string, sinceMs: number, maxBytes: number): RecentRequests {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return requestsIn(file, sinceMs, maxBytes);
  } catch (cause) {
    throw new KeysError('ERR_KEYS_AUDIT_UNAVAILABLE', `${path} cannot be read: ${errorName(cause)}`, { cause });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function requestsIn(file: number, sinceMs: number, maxBytes: number): RecentRequests {
  const ids: string[] = [];
  let oldestMs: number | undefined;
  let isBegun = false;
  for (const line of readLines(file, Math.max(0, fstatSync(file).size - maxBytes))) {
    // The first may be the end of one.
    const record = line.type === 'whole' ? readTimed(line.bytes) : undefined;
    if (record === undefined) continue;
    oldestMs ??= record.atMs;
    isBegun ||= record.seq === 1;
    if (record.atMs >= sinceMs && record.request !== undefined) ids.push(record.request);
  }
  const isComplete = isBegun || oldestMs === undefined || oldestMs < sinceMs;
  return { ids, completeSinceMs: isComplete ? undefined : oldestMs };
}

type Timed = { readonly seq: unknown; readonly atMs: number; readonly request: string | undefined };

function readTimed(line: Uint8Array): Timed | undefined {
  try {
    const { seq, time, request } = JSON.parse(Buffer.from(line).toString('utf8')) as Record<string, unknown>;
    const atMs = Date.parse(String(time));
    if (Number.isNaN(atMs)) return undefined;
    return { seq, atMs, request: typeof request === 'string' ? request : undefined };
  } catch {
    return undefined;
  }
}
