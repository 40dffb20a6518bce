/**
 * Requests that nobody signed: refused, unless they read an object for whose key a rule says `anonymous: read`. Of what lies there that is
 * the objects themselves in their newest version; no listing, no older version, no tags.
 */
import { S3Error } from '../errors.ts';
import { pathReading } from '../request/target.ts';
import { ruleForKey } from '../rule-for-key.ts';
import type { S3Rule, S3Rules } from '../rules.ts';
import type { Asked } from './permissions.ts';

/** Throws ERR_S3_ACCESS_DENIED, ERR_S3_INVALID_REQUEST. */
export function refuseAnonymous(asked: Asked, rules: S3Rules): void {
  const reads = asked.operation === 'GetObject' || asked.operation === 'HeadObject';
  if (!reads || asked.query.has('versionId')) throw new S3Error('ERR_S3_ACCESS_DENIED');
  // However a store reads the key: one that keeps files takes `public\\..\\private` for `private`.
  const readings = [asked.key, pathReading(asked.key) ?? asked.key];
  if (!readings.every((key) => isOpen(ruleForKey({ ...asked, key }, rules)))) throw new S3Error('ERR_S3_ACCESS_DENIED');
  if ([...asked.query.keys()].some((name) => name.startsWith('response-')))
    throw new S3Error(
      'ERR_S3_INVALID_REQUEST',
      'Request specific response headers cannot be used for anonymous GET requests.',
    );
}

const isOpen = (rule: S3Rule | undefined): boolean =>
  rule !== undefined && rule.type !== 'refuse' && rule.anonymous === 'read';
