/** Names of aliases as requests give them. */
import { KmsError } from './errors.ts';
import { patterned } from './shapes/shapes.ts';

export const ALIAS_NAME = patterned(1, 256, '^[a-zA-Z0-9:/_-]+$');

/** ERR_KMS_VALIDATION. */
export function assertAliasName(aliasName: string): void {
  if (aliasName.startsWith('alias/')) return;
  throw new KmsError(
    'ERR_KMS_VALIDATION',
    'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
  );
}
