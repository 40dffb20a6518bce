/** PutPublicAccessBlock: closing all four ways is always allowed. Leaving one open may open what an ACL or policy of before says. */
import { refuseAround } from '../around.ts';
import { S3Error } from '../errors.ts';
import { childText, parseXml } from '../listing/xml-tree.ts';
import type { S3Operation } from '../operation.ts';
import { documentOf, relay } from '../subresources/relay.ts';
import { checkUnderstood } from '../subresources/understood.ts';

const WAYS = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const;

export const putPublicAccessBlock: S3Operation = {
  name: 'PutPublicAccessBlock',
  async handle(request, gateway) {
    const body = await documentOf(request);
    const document = parseXml(Buffer.from(body).toString(), 'PublicAccessBlockConfiguration');
    if (document === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
    const closesAll = WAYS.every((way) => childText(document, way)?.trim().toLowerCase() === 'true');
    if (!closesAll) refuseAround(gateway.rules, request.bucket, 'PutPublicAccessBlock', 'publicAccess');
    await checkUnderstood(request, gateway);
    return relay(request, gateway, { body });
  },
};
