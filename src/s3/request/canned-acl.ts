/** AWS's canned ACLs by their names: of buckets, of objects, or both. What is none of them is a wrong argument, before it is asked whom it is for. */
import { S3Error } from '../errors.ts';
import type { S3Headers } from '../operation.ts';

/** The gateway is the owner, of buckets and of objects: to it they are one and the same. */
const OWNERS_ALONE: ReadonlySet<string> = new Set(['private', 'bucket-owner-full-control', 'bucket-owner-read']);

const OTHERS: ReadonlySet<string> = new Set([
  'authenticated-read',
  'aws-exec-read',
  'log-delivery-write',
  'public-read',
  'public-read-write',
]);

/** Whether the ACL named, or none, gives nothing to others. Throws ERR_S3_INVALID_ARGUMENT. */
export function isOwnersAlone({ 'x-amz-acl': acl = 'private' }: S3Headers): boolean {
  if (OWNERS_ALONE.has(acl)) return true;
  if (OTHERS.has(acl)) return false;
  throw new S3Error('ERR_S3_INVALID_ARGUMENT', undefined, {
    details: { ArgumentName: 'x-amz-acl', ArgumentValue: acl },
  });
}
