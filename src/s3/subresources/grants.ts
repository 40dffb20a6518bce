/**
 * Access control lists that give nobody anything: those of AWS's canned ones that name the owners alone, and documents that grant all to the
 * owner. Every other ACL would let the backend hand out what the gateway guards.
 */
import { S3Error } from '../errors.ts';
import { childrenOf, childText, type XmlTree } from '../listing/xml-tree.ts';
import type { S3Headers } from '../operation.ts';
import { isOwnersAlone } from '../request/canned-acl.ts';

/** Throws ERR_S3_NOT_IMPLEMENTED for headers that grant to others, ERR_S3_INVALID_ARGUMENT for an ACL that is none. */
export function refuseGrants(headers: S3Headers): void {
  const grants = Object.keys(headers).some((name) => name.startsWith('x-amz-grant-'));
  if (!isOwnersAlone(headers) || grants) throw refusal();
}

/** The owner that a document names and grants everything to, and nobody else. Throws ERR_S3_NOT_IMPLEMENTED, ERR_S3_MALFORMED_XML. */
export function ownerGrantedAll(document: XmlTree | undefined): string {
  const owner = childText(childrenOf(document, 'Owner')[0], 'ID');
  const grants = childrenOf(childrenOf(document, 'AccessControlList')[0], 'Grant');
  if (owner === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
  if (grants.length !== 1 || !grants.every((grant) => grantsAllTo(owner, grant))) throw refusal();
  return owner;
}

function grantsAllTo(owner: string, grant: XmlTree): boolean {
  const [grantee, second] = childrenOf(grant, 'Grantee');
  if (grantee === undefined || second !== undefined || childText(grant, 'Permission') !== 'FULL_CONTROL') return false;
  // A URI or an address beside the id could be what is read.
  const known = [...grantee.children.keys()].every((name) => name === 'ID' || name === 'DisplayName');
  return known && childText(grantee, 'ID') === owner;
}

const refusal = (): S3Error =>
  new S3Error(
    'ERR_S3_NOT_IMPLEMENTED',
    "Buckets with rules stay private: ACLs that grant to others are refused. To allow them, write `allowAround: [acl]` in the bucket's rules.",
  );
