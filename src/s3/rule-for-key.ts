/** The rule of a key, for requests and for the keys that documents name. */
import { S3Error } from './errors.ts';
import { refuseHiddenKey } from './listing/hidden-names.ts';
import { pathReading, type Place } from './request/target.ts';
import { bucketIsRuled, type S3Rule, type S3Rules } from './rules.ts';

/**
 * The rule that is the same however a backend reads the key. Throws ERR_S3_INVALID_URI where it is not, and ERR_S3_ACCESS_DENIED for
 * hidden names. Precondition: the place is `checked`.
 */
export function ruleForKey({ bucket, key }: Place, rules: S3Rules): S3Rule | undefined {
  const rule = rules.forKey(bucket, key);
  if (!bucketIsRuled(rules, bucket)) return rule;
  refuseHiddenKey(key);
  const reading = pathReading(key);
  if (reading === undefined) return rule;
  refuseHiddenKey(reading);
  if (rules.forKey(bucket, reading) !== rule)
    throw new S3Error('ERR_S3_INVALID_URI', 'Some stores read this key as one that another rule is about.');
  return rule;
}
