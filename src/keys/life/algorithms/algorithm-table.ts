/**
 * What NIST thinks of algorithms and strengths, and until when: `algorithms.json`, after SP 800-131A rev. 2 and SP 800-57 part 1 rev. 5. The
 * dates are data, so that a revision of the standards changes no code.
 */
import { z } from 'zod';
import data from './algorithms.json' with { type: 'json' };

/** From good to bad, in the words of SP 800-131A. */
export const APPROVALS = ['acceptable', 'deprecated', 'legacy-use', 'disallowed'] as const;
export type Approval = (typeof APPROVALS)[number];

const periods = z.array(z.strictObject({ from: z.iso.date(), status: z.enum(APPROVALS) })).min(1);
const ruling = { protect: periods, process: periods, source: z.string().min(1) };
const schema = z.strictObject({
  sources: z.array(z.string()).min(1),
  /** Against what, and what could not be. */
  checked: z.string().min(1),
  /** Of a key by its spec: SP 800-57 part 1, tables 2 and 3. A size between two rows has the strength of the lower one. */
  strengthBits: z.record(z.string(), z.number().int().positive()),
  /** Ascending; the last whose bits are not above a key's. */
  strengths: z.array(z.strictObject({ fromBits: z.number().int().nonnegative(), ...ruling })).min(1),
  /** Of specs that are ruled on by themselves. */
  specs: z.record(z.string(), z.strictObject(ruling)),
  algorithms: z.record(z.string(), z.strictObject(ruling)),
});

export type AlgorithmTable = z.infer<typeof schema>;
export type Ruling = AlgorithmTable['algorithms'][string];

let parsed: AlgorithmTable | undefined;

export function algorithmTable(): AlgorithmTable {
  parsed ??= schema.parse(data);
  return parsed;
}
