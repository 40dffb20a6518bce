/**
 * The decision procedure as the field notes write it (3.1), over raw statements, for a small language: exact actions and `*`, whole
 * principals, StringEquals and StringNotEquals on two keys. Slow and obvious: the oracle of the real one.
 */
import type { AccessRequest } from '../../../src/keys/access/request.ts';

export type NaiveStatement = {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | { readonly AWS: readonly string[] };
  readonly NotPrincipal?: { readonly AWS: readonly string[] };
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
};

export type NaiveGrant = {
  readonly grantee: string;
  readonly operations: readonly string[];
  readonly pairs: Readonly<Record<string, string>>;
};

export type NaiveRules = {
  readonly key: readonly NaiveStatement[];
  readonly identity: readonly NaiveStatement[];
  readonly boundary: readonly NaiveStatement[] | undefined;
  readonly grants: readonly NaiveGrant[];
};

const CROSS = ['Decrypt', 'Encrypt', 'DescribeKey', 'CreateGrant', 'ListGrants'];

export function naiveDecision(
  request: AccessRequest,
  { key, identity, boundary, grants }: NaiveRules,
): 'allow' | 'deny' | 'silent' {
  const all = [...key, ...identity, ...(boundary ?? [])];
  const speaks = (list: readonly NaiveStatement[], effect: string, how?: 'direct' | 'account'): boolean =>
    list.some(
      (one) => one.Effect === effect && covers(one, request) && (how === undefined || names(one, request) === how),
    );
  if (all.some((one) => one.Effect === 'Deny' && covers(one, request) && names(one, request) !== undefined))
    return 'deny';
  const { principal, resource, action } = request;
  const account = resource.type === 'key' ? resource.key.account : resource.account;
  const keyPolicyAllow = speaks(key, 'Allow', 'direct');
  const keyPolicyDeleg = speaks(key, 'Allow', 'account');
  const idAllow = principal.type === 'root' || speaks(identity, 'Allow');
  const grantAllow = grants.some(({ grantee, operations, pairs }) => {
    const holds = Object.entries(pairs).every(([name, value]) => request.encryptionContext[name] === value);
    if (!operations.includes(action) || (action !== 'DescribeKey' && !holds)) return false;
    const direct = grantee === principal.arn || grantee === principal.roleArn;
    return direct || (idAllow && grantee === `arn:aws:iam::${principal.account}:root`);
  });
  const allowed =
    principal.account === account
      ? keyPolicyAllow || (keyPolicyDeleg && idAllow) || grantAllow
      : CROSS.includes(action) && idAllow && (keyPolicyAllow || keyPolicyDeleg || grantAllow);
  return allowed && (boundary === undefined || speaks(boundary, 'Allow')) ? 'allow' : 'silent';
}

function names(statement: NaiveStatement, { principal }: AccessRequest): 'direct' | 'account' | undefined {
  const { arn, roleArn, account = '' } = principal;
  const root = `arn:aws:iam::${account}:root`;
  if (statement.NotPrincipal !== undefined) {
    const listed = statement.NotPrincipal.AWS.map((one) => (one === account ? root : one));
    return [root, arn, ...(roleArn === undefined ? [] : [roleArn])].every((one) => listed.includes(one))
      ? undefined
      : 'direct';
  }
  if (statement.Principal === undefined || statement.Principal === '*') return 'direct';
  const listed = statement.Principal.AWS;
  if (listed.includes(arn) || (roleArn !== undefined && listed.includes(roleArn)) || listed.includes('*'))
    return 'direct';
  return listed.includes(account) || listed.includes(root) ? 'account' : undefined;
}

function covers({ Action, NotAction, Resource, Condition = {} }: NaiveStatement, request: AccessRequest): boolean {
  const action = `kms:${request.action}`;
  const hit = (list: readonly string[]): boolean =>
    list.some((one) => one === '*' || one.toLowerCase() === action.toLowerCase());
  if (Action !== undefined && !hit(Action)) return false;
  if (NotAction !== undefined && hit(NotAction)) return false;
  const arn = request.resource.type === 'key' ? request.resource.key.arn : '*';
  if (Resource !== '*' && Resource !== arn) return false;
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([name, values]) => {
      const value = name === 'kms:ViaService' ? request.viaService : request.encryptionContext['c'];
      const equal = value !== undefined && values.includes(value);
      return operator === 'StringEquals' ? equal : !equal;
    }),
  );
}
