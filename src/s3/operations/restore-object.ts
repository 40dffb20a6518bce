/**
 * RestoreObject: a sealed object is archived and brought back whole, envelope and all. A restore that queries the object or writes it
 * elsewhere (SELECT) is refused: it would see ciphertext, and put it where no rule is.
 */
import { S3Error } from '../errors.ts';
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import { parseXml } from '../listing/xml-tree.ts';
import type { S3Operation } from '../operation.ts';
import { documentText } from '../request/document-text.ts';
import { documentOf, relay } from '../subresources/relay.ts';

const PLAIN: ReadonlySet<string> = new Set(['Days', 'GlacierJobParameters', 'Tier', 'Description']);

export const restoreObject: S3Operation = {
  name: 'RestoreObject',
  async handle(request, gateway) {
    refuseHiddenKey(request.key);
    const body = await documentOf(request);
    const document = parseXml(documentText(body), 'RestoreRequest');
    if (document === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
    if ([...document.children.keys()].some((name) => !PLAIN.has(name))) {
      throw new S3Error(
        'ERR_S3_NOT_IMPLEMENTED',
        'Of a sealed object only a plain restore is possible, without SELECT.',
      );
    }
    return relay(request, gateway, { body });
  },
};
