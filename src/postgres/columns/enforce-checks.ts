/** The declared CHECKs of a column, before a value is sealed for it: in the order of their names, as the server runs them. */
import type { SealedColumn } from '../plan.ts';
import { checkViolation } from '../types/errors.ts';

/** Errors: ERR_POSTGRES_VALUE_CHECK, with the server's own message. */
export function enforceChecks({ checks }: SealedColumn, canonical: Uint8Array): void {
  if (checks === undefined) return;
  for (const { constraint, domain, passes } of checks) {
    if (!passes(canonical)) throw checkViolation(constraint, domain);
  }
}
