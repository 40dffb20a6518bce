/** A key has one policy, and it has one name. */
import { KmsError } from './errors.ts';
import { optional, patterned } from './shapes/shapes.ts';

export const POLICY_NAME = optional(patterned(1, 128, String.raw`[\w]+`));
export const THE_POLICY_NAME = 'default';

/** ERR_KMS_NOT_FOUND. */
export function assertPolicyName(name: string | undefined): void {
  if (name !== undefined && name !== THE_POLICY_NAME) throw new KmsError('ERR_KMS_NOT_FOUND', 'No such policy exists');
}
