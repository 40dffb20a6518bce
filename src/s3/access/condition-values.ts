/** What of a request the condition keys `s3:<name>` show (`keys/access/policy/s3-conditions.ts` has their list). */
import { S3_CONDITION_HEADERS } from '../../keys/access/policy/s3-conditions.ts';
import type { S3Headers, S3Query } from '../operation.ts';

/** Other headers and parameters, and the condition key each is. */
const RENAMED_HEADERS = [
  ['x-amz-object-lock-mode', 'object-lock-mode'],
  ['x-amz-object-lock-retain-until-date', 'object-lock-retain-until-date'],
  ['x-amz-object-lock-legal-hold', 'object-lock-legal-hold'],
] as const;

const PARAMETERS = [
  ['prefix', 'prefix'],
  ['delimiter', 'delimiter'],
  ['max-keys', 'max-keys'],
  ['versionId', 'versionid'],
] as const;

/** How the request was signed, as conditions see it. */
export type SignatureFacts = {
  readonly type: 'REST-HEADER' | 'REST-QUERY-STRING' | 'POST';
  /** Milliseconds since it was signed. */
  readonly ageMs: number;
};

export function conditionValues(
  { query, headers }: { readonly query: S3Query; readonly headers: S3Headers },
  signature: SignatureFacts | undefined,
): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) values[name] = value;
  };
  for (const name of S3_CONDITION_HEADERS) add(name, headers[name]);
  for (const [header, name] of RENAMED_HEADERS) add(name, headers[header]);
  for (const [parameter, name] of PARAMETERS) add(name, query.get(parameter));
  if (signature !== undefined) {
    add('authtype', signature.type);
    add('signatureage', String(Math.max(0, signature.ageMs)));
    add('signatureversion', 'AWS4-HMAC-SHA256');
  }
  return values;
}
