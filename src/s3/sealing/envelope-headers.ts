/**
 * The envelope among an object's headers. User metadata is sealed inside of it: names and values that clients give say as much as
 * content does. Together they have S3's 2 KB.
 */
import {
  decodeEnvelope,
  encodeEnvelope,
  ENVELOPE_METADATA_NAME,
  verifyEnvelope,
  type ChecksumChoice,
  type ObjectEnvelope,
  type ObjectLayout,
} from '../../envelope/object/object-envelope.ts';
import { openMetadata, sealMetadata } from '../../envelope/object/sealed-metadata.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import { openObjectKey, type ObjectKey } from './data-key.ts';
import { codeOf } from './error-code.ts';
import { storageHeaders } from './request-headers.ts';
import { invalidObject, opening } from './sealed-errors.ts';

const USER_METADATA_PREFIX = 'x-amz-meta-';

/** Headers that an object or upload is made with: system headers, and the envelope with the user metadata sealed. */
export function envelopeHeaders(
  request: S3Request,
  gateway: GatewayContext,
  key: ObjectKey,
  as: { readonly layout: ObjectLayout; readonly checksum?: ChecksumChoice | undefined },
): S3Headers {
  const headers = storageHeaders(request.headers);
  const metadata = userMetadata(request.headers);
  try {
    const sealedMetadata =
      Object.keys(metadata).length === 0 ? undefined : sealMetadata(metadata, key.dek, key.objectId, gateway.random);
    const wraps = [{ type: 'direct', wrapped: key.wrapped }] as const;
    const envelope = { ...as, objectId: key.objectId, wraps, sealedMetadata, boundHeaders: headers };
    return { ...headers, [ENVELOPE_METADATA_NAME]: encodeEnvelope(envelope, key.dek) };
  } catch (error) {
    if (TOO_MUCH.has(codeOf(error))) {
      throw new S3Error('ERR_S3_METADATA_TOO_LARGE', undefined, { cause: error });
    }
    throw error;
  }
}

const TOO_MUCH: ReadonlySet<string | undefined> = new Set(['ERR_ENVELOPE_TOO_LARGE', 'ERR_ENVELOPE_CONTEXT']);

/** Names without their prefix, which would take the room three times over. */
function userMetadata(headers: S3Headers): Record<string, string> {
  // Defined and not set: `__proto__` is a name as any other.
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(USER_METADATA_PREFIX))
      .map(([name, value]) => [name.slice(USER_METADATA_PREFIX.length), value]),
  );
}

/** An envelope that was proven, and what it vouches for. */
export type OpenedEnvelope = {
  readonly envelope: ObjectEnvelope;
  readonly key: ObjectKey;
  /** System headers of the object that may be shown. */
  readonly vouched: S3Headers;
  readonly userMetadata: S3Headers;
};

/** The envelope, unproven. Throws ERR_S3_SEALED_OBJECT_INVALID where it is missing or malformed. */
export function readEnvelope(upstream: S3Headers): ObjectEnvelope {
  const text = upstream[ENVELOPE_METADATA_NAME];
  if (text === undefined) throw invalidObject();
  return opening(() => decodeEnvelope(text));
}

/** Asks for the DEK on the caller's behalf and proves the envelope and the headers beside it. */
export async function openEnvelope(
  request: S3Request,
  gateway: GatewayContext,
  upstream: S3Headers,
  objectKey: string = request.key,
): Promise<OpenedEnvelope> {
  const envelope = readEnvelope(upstream);
  const [wrap] = envelope.wraps;
  if (wrap?.type !== 'direct') throw invalidObject();
  const sealed = { wrapped: wrap.wrapped, objectId: envelope.objectId };
  const key = await openObjectKey(request, gateway, sealed, objectKey);
  return opening(() => {
    const vouched = verifyEnvelope(envelope, key.dek, upstream);
    const { sealedMetadata } = envelope;
    const pairs = sealedMetadata === undefined ? {} : openMetadata(sealedMetadata, key.dek, envelope.objectId);
    return { envelope, key, vouched, userMetadata: withPrefix(pairs) };
  });
}

function withPrefix(pairs: S3Headers): S3Headers {
  return Object.fromEntries(Object.entries(pairs).map(([name, value]) => [`${USER_METADATA_PREFIX}${name}`, value]));
}
