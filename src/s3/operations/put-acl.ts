/**
 * PutObjectAcl and PutBucketAcl: what gives nothing to others is set, written as the canned ACL that means it, so that a backend cannot read
 * another grant out of a document than was judged. Where the rules allow `acl`, anything passes as it is.
 */
import { mayGoAround } from '../around.ts';
import { S3Error } from '../errors.ts';
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import { childrenOf, childText, parseXml } from '../listing/xml-tree.ts';
import type { GatewayContext, S3Operation, S3Request, S3Response } from '../operation.ts';
import { documentText } from '../request/document-text.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';
import { ownerGrantedAll, refuseGrants } from '../subresources/grants.ts';
import { documentOf, relay } from '../subresources/relay.ts';
import { checkUnderstood } from '../subresources/understood.ts';

export const putObjectAcl: S3Operation = { name: 'PutObjectAcl', handle: putAcl };
export const putBucketAcl: S3Operation = { name: 'PutBucketAcl', handle: putAcl };

async function putAcl(request: S3Request, gateway: GatewayContext): Promise<S3Response> {
  refuseHiddenKey(request.key);
  const grants = Object.entries(request.headers).filter(([name]) => /^x-amz-(?:acl$|grant-)/u.test(name));
  const body = await documentOf(request);
  await checkUnderstood(request, gateway);
  if (mayGoAround(gateway.rules, request.bucket, 'acl'))
    return relay(request, gateway, { body, headers: Object.fromEntries(grants) });
  refuseGrants(request.headers);
  if (body.length > 0) {
    if (grants.length > 0)
      throw new S3Error('ERR_S3_INVALID_REQUEST', 'Specifying both Canned ACLs and a document is not allowed.');
    await checkOwner(ownerGrantedAll(parseXml(documentText(body), 'AccessControlPolicy')), request, gateway);
  }
  const acl = request.headers['x-amz-acl'] ?? 'private';
  return relay(request, gateway, { body: new Uint8Array(), headers: { 'x-amz-acl': acl } });
}

/** Nobody gives away what is theirs by such a document: S3 refuses it. */
async function checkOwner(
  named: string,
  { bucket, key, query, signal }: S3Request,
  gateway: GatewayContext,
): Promise<void> {
  const place = { bucket, ...(key === '' ? {} : { key }), query, signal };
  const response = await sendOrThrow(gateway, { method: 'GET', ...place });
  const document = parseXml(await response.body.text(MAX_LIST_BYTES), 'AccessControlPolicy');
  if (childText(childrenOf(document, 'Owner')[0], 'ID') !== named) throw new S3Error('ERR_S3_ACCESS_DENIED');
}
