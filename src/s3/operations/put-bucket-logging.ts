/** PutBucketLogging: turning it off is always allowed. Turned on, the backend writes who asked for what into another bucket. */
import { refuseAround } from '../around.ts';
import { S3Error } from '../errors.ts';
import { parseXml } from '../listing/xml-tree.ts';
import type { S3Operation } from '../operation.ts';
import { documentOf, relay } from '../subresources/relay.ts';
import { checkUnderstood } from '../subresources/understood.ts';

export const putBucketLogging: S3Operation = {
  name: 'PutBucketLogging',
  async handle(request, gateway) {
    const body = await documentOf(request);
    const document = parseXml(Buffer.from(body).toString(), 'BucketLoggingStatus');
    if (document === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
    if (document.children.size > 0) refuseAround(gateway.rules, request.bucket, 'PutBucketLogging', 'logging');
    await checkUnderstood(request, gateway);
    return relay(request, gateway, { body });
  },
};
