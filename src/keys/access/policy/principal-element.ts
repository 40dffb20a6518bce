/** The Principal element of key policies: whom a statement is about, and how directly it names a caller. */
import type { Principal } from '../request.ts';
import type { JsonValue } from './json-text.ts';
import { malformed, shown } from './malformed.ts';
import { isObject, texts } from './shape.ts';

export type PrincipalEntry =
  | { readonly type: 'everyone' }
  | { readonly type: 'account'; readonly account: string }
  | { readonly type: 'arn'; readonly arn: string }
  | { readonly type: 'service'; readonly name: string }
  | { readonly type: 'federated'; readonly provider: string };

export type PrincipalElement = {
  /** NotPrincipal; only with Deny, as AWS has it. */
  readonly negated: boolean;
  readonly entries: readonly PrincipalEntry[];
};

/** `account`: the statement names the caller's account, so that account's identity policies decide (delegation). */
export type PrincipalMatch = 'direct' | 'account' | 'none';

const ACCOUNT = /^\d{12}$/;
const IAM_ARN =
  /^arn:[a-z0-9-]+:(?:iam::(\d{12}):(?:(root)|(?:user|role)\/[!-~]+)|sts::\d{12}:(?:assumed-role\/[!-~]+\/[!-~]+|federated-user\/[!-~]+))$/;

/** An account id, or the ARN of an account, user, role, role session or federated user; undefined for anything else. */
export function parsePrincipalArn(text: string): PrincipalEntry | undefined {
  if (ACCOUNT.test(text)) return { type: 'account', account: text };
  const parts = IAM_ARN.exec(text);
  if (parts === null || /[*?]/.test(text)) return undefined;
  const [, account = '', root] = parts;
  return root === undefined ? { type: 'arn', arn: text } : { type: 'account', account };
}

/** ERR_KEYS_POLICY_MALFORMED. */
export function parsePrincipals(value: JsonValue, negated: boolean, place: string): PrincipalElement {
  if (value === '*') return { negated, entries: [{ type: 'everyone' }] };
  if (!isObject(value) || value.size === 0) {
    throw malformed(`${place}: expected "*", or an object with AWS, Service or Federated`);
  }
  const entries: PrincipalEntry[] = [];
  for (const [kind, names] of value) {
    for (const name of texts(names, `${place}.${kind}`)) entries.push(parseEntry(kind, name, place));
  }
  return { negated, entries };
}

function parseEntry(kind: string, name: string, place: string): PrincipalEntry {
  switch (kind) {
    case 'AWS': {
      const entry = name === '*' ? ({ type: 'everyone' } as const) : parsePrincipalArn(name);
      if (entry !== undefined) return entry;
      break;
    }
    case 'Service':
      if (/^[a-z0-9.-]+$/.test(name)) return { type: 'service', name };
      break;
    case 'Federated':
      if (name !== '' && name !== '*') return { type: 'federated', provider: name };
      break;
    default:
      throw malformed(`${place}: unknown kind of principal ${shown(kind)}; expected AWS, Service or Federated`);
  }
  throw malformed(`Policy contains a statement with one or more invalid principals. ${place}.${kind}: ${shown(name)}`);
}

/** How directly the element names the caller. */
export function matchPrincipal({ negated, entries }: PrincipalElement, principal: Principal): PrincipalMatch {
  if (negated) return isSpared(entries, principal) ? 'none' : 'direct';
  let best: PrincipalMatch = 'none';
  for (const entry of entries) {
    const match = matchEntry(entry, principal);
    if (match === 'direct') return match;
    if (match === 'account') best = match;
  }
  return best;
}

export function matchEntry(entry: PrincipalEntry, principal: Principal): PrincipalMatch {
  switch (entry.type) {
    case 'everyone':
      return 'direct';
    case 'account':
      if (entry.account !== principal.account) return 'none';
      return principal.type === 'root' ? 'direct' : 'account';
    case 'arn':
      return entry.arn === principal.arn || entry.arn === principal.roleArn ? 'direct' : 'none';
    case 'service':
      return principal.type === 'service' && entry.name === principal.provider ? 'direct' : 'none';
    case 'federated':
      return principal.type === 'federated' && entry.provider === principal.provider ? 'direct' : 'none';
  }
}

/**
 * NotPrincipal spares a caller only if it lists everything the caller is: its account, its role, itself. AWS checks them one
 * after another, and an account that is not listed is denied with everybody in it.
 */
function isSpared(entries: readonly PrincipalEntry[], principal: Principal): boolean {
  const lists = (arn: string): boolean => entries.some((entry) => entry.type === 'arn' && entry.arn === arn);
  if (entries.some((entry) => entry.type === 'everyone')) return true;
  if (principal.type === 'service') return entries.some((entry) => matchEntry(entry, principal) === 'direct');
  if (!entries.some((entry) => entry.type === 'account' && entry.account === principal.account)) return false;
  if (principal.type === 'root') return true;
  if (principal.roleArn !== undefined && !lists(principal.roleArn)) return false;
  return (
    lists(principal.arn) ||
    (principal.type === 'federated' && entries.some((entry) => matchEntry(entry, principal) === 'direct'))
  );
}
