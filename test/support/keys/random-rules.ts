/** Policies and grants drawn at random over few callers, keys and values, so that they meet often (`naive-policy.ts`). */
import { pick } from '../seeded.ts';
import type { NaiveCaller, NaiveIdentity, NaiveStatement } from './naive-policy.ts';

export const HOME = '123456789012';
export const AWAY = '444455556666';
const iam = (account: string, resource: string): string => `arn:aws:iam::${account}:${resource}`;

export const CALLERS = {
  alice: { kind: 'User', arn: iam(HOME, 'user/alice'), account: HOME, name: 'alice', tags: { team: 'red' } },
  bob: { kind: 'User', arn: iam(HOME, 'user/dept/bob'), account: HOME, name: 'bob', tags: {} },
  session: {
    ...{ kind: 'AssumedRole', arn: `arn:aws:sts::${HOME}:assumed-role/ops/s1`, role: iam(HOME, 'role/ops') },
    ...{ account: HOME, tags: { team: 'blue' } },
  },
  root: { kind: 'Account', arn: iam(HOME, 'root'), account: HOME, tags: {} },
  away: { kind: 'User', arn: iam(AWAY, 'user/away'), account: AWAY, name: 'away', tags: { team: 'red' } },
  awayRoot: { kind: 'Account', arn: iam(AWAY, 'root'), account: AWAY, tags: {} },
  service: { kind: 'Service', arn: 'backup.example.com', tags: {} },
} as const satisfies Readonly<Record<string, NaiveCaller>>;

export const SOURCES = ['a', 'b'].map((table) => `arn:aws:dynamodb:eu-central-1:${HOME}:table/${table}`);
export const PRINCIPALS: readonly string[] = [
  ...Object.values(CALLERS).flatMap(({ kind, arn }) => (kind === 'Service' ? [] : [arn])),
  iam(HOME, 'role/ops'),
];
export const GRANTABLE = [
  ...['Encrypt', 'Decrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext'],
  ...['ReEncryptFrom', 'ReEncryptTo', 'DescribeKey'],
] as const;
const ACTIONS = [
  ...GRANTABLE,
  ...['GetKeyPolicy', 'ListGrants', 'GetKeyRotationStatus', 'ListResourceTags', 'ListKeys', 'GenerateRandom'],
];

/** Whole numbers below, and choices, of one sequence. */
export type Chance = () => number;

export const chance = (random: Chance, share: number): boolean => random() < share;

/** Some of them, each once. */
export function some<Item>(random: Chance, items: readonly Item[], min: number, max: number): Item[] {
  const count = min + Math.floor(random() * (max - min + 1));
  return [...new Set(Array.from({ length: count }, () => pick(random, items)))];
}

/** Condition keys and what they are compared with. */
const ASKED: readonly (readonly [string, readonly string[]])[] = [
  ['kms:EncryptionContext:c', ['x', 'y', 'z']],
  ['kms:EncryptionContext:D', ['x', 'y', 'z']],
  ['kms:EncryptionContext:user', ['${aws:username}']],
  ['kms:EncryptionContextKeys', ['c', 'd', 'e']],
  ['kms:CallerAccount', [HOME, AWAY]],
  ['kms:ViaService', ['s3.eu-central-1.amazonaws.com']],
  ['kms:EncryptionAlgorithm', ['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1']],
  ['kms:RequestAlias', ['alias/one', 'alias/two']],
  ['kms:ResourceAliases', ['alias/one', 'alias/two']],
  ['kms:ReEncryptOnSameKey', ['true', 'false']],
  ['aws:ResourceTag/team', ['red', '${aws:PrincipalTag/team}', "${aws:PrincipalTag/team, 'blue'}"]],
  ['aws:PrincipalTag/team', ['red', 'blue']],
  ['aws:PrincipalType', ['User', 'AssumedRole', 'Account', 'Service']],
  ['aws:username', ['alice', 'b*', 'away']],
  ['aws:SourceArn', SOURCES],
  ['aws:UserAgent', ['one', 'o*']],
];
const STRINGS = ['Equals', 'NotEquals', 'Like', 'NotLike', 'EqualsIgnoreCase', 'NotEqualsIgnoreCase'];
const ARNS = ['ArnLike', 'ArnNotLike', 'ArnEquals', 'ArnLikeIfExists', 'ArnNotEqualsIfExists'];

function oneCondition(random: Chance): readonly [string, string, readonly string[]] {
  const kind = random();
  const bool = pick(random, ['true', 'false']);
  if (kind < 0.07) return [pick(random, ['Bool', 'BoolIfExists']), 'aws:SecureTransport', [bool]];
  if (kind < 0.12) return [pick(random, ['IpAddress', 'NotIpAddress']), 'aws:SourceIp', ['127.0.0.0/8']];
  if (kind < 0.2) {
    const patterns = [iam(HOME, 'user/*'), iam('*', 'role/ops'), CALLERS.away.arn];
    return [pick(random, ARNS), 'aws:PrincipalArn', some(random, patterns, 1, 2)];
  }
  const [key, values] = pick(random, ASKED);
  if (kind < 0.3) return ['Null', key, [bool]];
  const sets = key.startsWith('kms:EncryptionContext:') ? ['ForAnyValue:'] : ['ForAnyValue:', 'ForAllValues:'];
  const set = chance(random, 0.3) ? pick(random, sets) : '';
  const operator = `${set}String${pick(random, STRINGS)}${chance(random, 0.25) ? 'IfExists' : ''}`;
  return [operator, key, some(random, values, 1, 2)];
}

function conditions(random: Chance): Pick<NaiveStatement, 'Condition'> {
  const count = pick(random, [0, 0, 0, 1, 1, 2]);
  const Condition: Record<string, Record<string, readonly string[]>> = {};
  for (let at = 0; at < count; at++) {
    const [operator, key, values] = oneCondition(random);
    Condition[operator] = { ...Condition[operator], [key]: values };
  }
  return count === 0 ? {} : { Condition };
}

function actions(random: Chance): Pick<NaiveStatement, 'Action' | 'NotAction'> {
  const named = some(random, ACTIONS, 2, 6).map(
    (action) => `kms:${chance(random, 0.2) ? action.toUpperCase() : action}`,
  );
  const Action = pick(random, [named, named, ['kms:*'], ['kms:re*', 'KMS:Gen*Key']]);
  return chance(random, 0.1) ? { NotAction: Action } : { Action };
}

/** Of a key policy. */
export function keyStatement(random: Chance): NaiveStatement {
  const Effect = chance(random, 0.75) ? 'Allow' : 'Deny';
  const service = chance(random, 0.4) ? { Service: CALLERS.service.arn } : {};
  const names = { AWS: some(random, [...PRINCIPALS, HOME, AWAY], 1, 4), ...service };
  const everybody = pick(random, ['*', { AWS: ['*'] }] as const);
  const whom =
    Effect === 'Deny' && chance(random, 0.35)
      ? { NotPrincipal: names }
      : { Principal: chance(random, 0.12) ? everybody : names };
  return { Effect, ...whom, ...actions(random), Resource: ['*'], ...conditions(random) };
}

/** Of an identity policy, a boundary or an organization policy. */
export function identityStatement(random: Chance): NaiveStatement {
  const patterns = [`arn:aws:kms:*:${HOME}:key/*`, 'arn:aws:kms:*:*:key/${aws:PrincipalTag/team}*', '*'];
  const resources = chance(random, 0.6) ? ['*'] : some(random, patterns, 1, 2);
  const Effect = chance(random, 0.8) ? 'Allow' : 'Deny';
  const what = chance(random, 0.1) ? { NotResource: resources } : { Resource: resources };
  return { Effect, ...actions(random), ...what, ...conditions(random) };
}

/** By ARN; of some callers none. */
export function randomIdentities(random: Chance): ReadonlyMap<string, NaiveIdentity> {
  const many = (count: number) => Array.from({ length: count }, () => identityStatement(random));
  const listed = Object.values(CALLERS).filter(
    ({ kind, tags }) => kind !== 'Service' && (Object.keys(tags).length > 0 || chance(random, 0.85)),
  );
  return new Map(
    listed.map(({ arn }) => {
      const boundaries = chance(random, 0.15) ? [many(2)] : [];
      return [arn, { policies: many(pick(random, [0, 1, 2, 3])), boundaries }];
    }),
  );
}
