/** Key policies as documents: the default one, and what is refused before it is stored. What they allow is the authorizer's. */
import type { KeyUse } from './data-keys.ts';
import { KeysError } from './errors.ts';
import { MAX_POLICY_BYTES } from './limits.ts';
import type { KeyAuthorizer } from './options.ts';

/** What AWS gives a key that is made without a policy: the account decides, by identity policies. */
export function defaultKeyPolicy(account: string): string {
  return `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::${account}:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`;
}

/** Errors: ERR_KEYS_POLICY, ERR_KEYS_LIMIT. */
export function checkKeyPolicy(
  policy: string,
  request: { readonly bypassLockoutCheck?: boolean | undefined },
  { principal }: KeyUse,
  authorizer: KeyAuthorizer | undefined,
): void {
  if (Buffer.byteLength(policy) > MAX_POLICY_BYTES)
    throw new KeysError('ERR_KEYS_LIMIT', `The policy document is longer than ${MAX_POLICY_BYTES} bytes.`);
  assertPolicyForm(policy);
  authorizer?.checkPolicy?.(policy, { principal, bypassLockoutCheck: request.bypassLockoutCheck === true });
}

const VERSIONS: ReadonlySet<unknown> = new Set(['2012-10-17', '2008-10-17', undefined]);

/** JSON, and of a policy's outer form: statements that each allow or deny some principal. */
function assertPolicyForm(policy: string): void {
  const document = parseJson(policy);
  if (!isObject(document)) throw malformed('it is no JSON object');
  if (!VERSIONS.has(document['Version'])) throw malformed('its Version is not 2012-10-17');
  const given = document['Statement'];
  const statements: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (statements.length === 0) throw malformed('it has no Statement');
  for (const statement of statements) assertStatementForm(statement);
}

function assertStatementForm(statement: unknown): void {
  if (!isObject(statement)) throw malformed('a Statement is no JSON object');
  if (statement['Effect'] !== 'Allow' && statement['Effect'] !== 'Deny')
    throw malformed('the Effect of a Statement is neither Allow nor Deny');
  if (statement['Principal'] === undefined && statement['NotPrincipal'] === undefined)
    throw malformed('a Statement of a key policy names no Principal');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KeysError('ERR_KEYS_POLICY', 'The policy document is not valid: it is not JSON.', { cause });
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function malformed(why: string): KeysError {
  return new KeysError('ERR_KEYS_POLICY', `The policy document is not valid: ${why}.`);
}
