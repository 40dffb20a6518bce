/**
 * Tags of an object: as the header `x-amz-tagging` has them (the form of a URL's query), and as a document. Looked at before they are sent: stores
 * differ in what they take (Ceph RGW 16 keeps one of two tags of a name, and says nothing).
 * Source: Amazon S3 user guide, "Categorizing your objects using tags" (characters are counted as UTF-16 has them).
 */
import { encodeUri } from '../../sigv4/percent-encoding.ts';
import { S3Error } from '../errors.ts';
import { childText, childrenOf, parseXml } from '../listing/xml-tree.ts';
import { documentText } from './document-text.ts';

export type Tag = readonly [key: string, value: string];

const MAX_TAGS = 10;
const MAX_KEY_LENGTH = 128;
const MAX_VALUE_LENGTH = 256;

/** A space as `%20`, since not every backend reads a plus as one. */
export const formatTags = (tags: readonly Tag[]): string => tags.map((tag) => tag.map(encodeUri).join('=')).join('&');

export const parseTagging = (header: string | undefined): readonly Tag[] => [...new URLSearchParams(header ?? '')];

/** Throws ERR_S3_INVALID_ARGUMENT, ERR_S3_INVALID_TAG, ERR_S3_TOO_MANY_TAGS. */
export function checkTagging(header: string | undefined): void {
  const tags = parseTagging(header);
  if (hasRepeated(tags))
    throw new S3Error(
      'ERR_S3_INVALID_ARGUMENT',
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      { details: { ArgumentName: 'x-amz-tagging', ArgumentValue: header ?? '' } },
    );
  checkTags(tags);
}

/** Throws ERR_S3_MALFORMED_XML, ERR_S3_INVALID_TAG, ERR_S3_TOO_MANY_TAGS. */
export function parseTagDocument(document: Uint8Array): readonly Tag[] {
  const [set] = childrenOf(parseXml(documentText(document), 'Tagging'), 'TagSet');
  if (set === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
  const tags = childrenOf(set, 'Tag').map((tag): Tag => {
    const [key, value] = [childText(tag, 'Key'), childText(tag, 'Value')];
    if (key === undefined || value === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
    return [key, value];
  });
  if (hasRepeated(tags)) throw invalid('Cannot provide multiple Tags with the same key');
  checkTags(tags);
  return tags;
}

function checkTags(tags: readonly Tag[]): void {
  if (tags.length > MAX_TAGS) throw new S3Error('ERR_S3_TOO_MANY_TAGS');
  for (const [key, value] of tags) {
    if (key === '' || key.length > MAX_KEY_LENGTH) throw invalid('The TagKey you have provided is invalid');
    if (value.length > MAX_VALUE_LENGTH) throw invalid('The TagValue you have provided is invalid');
    if (key.startsWith('aws:')) throw invalid('System tags cannot be added/updated by requester');
  }
}

const hasRepeated = (tags: readonly Tag[]): boolean => new Set(tags.map(([key]) => key)).size < tags.length;

const invalid = (message: string): S3Error => new S3Error('ERR_S3_INVALID_TAG', message);
