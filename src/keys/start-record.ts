/** What the audit log shows of a start. */
import { GAP_ACTION } from './audit/record.ts';
import type { Resumption } from './audit/resume.ts';
import type { KeyUse } from './uses/data-keys.ts';
import type { UseRecorder } from './uses/use-recorder.ts';

/** Who the log names where the key manager acts by itself. */
export const ITSELF: KeyUse = { principal: 'sealgate', via: 'cli', resource: 'key store' };

/** What the log must show of this start: dropped bytes, an accepted gap, an accepted rollback. */
export async function recordStart(
  recorder: UseRecorder,
  resumption: Resumption,
  epoch: 'current' | 'accepted',
  storeEpoch: number,
): Promise<void> {
  const write = (action: string, why: string, detail: Record<string, number>): Promise<void> =>
    recorder.write(action, ITSELF, null, { decision: { allow: true, why }, detail }, 'success');
  if (resumption.type === 'gap') await write(GAP_ACTION, 'accepted by the operator', { afterSeq: resumption.head.seq });
  if (resumption.type === 'repaired')
    await write('AuditRepair', 'torn write', { droppedBytes: resumption.droppedBytes });
  if (epoch === 'accepted') await write('AcceptRollback', 'accepted by the operator', { epoch: storeEpoch });
}
