/**
 * PutPublicAccessBlock: closing all four ways is always allowed, written anew, so that a backend cannot read another word out of the document
 * (of two of one name some read the last). Leaving one open may open what an ACL or policy of before says.
 */
import { refuseAround } from '../around.ts';
import { S3Error } from '../errors.ts';
import { childText, formatXml, parseXml } from '../listing/xml-tree.ts';
import type { S3Operation } from '../operation.ts';
import { documentText } from '../request/document-text.ts';
import { documentOf, relay } from '../subresources/relay.ts';
import { checkUnderstood } from '../subresources/understood.ts';

const ROOT = 'PublicAccessBlockConfiguration';
const WAYS = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const;
const ALL_CLOSED = Object.fromEntries(WAYS.map((way) => [way, true]));

export const putPublicAccessBlock: S3Operation = {
  name: 'PutPublicAccessBlock',
  async handle(request, gateway) {
    const body = await documentOf(request);
    const document = parseXml(documentText(body), ROOT);
    if (document === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
    const closesAll = WAYS.every((way) => childText(document, way)?.trim().toLowerCase() === 'true');
    if (!closesAll) refuseAround(gateway.rules, request.bucket, 'PutPublicAccessBlock', 'publicAccess');
    await checkUnderstood(request, gateway);
    return relay(request, gateway, { body: closesAll ? formatXml(ROOT, ALL_CLOSED) : body });
  },
};
