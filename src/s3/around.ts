/**
 * Ways in which what a bucket holds, or what is in it, gets to others past the gateway (invariant 8). The backend keeps none of our callers
 * apart, so each is refused unless the bucket's rules allow it by name.
 */
import { S3Error } from './errors.ts';
import type { S3OperationName } from './operation-names.ts';
import type { S3Rules } from './rules.ts';

export const AROUND = [
  'acl',
  'analytics',
  'inventory',
  'logging',
  'policy',
  'publicAccess',
  'replication',
  'website',
] as const;

export type Around = (typeof AROUND)[number];

/** True where each rule that seals or refuses keys of the bucket allows it. */
export function mayGoAround(rules: S3Rules, bucket: string, what: Around): boolean {
  return rules
    .forBucket(bucket)
    .every(({ rule, allowAround }) => rule.type === 'pass' || allowAround?.includes(what) === true);
}

/** Throws ERR_S3_NOT_IMPLEMENTED. */
export function refuseAround(rules: S3Rules, bucket: string, operation: S3OperationName, what: Around): void {
  if (mayGoAround(rules, bucket, what)) return;
  throw new S3Error(
    'ERR_S3_NOT_IMPLEMENTED',
    `${operation} could hand data of this bucket around the gateway. To allow it, write \`allowAround: [${what}]\` in the bucket's rules.`,
  );
}
