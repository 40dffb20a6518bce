/** Records that a log writes of itself. */
import { CONTINUED_ACTION, GAP_ACTION, type AuditEntry, type RepeatedEntry } from './record.ts';

type Own = Pick<AuditEntry, 'action' | 'why' | 'result'> & Pick<AuditEntry, 'detail'>;

export function ownEntry(own: Own, nowMs: number): AuditEntry {
  const { action, why, result, detail } = own;
  return {
    time: new Date(nowMs).toISOString(),
    principal: 'sealgate',
    action,
    key: null,
    material: null,
    via: 'cli',
    resource: 'key store',
    context: null,
    decision: 'allow',
    why,
    result,
    ...(detail === undefined ? {} : { detail }),
  };
}

/** What goes to the beginning of a file that is not the log's first: its first record says where in the log it begins. */
export function beginFile(
  entries: readonly (AuditEntry | RepeatedEntry)[],
  offset: number,
  nowMs: number,
): readonly (AuditEntry | RepeatedEntry)[] {
  const [first, ...rest] = entries;
  // Where records are missing before it, it is what says so.
  if (first !== undefined && 'action' in first && first.action === GAP_ACTION)
    return [{ ...first, detail: { ...first.detail, offset } }, ...rest];
  const own = { action: CONTINUED_ACTION, why: 'the file before it was full', result: 'success', detail: { offset } };
  return [ownEntry(own, nowMs), ...entries];
}

/** `error`: its code. */
export const failedRotation = (error: string, nowMs: number): AuditEntry =>
  ownEntry({ action: 'AuditRotation', why: error, result: 'failure' }, nowMs);
