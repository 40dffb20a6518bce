/**
 * DeleteObjects where no rule is about the bucket: it passes as it is, unless it names a key with dot segments. To a store that keeps files
 * `../closed/k` lies in another bucket, one that a rule may be about.
 */
import { S3Error } from '../errors.ts';
import { childrenOf, parseXml } from '../listing/xml-tree.ts';
import { documentText } from '../request/document-text.ts';
import { checked } from '../request/target.ts';

/** Throws ERR_S3_MALFORMED_XML, ERR_S3_INVALID_URI, ERR_S3_KEY_TOO_LONG. */
export function refuseEscapingKeys(document: Uint8Array, bucket: string): void {
  const tree = parseXml(documentText(document), 'Delete');
  if (tree === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
  // Of several keys of one object some stores read the last.
  for (const object of childrenOf(tree, 'Object'))
    for (const { text: key } of childrenOf(object, 'Key')) checked({ bucket, key });
}
