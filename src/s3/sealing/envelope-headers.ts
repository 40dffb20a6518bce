/**
 * The envelope among an object's headers. User metadata is sealed inside of it: names and values that clients give say as much as
 * content does. Together they have S3's 2 KB.
 */
import {
  decodeEnvelope,
  encodeEnvelope,
  ENVELOPE_METADATA_NAME,
  envelopeRoom,
  verifyEnvelope,
  type ChecksumChoice,
  type ObjectEnvelope,
  type ObjectLayout,
} from '../../envelope/object/object-envelope.ts';
import { openMetadata, sealMetadata } from '../../envelope/object/sealed-metadata.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import { keyToReadWith } from '../sse/given-key.ts';
import { checkGiven, unwrapObjectKey, wholeObjectKey, type ObjectKey, type ObjectSource } from './data-key.ts';
import { codeOf } from './error-code.ts';
import { boundHeaders, storageHeaders } from './request-headers.ts';
import { invalidObject, opening } from './sealed-errors.ts';
import { metadataBytes, metadataToSeal, metadataTooLarge, openedMetadata } from './user-metadata.ts';

/**
 * Headers that an object or upload is made with: system headers, and the envelope with the user metadata sealed. Throws
 * ERR_S3_METADATA_TOO_LARGE, ERR_S3_ENCRYPTION_CONTEXT (too long for the store's metadata), and what it refuses of the headers.
 */
export function envelopeHeaders(
  request: S3Request,
  gateway: GatewayContext,
  key: ObjectKey,
  as: { readonly layout: ObjectLayout; readonly checksum?: ChecksumChoice | undefined },
): S3Headers {
  const headers = storageHeaders(request.headers);
  const metadata = metadataToSeal(request.headers);
  const wraps = [{ type: 'direct', wrapped: key.wrapped }] as const;
  const envelope = { ...as, ...key.kept, objectId: key.objectId, wraps, boundHeaders: boundHeaders(headers) };
  const room = envelopeRoom(gateway.upstream.storeOf(request.bucket).capabilities.metadataBytes);
  try {
    const sealedMetadata =
      Object.keys(metadata).length === 0 ? undefined : sealMetadata(metadata, key.dek, key.objectId, gateway.random);
    const text = encodeEnvelope({ ...envelope, sealedMetadata }, key.unwrapped, room);
    return { ...headers, [ENVELOPE_METADATA_NAME]: text };
  } catch (error) {
    if (codeOf(error) !== 'ERR_ENVELOPE_TOO_LARGE') throw error;
    throw tooMuch(metadata, room - encodeEnvelope(envelope, key.unwrapped, Infinity).length, error);
  }
}

/** What an encoded field of sealed metadata has besides its pairs, and a pair besides its texts. */
const METADATA_OVERHEAD = { field: 3 + 24 + 4 + 16, pair: 8 } as const;

/** `room`: characters that the envelope leaves for metadata. */
function tooMuch(metadata: Readonly<Record<string, string>>, room: number, cause: unknown): S3Error {
  if (room < 0)
    return new S3Error('ERR_S3_ENCRYPTION_CONTEXT', "The encryption context is too long for the store's metadata.", {
      cause,
    });
  const pairs = Object.keys(metadata).length * METADATA_OVERHEAD.pair;
  const left = Math.floor((room * 3) / 4) - METADATA_OVERHEAD.field - pairs;
  const why = ': the gateway keeps them sealed, and the store has no more room for that';
  return metadataTooLarge(metadataBytes(metadata), left, why, cause);
}

/** An envelope that was proven, and what it vouches for. */
export type OpenedEnvelope = {
  readonly envelope: ObjectEnvelope;
  readonly key: ObjectKey;
  /** System headers of the object that may be shown. */
  readonly vouched: S3Headers;
  /** As the client wrote it; answers have it `mailSafe`. */
  readonly userMetadata: S3Headers;
  /** Of a website; not copied with the object. */
  readonly redirect: S3Headers;
};

/** The envelope, unproven. Throws ERR_S3_SEALED_OBJECT_INVALID where it is missing or malformed. */
export function readEnvelope(upstream: S3Headers): ObjectEnvelope {
  const text = upstream[ENVELOPE_METADATA_NAME];
  if (text === undefined) throw invalidObject();
  return opening(() => decodeEnvelope(text));
}

/** The object that a request names, with the key that it gives for it. Throws ERR_S3_CUSTOMER_KEY_*. */
export const ownObject = (request: S3Request, gateway: GatewayContext): ObjectSource => ({
  bucket: request.bucket,
  key: request.key,
  given: keyToReadWith(request, gateway),
});

const ON_READS = { needed: 'ERR_S3_CUSTOMER_KEY_NEEDED', notApplicable: 'ERR_S3_CUSTOMER_KEY_NOT_APPLICABLE' } as const;

/**
 * Asks for the DEK on the caller's behalf and proves the envelope and the headers beside it; only then is a customer's key tried, so that
 * a wrong one is told from a changed envelope.
 */
export async function openEnvelope(
  request: S3Request,
  gateway: GatewayContext,
  upstream: S3Headers,
  source: ObjectSource = ownObject(request, gateway),
): Promise<OpenedEnvelope> {
  const envelope = readEnvelope(upstream);
  const [wrap] = envelope.wraps;
  if (wrap?.type !== 'direct') throw invalidObject();
  checkGiven(envelope, source.given, ON_READS);
  const sealed = { ...envelope, wrapped: wrap.wrapped };
  const unwrapped = await unwrapObjectKey(request, gateway, sealed, source);
  const vouched = opening(() => verifyEnvelope(envelope, unwrapped.dek, upstream));
  const key = wholeObjectKey(unwrapped, sealed, source.given);
  return opening(() => {
    const { sealedMetadata } = envelope;
    const pairs = sealedMetadata === undefined ? {} : openMetadata(sealedMetadata, key.dek, envelope.objectId);
    return { envelope, key, vouched, ...openedMetadata(pairs) };
  });
}
