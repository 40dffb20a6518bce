/**
 * The checksum of the plaintext, stored sealed at the object's end, for a HEAD that asks by `x-amz-checksum-mode`. It costs reads of the
 * object's ends, so only where the envelope says that there is one. A GET of ranges or streams is answered without: S3 lets it be absent.
 */
import { CHECKSUMS, openRecord, type ChecksumName } from '../../envelope/object/record.ts';
import { BODY_PREFIX_BYTES, RECORD_BYTES } from '../../envelope/object/sizes.ts';
import { openPrefix } from '../../envelope/object/stream.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import type { OpenedEnvelope } from './envelope-headers.ts';
import { fetchStored, type StoredAnswer } from './fetch-stored.ts';
import { readFooter } from './object-layout.ts';
import { opening } from './sealed-errors.ts';

export async function storedChecksum(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  opened: OpenedEnvelope,
): Promise<S3Headers> {
  const { envelope } = opened;
  const isAsked = request.headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED';
  if (!isAsked || envelope.checksum === undefined) return {};
  return envelope.layout === 'single'
    ? recordChecksum(request, gateway, stored, opened)
    : footerChecksum(request, gateway, stored, opened);
}

async function footerChecksum(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  { key }: OpenedEnvelope,
): Promise<S3Headers> {
  const { checksum, partCount } = await readFooter(request, gateway, stored, key);
  if (checksum === undefined) return {};
  const { algorithm, value, type } = checksum;
  return checksumHeaders(algorithm, value, type, type === 'COMPOSITE' ? partCount : undefined);
}

async function recordChecksum(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  { key: { dek, objectId } }: OpenedEnvelope,
): Promise<S3Headers> {
  const end = stored.storedSize - 1;
  const prefix = await fetchStored(request, gateway, stored, { from: 0, to: BODY_PREFIX_BYTES - 1 });
  const sealed = await fetchStored(request, gateway, stored, { from: end - RECORD_BYTES + 1, to: end });
  return opening(() => {
    const { header, headerBytes, salt } = openPrefix(prefix, dek, objectId);
    const place = { dek, objectId, salt, header: headerBytes, plainLength: header.plainLength };
    const { digests, clientChecksum } = openRecord(sealed, place);
    const value = clientChecksum === undefined ? undefined : digests[clientChecksum];
    return clientChecksum === undefined || value === undefined
      ? {}
      : checksumHeaders(clientChecksum, value, 'FULL_OBJECT');
  });
}

/** `md5` is no checksum S3 has a header for. */
export function checksumHeaders(algorithm: ChecksumName, value: Uint8Array, type: string, parts?: number): S3Headers {
  if (algorithm === 'md5' || !CHECKSUMS.some(({ name }) => name === algorithm)) return {};
  const text = Buffer.from(value).toString('base64');
  return {
    [`x-amz-checksum-${algorithm}`]: parts === undefined ? text : `${text}-${parts}`,
    'x-amz-checksum-type': type,
  };
}
