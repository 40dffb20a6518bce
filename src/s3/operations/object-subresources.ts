/**
 * Tags, retention and legal hold of an object: kept by the backend, which enforces them too. They say nothing of the content, so they pass,
 * for every version; but never of a hidden object.
 */
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import type { GatewayContext, S3Operation, S3Request, S3Response } from '../operation.ts';
import { parseTagDocument } from '../request/tagging.ts';
import { documentOf, relay, type Relayed } from '../subresources/relay.ts';
import { checkUnderstood } from '../subresources/understood.ts';

export const SUBRESOURCE_OPERATIONS: readonly S3Operation[] = [
  { name: 'GetObjectAcl', handle: pass },
  { name: 'GetObjectLegalHold', handle: pass },
  { name: 'GetObjectRetention', handle: pass },
  { name: 'GetObjectTagging', handle: pass },
  { name: 'PutObjectLegalHold', handle: pass },
  { name: 'PutObjectRetention', handle: pass },
  { name: 'PutObjectTagging', handle: putTagging },
  { name: 'DeleteObjectTagging', handle: pass },
];

async function pass(request: S3Request, gateway: GatewayContext): Promise<S3Response> {
  refuseHiddenKey(request.key);
  if (request.method === 'GET') return relay(request, gateway);
  const body = request.method === 'PUT' ? { body: await documentOf(request) } : {};
  return set(request, gateway, body);
}

async function putTagging(request: S3Request, gateway: GatewayContext): Promise<S3Response> {
  refuseHiddenKey(request.key);
  const body = await documentOf(request);
  parseTagDocument(body);
  return set(request, gateway, { body });
}

async function set(request: S3Request, gateway: GatewayContext, body: Relayed): Promise<S3Response> {
  await checkUnderstood(request, gateway);
  return relay(request, gateway, body);
}
