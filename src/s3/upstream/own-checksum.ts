/**
 * One checksum of ours over what the gateway makes and the backend stores: ciphertext, or a document. Damage on the way is then noticed when it
 * is written, not when it is read. Which one is a matter of the backend (`checksum` of its entry); exactly one, since S3 refuses two. What is
 * forwarded as a client sent it keeps the client's.
 *
 * A part of an upload that is whole gets Content-MD5 (one that was gathered brings it: `multipart/whole-part.ts`), one that flows none: S3 refuses a part with another checksum where its upload names
 * none, and of an upload that names one it wants numbers without gaps (docs/DECISIONS.md, "The backend gets one checksum of ours").
 */
import type { ByteSource } from '../bodies/byte-source.ts';
import { checksumBytes, createDigest, type Digest } from '../bodies/checksums.ts';
import type { UpstreamCapabilities } from './capabilities.ts';
import type { UpstreamRequest } from './client.ts';

type Algorithm = 'md5' | 'crc32' | 'crc32c' | 'crc64nvme' | 'sha256';
export type OwnChecksum = Algorithm | 'none';

/** The request with its checksum: before a whole body, behind a stream where the backend takes trailers (Content-MD5 cannot be one). */
export async function withOwnChecksum(
  request: UpstreamRequest,
  { ownChecksum, trailingChecksums }: UpstreamCapabilities,
): Promise<UpstreamRequest> {
  const { body, headers = {} } = request;
  if (ownChecksum === 'none' || request.method !== 'PUT' || body === undefined || hasOne(request)) return request;
  const algorithm = request.query?.has('uploadId') === true ? 'md5' : ownChecksum;
  if (body instanceof Uint8Array) {
    const digest = await createDigest(algorithm);
    digest.update(body);
    return { ...request, headers: { ...headers, [headerOf(algorithm)]: base64(digest) } };
  }
  return algorithm === 'md5' || !trailingChecksums ? request : withTrailer(request, body, algorithm);
}

async function withTrailer(request: UpstreamRequest, body: ByteSource, algorithm: Algorithm): Promise<UpstreamRequest> {
  const digest = await createDigest(algorithm);
  const measured: ByteSource = {
    pour: (take) =>
      body.pour((pieces) => {
        for (const piece of pieces) digest.update(piece);
        return take(pieces);
      }),
  };
  const valueBytes = 4 * Math.ceil(checksumBytes(algorithm) / 3);
  const trailer = { name: headerOf(algorithm), valueBytes, value: () => Promise.resolve(base64(digest)) };
  return { ...request, body: measured, trailer };
}

const hasOne = ({ asSent, trailer, headers = {} }: UpstreamRequest): boolean =>
  asSent === true ||
  trailer !== undefined ||
  Object.keys(headers).some((name) => name === 'content-md5' || name.startsWith('x-amz-checksum-'));

const headerOf = (algorithm: Algorithm): string =>
  algorithm === 'md5' ? 'content-md5' : `x-amz-checksum-${algorithm}`;

const base64 = (digest: Digest): string => Buffer.from(digest.digest()).toString('base64');
