/** How materials end: replaced by another, or destroyed with their key. */
import { moveMaterial, type TransitionFacts } from './material-history.ts';
import type { MaterialRecord } from '../records.ts';

/** Replaced by another: what no longer protected anyway stays what it is. */
export function retiredMaterial(record: MaterialRecord, facts: TransitionFacts): MaterialRecord {
  return record.state === 'active' ? moveMaterial(record, 'deactivated', facts) : record;
}

/** By way of being deactivated, as the standard wants it; without its bytes. */
export function destroyedMaterial(record: MaterialRecord, facts: TransitionFacts): MaterialRecord {
  const none = new Uint8Array();
  return { ...moveMaterial(retiredMaterial(record, facts), 'destroyed', facts), wrapped: none, canary: none };
}
