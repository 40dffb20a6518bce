/**
 * Bucket rules: what happens to the objects of a bucket (and key prefix). The most specific rule wins: an exact bucket before a
 * pattern, then the longer literal, then the longer key prefix. Rules that tie and differ are refused at start, never at request time.
 */
import type { Around } from './around.ts';
import { S3Error } from './errors.ts';
import type { ShownAs } from './sse/shown-encryption.ts';

/** What a rule says about the objects it matches. */
export type S3Rule =
  /** `keyId`: KMS key id, ARN or alias. `name` is for logs and audit, never for AAD. */
  | {
      readonly type: 'seal';
      readonly keyId: string;
      readonly name: string;
      readonly bucketId?: string;
      readonly anonymous?: AnonymousRight;
      /** Further keys that clients may name (`x-amz-server-side-encryption-aws-kms-key-id`); none unless told. */
      readonly allowedKeys?: readonly string[];
      /** What happens to uploads with a key of the client's own (SSE-C); allowed unless told. */
      readonly customerKeys?: 'allow' | 'block';
      /** How objects are shown whose client asked for nothing, and so the bucket's default encryption; `aws:kms` unless told. */
      readonly shownAs?: ShownAs;
      /** Objects that are not sealed are read until then (milliseconds since 1970; Infinity: no end); refused unless told. */
      readonly readsPlainUntil?: number;
    }
  | { readonly type: 'pass'; readonly name: string; readonly anonymous?: AnonymousRight }
  | { readonly type: 'refuse'; readonly name: string };

/** What may be done without a signature; nothing unless told. */
export type AnonymousRight = 'read';

/** A rule with the keys it matches. */
export type S3RuleEntry = {
  /** Bucket name; `*` stands for any run of characters. */
  readonly bucket: string;
  /** Key prefix; the empty string matches every key of the bucket. */
  readonly prefix: string;
  readonly rule: S3Rule;
  /** What of the bucket may get to others past the gateway; nothing unless told. */
  readonly allowAround?: readonly Around[];
};

export interface S3Rules {
  /** The rule for one object; undefined where no rule says anything (then it passes unchanged). */
  forKey(bucket: string, key: string): S3Rule | undefined;
  /** The rules that say something about any key of the bucket, most specific first. Empty: the bucket passes unchanged. */
  forBucket(bucket: string): readonly S3RuleEntry[];
}

/** A compiled table of rules. Throws ERR_S3_RULES where two rules tie and differ. */
export function compileRules(entries: readonly S3RuleEntry[]): S3Rules {
  const sorted = [...entries].sort(bySpecificity).map((entry) => ({ entry, matches: bucketMatcher(entry.bucket) }));
  refuseContradictions(entries);
  const perBucket = new Map<string, readonly S3RuleEntry[]>();
  const forBucket = (bucket: string): readonly S3RuleEntry[] => {
    const known = perBucket.get(bucket);
    if (known !== undefined) return known;
    const found = untilWhole(sorted.filter((row) => row.matches(bucket)).map((row) => row.entry));
    // Bounded: bucket names come from clients.
    if (perBucket.size < MAX_REMEMBERED_BUCKETS) perBucket.set(bucket, found);
    return found;
  };
  return { forBucket, forKey: (bucket, key) => forBucket(bucket).find((entry) => key.startsWith(entry.prefix))?.rule };
}

/** What stands behind an entry that matches every key never decides. */
function untilWhole(entries: readonly S3RuleEntry[]): readonly S3RuleEntry[] {
  const whole = entries.findIndex((entry) => entry.prefix === '');
  return whole < 0 ? entries : entries.slice(0, whole + 1);
}

/** True where some keys of the bucket are sealed or refused: then only operations known to be safe are answered. */
export function bucketIsRuled(rules: S3Rules, bucket: string): boolean {
  return rules.forBucket(bucket).some((entry) => entry.rule.type !== 'pass');
}

const MAX_REMEMBERED_BUCKETS = 10_000;

function bucketMatcher(pattern: string): (bucket: string) => boolean {
  if (!pattern.includes('*')) return (bucket) => bucket === pattern;
  const expression = new RegExp(`^${pattern.split('*').map(escapeRegExp).join('.*')}$`, 'u');
  return (bucket) => expression.test(bucket);
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`);

/** Exact bucket, then more literal characters, then the longer prefix. */
function bySpecificity(a: S3RuleEntry, b: S3RuleEntry): number {
  return (
    Number(a.bucket.includes('*')) - Number(b.bucket.includes('*')) ||
    literalLength(b.bucket) - literalLength(a.bucket) ||
    b.prefix.length - a.prefix.length
  );
}

const literalLength = (pattern: string): number => pattern.replaceAll('*', '').length;

/** Throws for two rules that may match one key equally well and say different things: which of them won would be chance. */
function refuseContradictions(entries: readonly S3RuleEntry[]): void {
  for (const [index, one] of entries.entries()) {
    const other = entries
      .slice(index + 1)
      .find(
        (candidate) =>
          bySpecificity(one, candidate) === 0 && mayMeet(one, candidate) && !sameRule(one.rule, candidate.rule),
      );
    if (other !== undefined) {
      throw new S3Error(
        'ERR_S3_RULES',
        `the rules for ${placeOf(one)} and ${placeOf(other)} match the same keys equally well and say different things`,
      );
    }
  }
}

const placeOf = (entry: S3RuleEntry): string => `${entry.bucket}/${entry.prefix}*`;

/** Prefixes of one length meet only when they are equal. */
const mayMeet = (a: S3RuleEntry, b: S3RuleEntry): boolean => a.prefix === b.prefix && patternsMeet(a.bucket, b.bucket);

function sameRule(a: S3Rule, b: S3Rule): boolean {
  if (a.type === 'refuse' || b.type === 'refuse') return a.type === b.type;
  if (a.type !== b.type || a.anonymous !== b.anonymous) return false;
  return a.type !== 'seal' || b.type !== 'seal' || sealing(a) === sealing(b);
}

const sealing = ({
  keyId,
  bucketId,
  allowedKeys = [],
  customerKeys = 'allow',
  shownAs = 'aws:kms',
  readsPlainUntil,
}: Extract<S3Rule, { type: 'seal' }>): string =>
  JSON.stringify([keyId, bucketId, [...allowedKeys].sort(), customerKeys, shownAs, String(readsPlainUntil)]);

/** True where some bucket name matches both patterns. */
function patternsMeet(a: string, b: string): boolean {
  if (a === '' && b === '') return true;
  if (a.startsWith('*')) return patternsMeet(a.slice(1), b) || (b !== '' && patternsMeet(a, b.slice(1)));
  if (b.startsWith('*')) return patternsMeet(b, a);
  return a !== '' && a.charAt(0) === b.charAt(0) && patternsMeet(a.slice(1), b.slice(1));
}
