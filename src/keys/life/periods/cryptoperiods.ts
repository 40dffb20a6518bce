/**
 * For how long a material is to protect (originator-usage period) and to process (recipient-usage period): the longest that the standard
 * names, `cryptoperiods.json`. The second may outlast the first, never the reverse. They are told, and nothing is refused because of them.
 */
import { z } from 'zod';
import { unreachable } from '../../../errors.ts';
import type { KeySpec, KeyUsage } from '../../key-kinds.ts';
import { DAY_MS } from '../../limits.ts';
import type { MaterialRecord } from '../../records.ts';
import data from './cryptoperiods.json' with { type: 'json' };

const PURPOSES = ['wrapping', 'authentication', 'signature', 'transport', 'agreement'] as const;
type Purpose = (typeof PURPOSES)[number];

const days = z.number().int().positive();
const period = z
  .strictObject({ originatorDays: days, recipientDays: days.nullable(), source: z.string().min(1) })
  .refine(({ originatorDays, recipientDays }) => recipientDays === null || recipientDays >= originatorDays);
const schema = z.strictObject({ sources: z.array(z.string()).min(1), periods: z.record(z.enum(PURPOSES), period) });

/** Both counted from the activation, in ISO 8601; undefined: without end, or nothing is left to end. */
export type PeriodEnds = { readonly originator: string | undefined; readonly recipient: string | undefined };

let parsed: z.infer<typeof schema> | undefined;

/** When they end for a material, as far as its state leaves it that use. */
export function periodEnds(spec: KeySpec, usage: KeyUsage, material: MaterialRecord): PeriodEnds {
  parsed ??= schema.parse(data);
  const { originatorDays, recipientDays } = parsed.periods[purposeOf(spec, usage)];
  const activated = material.history.find(({ to }) => to === 'active')?.at;
  const end = (period: number | null): string | undefined =>
    activated === undefined || period === null
      ? undefined
      : new Date(Date.parse(activated) + period * DAY_MS).toISOString();
  const { state } = material;
  const processes = state === 'active' || state === 'suspended' || state === 'deactivated';
  return {
    originator: state === 'active' || state === 'suspended' ? end(originatorDays) : undefined,
    recipient: processes ? end(recipientDays) : undefined,
  };
}

function purposeOf(spec: KeySpec, usage: KeyUsage): Purpose {
  switch (usage) {
    case 'ENCRYPT_DECRYPT':
      return spec === 'SYMMETRIC_DEFAULT' ? 'wrapping' : 'transport';
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
