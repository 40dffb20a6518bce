/** Changes that nobody asks for now: their time has come. They are recorded all the same, and made only if they are still due. */
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeyChanges } from '../admin/key-changes.ts';
import type { HeldKey } from '../key-ring.ts';
import type { UseTrace } from '../uses/use-recorder.ts';

/** Who acts where the time has come; whoever scheduled it is in the record of that. */
export const SCHEDULE: KeyUse = { principal: 'sealgate', via: 'cli', resource: 'schedule' };

/** False where `plan`, asked when the change's turn has come, gives nothing to do. */
export function scheduledChange(
  changes: KeyChanges,
  action: string,
  keyId: string,
  plan: (key: HeldKey, trace: UseTrace) => (() => void) | undefined,
): Promise<boolean> {
  const { recorder, ring } = changes.parts;
  return changes.exclusively(async () => {
    const key = ring.anyKey(keyId);
    const trace: UseTrace = { key, material: key?.current, decision: { allow: true, why: 'scheduled' } };
    const apply = key === undefined ? undefined : plan(key, trace);
    if (apply === undefined) return false;
    await recorder.write(action, SCHEDULE, null, trace, 'started');
    apply();
    await recorder.write(action, SCHEDULE, null, trace, 'success');
    return true;
  });
}
