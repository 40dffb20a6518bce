/** The end of a request that only asks. */
import { KeysError } from '../errors.ts';
import type { DryRun } from './key-operations.ts';

/** All was asked and found good: a dry run ends here. ERR_KEYS_DRY_RUN. */
export function endDryRun({ dryRun }: DryRun): void {
  if (dryRun === true)
    throw new KeysError('ERR_KEYS_DRY_RUN', 'The request would have succeeded, but the DryRun option is set.');
}
