/**
 * UploadPartCopy where source or destination is sealed: the source's bytes are read as by a GET, and written as by an UploadPart. A part has
 * a salt and a place of its own, so ciphertext of another object never becomes one.
 */
import { CopiedBody } from '../copy/copied-body.ts';
import { onCopyLane } from '../copy/copy-lane.ts';
import { copyAnswer, versionOf } from '../copy/copy-result.ts';
import { readSource, refuseTooLarge, sourceRequest, type ReadSource } from '../copy/source-read.ts';
import { writePlain } from '../copy/write-plain.ts';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../bodies/checksums.ts';
import { S3Error } from '../errors.ts';
import { childText, parseXml } from '../listing/xml-tree.ts';
import { openUpload } from '../multipart/open-upload.ts';
import type { GatewayContext, S3Headers, S3Operation, S3Request } from '../operation.ts';
import { copySourceOf } from '../request/copy-source.ts';
import { pick } from '../sealing/request-headers.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { uploadPart } from './upload-part.ts';

export const uploadPartCopy: S3Operation = {
  name: 'UploadPartCopy',
  async handle(request, gateway) {
    await request.body.bytes(0);
    const source = sourceRequest(request, gateway, copySourceOf(request.headers));
    const algorithm = await uploadChecksum(request, gateway);
    const into = request.rule?.type === 'seal' ? 'sealed' : 'plain';
    const read = await readRange(source, gateway, { range: request.headers['x-amz-copy-source-range'], into });
    const body = new CopiedBody({ ...read, algorithm });
    const headers = pick(request.headers, KEPT);
    const part = { ...request, operation: 'UploadPart', headers, body } as const;
    const written = await write(part, onCopyLane(gateway));
    return copyAnswer('CopyPartResult', {
      etag: written['etag'] ?? '',
      lastModified: new Date(gateway.now()).toISOString(),
      headers: written,
      sourceVersionId: versionOf(read.headers, source),
    });
  },
};

const KEPT = [
  'x-amz-expected-bucket-owner',
  'x-amz-request-payer',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-server-side-encryption-customer-key',
  'x-amz-server-side-encryption-customer-key-md5',
] as const;

/** Of each part of the upload: S3 computes it where it copies. */
async function uploadChecksum(request: S3Request, gateway: GatewayContext): Promise<ChecksumAlgorithm | undefined> {
  if (request.rule?.type === 'seal') return (await openUpload(request, gateway)).checksum?.algorithm;
  // An upload that was not made by us: a store that keeps checksums says which, and refuses parts without it.
  const { bucket, key, signal } = request;
  const query = new Map([
    ['uploadId', request.query.get('uploadId') ?? ''],
    ['max-parts', '1'],
  ]);
  const response = await gateway.upstream.send({ method: 'GET', bucket, key, query, signal });
  const list = parseXml((await response.body.text(MAX_LIST_BYTES)).trim(), 'ListPartsResult');
  const named = childText(list, 'ChecksumAlgorithm')?.toLowerCase();
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === named);
}

type Wanted = { readonly range: string | undefined; readonly into: 'sealed' | 'plain' };

const ONE_RANGE = /^bytes=([0-9]{1,15})-([0-9]{1,15})$/u;

/** Throws ERR_S3_INVALID_ARGUMENT where the source has not all of the range: nothing shorter is copied. */
async function readRange(source: S3Request, gateway: GatewayContext, { range, into }: Wanted): Promise<ReadSource> {
  if (range === undefined) return fitting(await readSource(source, gateway, into));
  const [, first, last] = ONE_RANGE.exec(range) ?? [];
  const length = Number(last) - Number(first) + 1;
  if (Number.isNaN(length) || length < 1) throw malformedRange(range);
  const read = await readSource({ ...source, headers: { ...source.headers, range } }, gateway, into).catch(
    (error: unknown) => {
      throw error instanceof S3Error && error.status === 416 ? outside(range) : error;
    },
  );
  if (read.length !== length) throw outside(range);
  return fitting(read);
}

function fitting(read: ReadSource): ReadSource {
  refuseTooLarge(read.length);
  return read;
}

const malformedRange = (range: string): S3Error =>
  new S3Error(
    'ERR_S3_INVALID_ARGUMENT',
    'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    { details: { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: range } },
  );

const outside = (range: string): S3Error =>
  new S3Error('ERR_S3_INVALID_ARGUMENT', 'Range specified is not valid for the size of the source object.', {
    details: { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: range },
  });

/** Headers of the answer. */
async function write(part: S3Request, gateway: GatewayContext): Promise<S3Headers> {
  if (part.rule?.type === 'seal') return (await uploadPart.handle(part, gateway)).headers;
  return writePlain(part, gateway);
}
