/** The whole object: one read of the backend. The last piece of plaintext leaves only when the object was proven whole. */
import { ObjectOpener } from '../../envelope/object/object-opener.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { UpstreamBody } from '../upstream/client.ts';
import type { OpenedEnvelope } from './envelope-headers.ts';
import type { StoredAnswer } from './fetch-stored.ts';
import { partsInEtag } from './etag.ts';
import { knownLayout, multipartLayout, rememberLayout, singleLayout } from './object-layout.ts';
import { asOpeningError, invalidObject } from './sealed-errors.ts';
import { plainSizeOfMultipart } from '../../envelope/object/sizes.ts';

/**
 * Bytes of plaintext. By arithmetic where the ETag counts parts: what is read is then held against it. Throws
 * ERR_S3_SEALED_OBJECT_INVALID where no sealed object has such a size.
 */
export async function plaintextLength(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  { envelope, key }: OpenedEnvelope,
): Promise<number> {
  if (envelope.layout === 'single') return singleLayout(stored).plainSize;
  const known = knownLayout(request, gateway);
  if (known?.etag === stored.etag && known.storedSize === stored.storedSize) return known.plainSize;
  const parts = partsInEtag(stored.etag);
  if (parts !== undefined) return plainSizeOfMultipart(stored.storedSize, parts) ?? fail();
  const layout = await multipartLayout(request, gateway, stored, key);
  rememberLayout(request, gateway, layout);
  return layout.plainSize;
}

const fail = (): never => {
  throw invalidObject();
};

/** The plaintext, exactly `length` bytes of it, or an error before its last byte. */
export async function* openWhole(
  stored: UpstreamBody,
  { envelope, key }: OpenedEnvelope,
  length: number,
): AsyncGenerator<Uint8Array> {
  const opener = new ObjectOpener({ dek: key.dek, objectId: envelope.objectId, layout: envelope.layout });
  let left = length;
  try {
    for await (const chunk of stored) {
      for (const plain of opener.push(chunk)) {
        left -= plain.length;
        // A header that says more than was promised: the answer must not end as if it were whole.
        if (left < 0) throw invalidObject();
        if (plain.length > 0) yield plain;
      }
    }
    if (opener.finish().plainSize !== length) throw invalidObject();
  } catch (error) {
    throw asOpeningError(error);
  }
}
