/**
 * Which bucket rule holds for an object, and when rules contradict.
 *
 * A rule covers the buckets of its pattern (a name, or a beginning followed by `*`) and, in them, the keys that begin with its
 * prefix. So in each of the two respects any two rules are nested or apart. Of the rules that cover an object the narrowest
 * holds: exact bucket before pattern, then the longer pattern, then the longer prefix. Where two rules overlap, one with the
 * narrower bucket and the other with the narrower prefix, and say different things, that order would be a guess about what the
 * operator meant: an error, unless a third rule stands for exactly what both cover.
 */
import type { ConfigPath, Finding } from './problem.ts';

export type BucketOutcome =
  | {
      readonly type: 'seal';
      readonly keyId: string;
      readonly bucketId?: string;
      readonly anonymous?: 'read';
      /** Further keys that clients may name. */
      readonly allowedKeys?: readonly string[];
      /** Uploads with a key of the client's own; allowed unless told. */
      readonly customerKeys?: 'allow' | 'block';
      /** How objects are shown whose client asked for nothing; `aws:kms` unless told. */
      readonly shownAs?: 'aws:kms' | 'aws:kms bucket-key' | 'AES256';
      /** Objects that are not sealed are read until then (milliseconds since 1970; Infinity: no end); refused unless told. */
      readonly readsPlainUntil?: number;
    }
  | { readonly type: 'pass'; readonly anonymous?: 'read' }
  | { readonly type: 'refuse' };

/** The keys that a rule seals with: its own, and those that clients may name. */
export function keysOf(outcome: BucketOutcome): readonly string[] {
  return outcome.type === 'seal' ? [outcome.keyId, ...(outcome.allowedKeys ?? [])] : [];
}

export type BucketRule = {
  /** A bucket name, or a beginning followed by `*`. */
  readonly bucket: string;
  /** The empty string covers every key. */
  readonly prefix: string;
  readonly outcome: BucketOutcome;
  /** What of the bucket may get to others past the gateway. */
  readonly allowAround?: readonly AllowedAround[];
};

export type AllowedAround =
  'acl' | 'analytics' | 'inventory' | 'logging' | 'policy' | 'publicAccess' | 'replication' | 'website';

/** The pattern `inner` names no bucket that `outer` does not. */
function bucketWithin(inner: string, outer: string): boolean {
  return outer.endsWith('*') ? inner.startsWith(outer.slice(0, -1)) : inner === outer;
}

const prefixWithin = (inner: string, outer: string): boolean => inner.startsWith(outer);

/** Negative where `a` comes first, that is, where it is narrower. */
export function compareBucketRules(a: BucketRule, b: BucketRule): number {
  return (
    Number(a.bucket.endsWith('*')) - Number(b.bucket.endsWith('*')) ||
    b.bucket.length - a.bucket.length ||
    b.prefix.length - a.prefix.length
  );
}

/** The rule that holds for an object; undefined: none, so it passes. */
export function matchBucketRule(rules: readonly BucketRule[], bucket: string, key: string): BucketRule | undefined {
  const covering = rules.filter((rule) => bucketWithin(bucket, rule.bucket) && prefixWithin(key, rule.prefix));
  return covering.sort(compareBucketRules)[0];
}

function sameOutcome(a: BucketOutcome, b: BucketOutcome): boolean {
  if (a.type === 'refuse' || b.type === 'refuse') return a.type === b.type;
  if (a.type !== b.type || a.anonymous !== b.anonymous) return false;
  return a.type !== 'seal' || b.type !== 'seal' || sealed(a) === sealed(b);
}

const sealed = ({
  keyId,
  bucketId,
  allowedKeys = [],
  customerKeys = 'allow',
  shownAs = 'aws:kms',
  readsPlainUntil,
}: Extract<BucketOutcome, { type: 'seal' }>) =>
  JSON.stringify([keyId, bucketId, [...allowedKeys].sort(), customerKeys, shownAs, String(readsPlainUntil)]);

const describe = ({ bucket, prefix }: Pick<BucketRule, 'bucket' | 'prefix'>): string =>
  `bucket \`${bucket}\`${prefix === '' ? '' : `, prefix \`${prefix}\``}`;

/** What two rules both cover, where neither is the narrower in both respects. */
function crossing(a: BucketRule, b: BucketRule): Pick<BucketRule, 'bucket' | 'prefix'> | undefined {
  const narrowBucket = (inner: BucketRule, outer: BucketRule) =>
    inner.bucket !== outer.bucket && bucketWithin(inner.bucket, outer.bucket);
  const narrowPrefix = (inner: BucketRule, outer: BucketRule) =>
    inner.prefix !== outer.prefix && prefixWithin(inner.prefix, outer.prefix);
  if (narrowBucket(a, b) && narrowPrefix(b, a)) return { bucket: a.bucket, prefix: b.prefix };
  if (narrowBucket(b, a) && narrowPrefix(a, b)) return { bucket: b.bucket, prefix: a.prefix };
  return undefined;
}

/** All contradictions; `at` is the path of the list, and rules are numbered as in it. */
export function checkBucketRules(rules: readonly BucketRule[], at: ConfigPath): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (index: number, other: number, message: string): void => {
    findings.push({
      code: 'ERR_CONFIG_CONTRADICTION',
      path: [...at, index],
      other: [...at, other],
      at: 'value',
      message,
    });
  };
  for (const [index, rule] of rules.entries()) {
    for (const [other, earlier] of rules.slice(0, index).entries()) {
      if (rule.bucket === earlier.bucket && rule.prefix === earlier.prefix) {
        report(index, other, `a second rule for ${describe(rule)}`);
        continue;
      }
      const both = crossing(rule, earlier);
      if (both === undefined || sameOutcome(rule.outcome, earlier.outcome)) continue;
      if (rules.some(({ bucket, prefix }) => bucket === both.bucket && prefix === both.prefix)) continue;
      report(
        index,
        other,
        `two rules that differ cover ${describe(both)}, and neither is narrower; add a rule for exactly that`,
      );
    }
  }
  return findings;
}
