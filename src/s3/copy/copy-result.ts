/** What a copy has made, and how S3 says so. */
import { formatXml, type XmlContent } from '../listing/xml-tree.ts';
import type { S3Headers, S3Request, S3Response } from '../operation.ts';
import { CHECKSUM_ELEMENTS } from '../sealing/checksum-headers.ts';
import { pick } from '../sealing/request-headers.ts';

export type CopyMade = {
  /** As clients see it, quoted. */
  readonly etag: string;
  /** ISO 8601. */
  readonly lastModified: string;
  /** Of the destination: its version and how it is encrypted; and `x-amz-checksum-*`, which are said in the document. */
  readonly headers: S3Headers;
  readonly sourceVersionId: string | undefined;
};

const ANSWERED = [
  'x-amz-expiration',
  'x-amz-request-charged',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-server-side-encryption-context',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-server-side-encryption-customer-key-md5',
  'x-amz-version-id',
] as const;

export function copyAnswer(root: 'CopyObjectResult' | 'CopyPartResult', made: CopyMade): S3Response {
  const { etag, lastModified, headers, sourceVersionId } = made;
  const body = formatXml(root, { LastModified: lastModified, ETag: etag, ...checksumContent(headers) });
  return {
    status: 200,
    headers: {
      'content-type': 'application/xml',
      'content-length': String(body.length),
      ...pick(headers, ANSWERED),
      ...(sourceVersionId === undefined ? {} : { 'x-amz-copy-source-version-id': sourceVersionId }),
    },
    body,
  };
}

function checksumContent(headers: S3Headers): Record<string, XmlContent> {
  const found = Object.entries(CHECKSUM_ELEMENTS).flatMap(([algorithm, element]) => {
    const value = headers[`x-amz-checksum-${algorithm}`];
    return value === undefined ? [] : [[element, value] as const];
  });
  if (found.length === 0) return {};
  const type = headers['x-amz-checksum-type'];
  return { ...Object.fromEntries(found), ...(type === undefined ? {} : { ChecksumType: type }) };
}

/** The version of the source that was read: S3 says it where there are versions. */
export const versionOf = (headers: S3Headers, { query }: S3Request): string | undefined =>
  headers['x-amz-version-id'] ?? query.get('versionId');

/** A date of a header as documents have it. */
export function isoDate(date: string | undefined, now: number): string {
  const time = Date.parse(date ?? '');
  return new Date(Number.isNaN(time) ? now : time).toISOString();
}
