/**
 * For how long a material is to protect (originator-usage period) and to process (recipient-usage period), and how much: by the standard the
 * longest that it names, `cryptoperiods.json`. The second may outlast the first, never the reverse.
 */
import { z } from 'zod';
import { unreachable } from '../../../errors.ts';
import type { KeySpec, KeyUsage } from '../../key-kinds.ts';
import { DAY_MS } from '../../limits.ts';
import type { MaterialRecord } from '../../records.ts';
import data from './cryptoperiods.json' with { type: 'json' };

/** What keys are for, in the words of SP 800-57: a period goes by it. */
export const KEY_TYPES = ['wrapping', 'authentication', 'signature', 'transport', 'agreement'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

/** Days from the activation on; null: without end. */
export type Periods = { readonly originatorDays: number | null; readonly recipientDays: number | null };
/** Of one material, over its whole life, of what it protects; null: none. */
export type UseLimits = { readonly maxOperations: number | null; readonly maxBytes: number | null };

const positive = z.number().int().positive();
const source = z.string().min(1);
const period = z
  .strictObject({
    ...{ originatorDays: positive.nullable(), recipientDays: positive.nullable(), source },
    ...{ maxOperations: positive.nullable(), maxBytes: positive.nullable(), limitSource: source },
  })
  .refine(isInOrder);
const schema = z.strictObject({
  sources: z.array(z.string()).min(1),
  /** Against what, and what could not be. */
  checked: source,
  periods: z.record(z.enum(KEY_TYPES), period),
});

/** Both counted from the activation, in ISO 8601; undefined: without end, or nothing is left to end. */
export type PeriodEnds = { readonly originator: string | undefined; readonly recipient: string | undefined };

let parsed: z.infer<typeof schema> | undefined;

export function standardPeriods(type: KeyType): Periods & UseLimits {
  parsed ??= schema.parse(data);
  return parsed.periods[type];
}

/** Whether the recipient period lasts at least as long as the originator's. */
export function isInOrder({ originatorDays, recipientDays }: Periods): boolean {
  return recipientDays === null || (originatorDays !== null && originatorDays <= recipientDays);
}

/** Milliseconds since 1970; Infinity: without end, or it was never activated. */
export function periodEnd({ history }: Pick<MaterialRecord, 'history'>, days: number | null): number {
  const activated = history.find(({ to }) => to === 'active')?.at;
  return activated === undefined || days === null ? Infinity : Date.parse(activated) + days * DAY_MS;
}

/** When they end for a material, as far as its state leaves it that use. */
export function periodEnds({ originatorDays, recipientDays }: Periods, material: MaterialRecord): PeriodEnds {
  const end = (days: number | null): string | undefined => {
    const at = periodEnd(material, days);
    return at === Infinity ? undefined : new Date(at).toISOString();
  };
  const { state } = material;
  const processes = state === 'active' || state === 'suspended' || state === 'deactivated';
  return {
    originator: state === 'active' || state === 'suspended' ? end(originatorDays) : undefined,
    recipient: processes ? end(recipientDays) : undefined,
  };
}

export function keyTypeOf(spec: KeySpec, usage: KeyUsage): KeyType {
  switch (usage) {
    case 'ENCRYPT_DECRYPT':
      return spec === 'SYMMETRIC_DEFAULT' ? 'wrapping' : 'transport';
    // A secret is made by one side and carried to the other.
    case 'ENCAPSULATE_DECAPSULATE':
      return 'transport';
    case 'GENERATE_VERIFY_MAC':
      return 'authentication';
    case 'SIGN_VERIFY':
      return 'signature';
    case 'KEY_AGREEMENT':
      return 'agreement';
    default:
      return unreachable(usage);
  }
}
