/** What policies need to know of actions (field notes 3.1; the KMS model's "Cross-account use"). */
import { GRANT_OPERATIONS } from './grants/grant.ts';

/** Actions of ours that AWS KMS does not have; policies name them `sealgate:<action>`. */
const OWN_ACTIONS: ReadonlySet<string> = new Set(['Backup', 'EscrowDataKey']);

/**
 * The only actions that a principal of another account can ever do, all others are refused whatever policies say: what a grant can
 * give, and three that only policies can.
 */
const CROSS_ACCOUNT: ReadonlySet<string> = new Set([
  ...GRANT_OPERATIONS,
  'GetKeyRotationStatus',
  'ListGrants',
  'RevokeGrant',
]);

const NAMES = new Map<string, string>();

/** `kms:decrypt`: actions compare without case. */
export function policyAction(action: string): string {
  const known = NAMES.get(action);
  if (known !== undefined) return known;
  const name = displayAction(action).toLowerCase();
  // Actions are words of our own code, so the map stays as small as their number.
  NAMES.set(action, name);
  return name;
}

/** `kms:Decrypt`, as messages say it; actions of the S3 gateway come with their prefix: `s3:GetObject`. */
export function displayAction(action: string): string {
  if (action.includes(':')) return action;
  return `${OWN_ACTIONS.has(action) ? 'sealgate' : 'kms'}:${action}`;
}

export function allowsOtherAccounts(action: string): boolean {
  return CROSS_ACCOUNT.has(action);
}
