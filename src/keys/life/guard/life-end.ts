/** What has ended of a material: a period of its, or what it may protect in all. */
import type { MaterialRecord } from '../../records.ts';
import type { MaterialUse } from '../counts/use-counts.ts';
import { periodEnd } from '../periods/cryptoperiods.ts';
import type { KeyTerms } from '../terms/key-terms.ts';

export type LifeReason =
  'end of originator period' | 'end of recipient period' | 'operation limit' | 'byte limit' | 'weak wrapping';

/** `facts` goes into the audit record. */
export type LifeEnd = {
  readonly reason: LifeReason;
  readonly facts: Readonly<Record<string, string | number>>;
};

/** When the periods of a material end; milliseconds since 1970. */
export type Standing = { readonly originatorEndMs: number; readonly recipientEndMs: number };

export function standingOf(terms: KeyTerms, material: MaterialRecord): Standing {
  return {
    originatorEndMs: periodEnd(material, terms.originatorDays),
    recipientEndMs: periodEnd(material, terms.recipientDays),
  };
}

export function originatorEnd({ originatorEndMs }: Standing, nowMs: number): LifeEnd | undefined {
  return nowMs < originatorEndMs ? undefined : ended('end of originator period', originatorEndMs);
}

export function recipientEnd({ recipientEndMs }: Standing, nowMs: number): LifeEnd | undefined {
  return nowMs < recipientEndMs ? undefined : ended('end of recipient period', recipientEndMs);
}

/** Whether one more use, of so many bytes, would be beyond a limit. */
export function limitEnd({ maxOperations, maxBytes }: KeyTerms, used: MaterialUse, bytes: number): LifeEnd | undefined {
  if (maxOperations !== null && used.operations >= maxOperations)
    return { reason: 'operation limit', facts: { limit: maxOperations, used: used.operations } };
  if (maxBytes !== null && used.bytes + bytes > maxBytes)
    return { reason: 'byte limit', facts: { limit: maxBytes, used: used.bytes } };
  return undefined;
}

function ended(reason: LifeReason, endMs: number): LifeEnd {
  return { reason, facts: { endedAt: new Date(endMs).toISOString() } };
}
