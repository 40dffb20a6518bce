/**
 * PutBucketLogging: turning it off is always allowed, written anew, so that a backend cannot read another word out of the document. Turned on, the
 * backend writes who asked for what into another bucket.
 */
import { refuseAround } from '../around.ts';
import { S3Error } from '../errors.ts';
import { formatXml, parseXml } from '../listing/xml-tree.ts';
import type { S3Operation } from '../operation.ts';
import { documentText } from '../request/document-text.ts';
import { documentOf, relay } from '../subresources/relay.ts';
import { checkUnderstood } from '../subresources/understood.ts';

const ROOT = 'BucketLoggingStatus';

export const putBucketLogging: S3Operation = {
  name: 'PutBucketLogging',
  async handle(request, gateway) {
    const body = await documentOf(request);
    const document = parseXml(documentText(body), ROOT);
    if (document === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
    const isOff = document.children.size === 0;
    if (!isOff) refuseAround(gateway.rules, request.bucket, 'PutBucketLogging', 'logging');
    await checkUnderstood(request, gateway);
    return relay(request, gateway, { body: isOff ? formatXml(ROOT, {}) : body });
  },
};
