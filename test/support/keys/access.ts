/** Requests and rules for tests of access decisions, with defaults. */
import type { KeyFacts, AccessRequest, Principal, RequestFacts } from '../../../src/keys/access/request.ts';
import type { AccessRules } from '../../../src/keys/access/evaluate.ts';
import type { Grant } from '../../../src/keys/access/grants/grant.ts';
import { makeIdentity } from '../../../src/keys/access/identity.ts';
import { parsePolicy } from '../../../src/keys/access/policy/policy.ts';
import type { PolicyRef } from '../../../src/keys/access/decision.ts';
import type { NamedPolicy } from '../../../src/keys/access/scan.ts';

export const HOME = '111122223333';
export const AWAY = '444455556666';

export const TEST_KEY: KeyFacts = {
  keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
  arn: `arn:aws:kms:eu-central-1:${HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
  account: HOME,
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  multiRegion: false,
  tags: { team: 'red' },
  aliases: ['alias/objects'],
};

export function user(name: string, account = HOME, more: Partial<Principal> = {}): Principal {
  const arn = `arn:aws:iam::${account}:user/${name}`;
  return { type: 'user', arn, account, userName: name, tags: {}, ...more };
}

export function roleSession(role: string, session: string, account = HOME): Principal {
  const arn = `arn:aws:sts::${account}:assumed-role/${role}/${session}`;
  return { type: 'role-session', arn, account, roleArn: `arn:aws:iam::${account}:role/${role}`, tags: {} };
}

export function root(account = HOME): Principal {
  return { type: 'root', arn: `arn:aws:iam::${account}:root`, account, tags: {} };
}

export function request(changes: Partial<AccessRequest> & { readonly facts?: RequestFacts } = {}): AccessRequest {
  return {
    principal: user('alice'),
    action: 'Decrypt',
    resource: { type: 'key', key: TEST_KEY },
    encryptionContext: {},
    facts: {},
    viaService: undefined,
    region: 'eu-central-1',
    time: Date.parse('2027-01-31T12:00:00Z'),
    ...changes,
  };
}

/** What stands in a policy's Statement, in short. */
export type Json = Readonly<Record<string, unknown>>;

export function document(...statements: readonly Json[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

export function allow(more: Json = {}): Json {
  return { Effect: 'Allow', Action: 'kms:*', Resource: '*', ...more };
}

export function deny(more: Json = {}): Json {
  return { ...allow(more), Effect: 'Deny' };
}

export function named(type: Exclude<PolicyRef['type'], 'key-policy'>, ...statements: readonly Json[]): NamedPolicy {
  return { ref: { type, name: 'p' }, policy: parsePolicy(document(...statements), 'identity') };
}

export type RuleParts = {
  readonly key?: readonly Json[];
  readonly identity?: readonly Json[];
  readonly boundary?: readonly Json[];
  readonly grants?: readonly Grant[];
  readonly proposed?: AccessRules['proposed'];
  readonly grantsCrossAccounts?: boolean;
};

export function rules(principal: Principal, parts: RuleParts): AccessRules {
  const { key = [], identity = [], boundary, grants = [] } = parts;
  const policies = identity.length === 0 ? [] : [named('identity-policy', ...identity)];
  const boundaries = boundary === undefined ? [] : [named('boundary', ...boundary)];
  // A policy has at least one statement; this one speaks of nothing asked here.
  const silent = allow({ Principal: '*', Action: 'kms:ListKeyRotations' });
  return {
    identity: makeIdentity(principal, policies, boundaries),
    keyPolicy: parsePolicy(document(...key, silent), 'key'),
    grantsFor: (grantee) => grants.filter((grant) => grant.grantee === grantee),
    proposed: parts.proposed,
    grantsCrossAccounts: parts.grantsCrossAccounts ?? false,
  };
}

let grants = 0;
export function grant(changes: Partial<Grant> = {}): Grant {
  grants += 1;
  return {
    grantId: grants.toString(16).padStart(64, '0'),
    keyId: TEST_KEY.keyId,
    region: undefined,
    grantee: user('alice').arn,
    retiring: undefined,
    name: '',
    operations: ['Decrypt'],
    constraint: undefined,
    sourceArn: undefined,
    issuingAccount: HOME,
    issuedBy: user('admin').arn,
    createdAt: '2027-01-01T00:00:00.000Z',
    ...changes,
  };
}
