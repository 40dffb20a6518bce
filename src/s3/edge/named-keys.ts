/**
 * DeleteObjects where no rule is about the bucket: it passes as it is, unless it names a key with dot segments. To a store that keeps files
 * `../closed/k` lies in another bucket, one that a rule may be about.
 */
import { S3Error } from '../errors.ts';
import { childrenOf, childText, parseXml } from '../listing/xml-tree.ts';
import { checked } from '../request/target.ts';

/** Throws ERR_S3_MALFORMED_XML, ERR_S3_INVALID_URI, ERR_S3_KEY_TOO_LONG. */
export function refuseEscapingKeys(document: Uint8Array, bucket: string): void {
  const tree = parseXml(Buffer.from(document).toString(), 'Delete');
  if (tree === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
  for (const object of childrenOf(tree, 'Object')) checked({ bucket, key: childText(object, 'Key') ?? '' });
}
