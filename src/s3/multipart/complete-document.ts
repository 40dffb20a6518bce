/** The document of CompleteMultipartUpload: the parts the client names, with the checksums it knows of them. */
import { CHECKSUMS, type BodyDigests, type ChecksumName } from '../../envelope/object/record.ts';
import { decodeBase64 } from '../bodies/body-plan.ts';
import { S3Error } from '../errors.ts';
import { childrenOf, childText, parseXml, type XmlTree } from '../listing/xml-tree.ts';
import { CHECKSUM_ELEMENTS } from '../sealing/checksum-headers.ts';
import { parsePartNumber } from './part-number.ts';

export type NamedPart = {
  readonly number: number;
  /** As the client gave it. */
  readonly etag: string;
  /** At most one. */
  readonly checksums: BodyDigests;
};

/** The parts in their order. Throws ERR_S3_MALFORMED_XML, ERR_S3_INVALID_PART_ORDER, ERR_S3_INVALID_PART_NUMBER. */
export function parseCompleteDocument(xml: string): readonly NamedPart[] {
  const parts = childrenOf(parseXml(xml, 'CompleteMultipartUpload'), 'Part').map(parsePart);
  if (parts.length === 0) throw new S3Error('ERR_S3_MALFORMED_XML');
  parts.reduce((before, part) => {
    if (part.number <= before) throw new S3Error('ERR_S3_INVALID_PART_ORDER');
    return part.number;
  }, 0);
  return parts;
}

function parsePart(tree: XmlTree): NamedPart {
  const etag = childText(tree, 'ETag');
  const number = childText(tree, 'PartNumber');
  if (etag === undefined || number === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
  return { number: parsePartNumber(number.trim()), etag, checksums: parseChecksums(tree) };
}

const KNOWN: ReadonlySet<string> = new Set(Object.values(CHECKSUM_ELEMENTS));

function parseChecksums(tree: XmlTree): BodyDigests {
  // A checksum of which nothing is kept could only be passed over.
  if ([...tree.children.keys()].some((name) => name.startsWith('Checksum') && !KNOWN.has(name)))
    throw new S3Error(
      'ERR_S3_INVALID_REQUEST',
      'The algorithm type of a checksum you specified for a part is invalid.',
    );
  const checksums: Partial<Record<ChecksumName, Uint8Array>> = {};
  for (const { name, bytes } of CHECKSUMS) {
    const text = childText(tree, CHECKSUM_ELEMENTS[name]);
    const value = text === undefined ? undefined : decodeBase64(text, bytes);
    if (text !== undefined && (value === undefined || Object.keys(checksums).length > 0)) {
      throw new S3Error('ERR_S3_INVALID_ARGUMENT', 'Invalid Base64 or multiple checksums present in request');
    }
    if (value !== undefined) checksums[name] = value;
  }
  return checksums;
}
