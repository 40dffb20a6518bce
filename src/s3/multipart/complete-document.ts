/** The document of CompleteMultipartUpload: the parts the client names, with the checksums it knows of them. */
import { S3Error } from '../errors.ts';
import { childrenOf, childText, parseXml, type XmlTree } from '../listing/xml-tree.ts';
import { parsePartNumber } from './part-number.ts';

export const PART_CHECKSUMS = {
  ChecksumCRC32: 'crc32',
  ChecksumCRC32C: 'crc32c',
  ChecksumCRC64NVME: 'crc64nvme',
  ChecksumSHA1: 'sha1',
  ChecksumSHA256: 'sha256',
} as const;

export type PartChecksumAlgorithm = (typeof PART_CHECKSUMS)[keyof typeof PART_CHECKSUMS];

export type NamedPart = {
  readonly number: number;
  /** As the client gave it. */
  readonly etag: string;
  readonly checksums: Readonly<Partial<Record<PartChecksumAlgorithm, Uint8Array>>>;
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

function parseChecksums(tree: XmlTree): NamedPart['checksums'] {
  const checksums: Partial<Record<PartChecksumAlgorithm, Uint8Array>> = {};
  for (const [element, algorithm] of Object.entries(PART_CHECKSUMS)) {
    const value = childText(tree, element);
    if (value !== undefined) checksums[algorithm] = Buffer.from(value, 'base64');
  }
  return checksums;
}
