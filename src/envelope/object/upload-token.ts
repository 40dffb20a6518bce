/**
 * The UploadId that clients hold: a sealed token with all a replica needs to seal any part of the upload, so no replica keeps state.
 *
 *   base64url( magic 2 | version 1 | suite 1 | key epoch 4 | nonce 24 | ciphertext | tag 16 )
 *   Version 2 says how the object's encryption is shown, and has the check of a customer's key; it is written where there is one of them.
 *   AAD: all before the nonce, and length 4 | bucket | length 4 | key
 */
import { concatBytes } from '../../crypto/bytes.ts';
import type { ServiceKey } from '../../crypto/key-types.ts';
import type { RandomSource } from '../../crypto/random.ts';
import { XAES_NONCE_BYTES, XAES_TAG_BYTES, openXaesGcm, sealXaesGcm } from '../../crypto/xaes-gcm.ts';
import { Reader, Writer, assertLength, decodeBase64url, decodeUtf8, encodeBase64url, encodeUtf8 } from '../codec.ts';
import { decodeContext, encodeContext, type EncryptionContext } from '../encryption-context.ts';
import { EnvelopeError, malformed, opening } from '../errors.ts';
import { MAX_BACKEND_UPLOAD_ID_BYTES, MAX_UPLOAD_TOKEN_CHARS } from '../limits.ts';
import { decodeKeyWrap, encodeKeyWrap, type KeyWrap } from './key-wrap.ts';
import {
  decodeChecksumChoice,
  decodeCustomer,
  encodeChecksumChoice,
  encodeCustomer,
  type ChecksumChoice,
} from './object-envelope.ts';
import { OBJECT_ID_BYTES } from './subkeys.ts';

export type UploadTokenFields = {
  readonly backendUploadId: string;
  /** 16 bytes. */
  readonly objectId: Uint8Array;
  readonly wrap: KeyWrap;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  readonly checksum?: ChecksumChoice | undefined;
  /** Encryption context the client gave on CreateMultipartUpload. */
  readonly context?: EncryptionContext | undefined;
  /** As in the envelope. */
  readonly keyHint?: string | undefined;
  /** As in the envelope. */
  readonly customerCheck?: Uint8Array | undefined;
};

/** Where the upload goes: a token of another key or bucket does not open. */
export type UploadPlace = { readonly bucket: string; readonly key: string };

const MAGIC = [0x53, 0x55] as const;
const VERSIONS = [1, 2] as const;
type Version = (typeof VERSIONS)[number];
const SUITE = 1;
const HEADER_BYTES = 8;
const EMPTY = new Uint8Array(0);

/** The token's text. Errors: ERR_ENVELOPE_TOO_LARGE (over MAX_UPLOAD_TOKEN_CHARS, or a backend id over its limit). */
export function sealUploadToken(
  fields: UploadTokenFields,
  serviceKey: ServiceKey,
  epoch: number,
  place: UploadPlace,
  random: RandomSource,
): string {
  assertLength(fields.objectId, OBJECT_ID_BYTES, 'an object id');
  const backendUploadId = encodeUtf8(fields.backendUploadId);
  if (backendUploadId.length > MAX_BACKEND_UPLOAD_ID_BYTES) {
    throw new EnvelopeError(
      'ERR_ENVELOPE_TOO_LARGE',
      `a store's upload id has at most ${MAX_BACKEND_UPLOAD_ID_BYTES} bytes`,
    );
  }
  const { checksum, context, keyHint, customerCheck } = fields;
  const writer = new Writer()
    .bytes(fields.objectId)
    .uint64(fields.createdMs)
    .block16(backendUploadId)
    .block16(encodeKeyWrap(fields.wrap))
    .block16(checksum === undefined ? EMPTY : encodeChecksumChoice(checksum))
    .block16(context === undefined ? EMPTY : encodeContext(context));
  // Version 1 wherever it can say everything: replicas that do not know version 2 yet go on with it.
  const version: Version = keyHint === undefined && customerCheck === undefined ? 1 : 2;
  if (version === 2) {
    writer.block16(keyHint === undefined ? EMPTY : encodeUtf8(keyHint));
    writer.block16(customerCheck === undefined ? EMPTY : encodeCustomer(customerCheck));
  }
  const plaintext = writer.finish();
  const header = new Writer()
    .uint8(...MAGIC, version, SUITE)
    .uint32(epoch)
    .finish();
  const nonce = random(XAES_NONCE_BYTES);
  const sealed = sealXaesGcm(serviceKey, nonce, plaintext, aadFor(header, place));
  const text = encodeBase64url(concatBytes(header, nonce, sealed));
  if (text.length > MAX_UPLOAD_TOKEN_CHARS) {
    throw new EnvelopeError(
      'ERR_ENVELOPE_TOO_LARGE',
      `an upload token has at most ${MAX_UPLOAD_TOKEN_CHARS} characters`,
    );
  }
  return text;
}

/** The epoch of the key that sealed a token; undefined where the text is no token of ours (a store's own upload id). */
export function uploadTokenEpoch(text: string): number | undefined {
  try {
    return decode(text).epoch;
  } catch {
    return undefined;
  }
}

/** Errors: ERR_ENVELOPE_MALFORMED (no token), ERR_ENVELOPE_OPEN_FAILED (other key, bucket, object key; forged). */
export function openUploadToken(text: string, serviceKey: ServiceKey, place: UploadPlace): UploadTokenFields {
  const { version, header, nonce, sealed } = decode(text);
  return opening(() => {
    const reader = new Reader(openXaesGcm(serviceKey, nonce, sealed, aadFor(header, place)));
    const fields = {
      objectId: reader.bytes(OBJECT_ID_BYTES),
      createdMs: reader.uint64(),
      backendUploadId: decodeUtf8(reader.block16()),
      wrap: decodeKeyWrap(reader.block16()),
    };
    const checksum = optional(reader.block16(), decodeChecksumChoice);
    const context = optional(reader.block16(), decodeContext);
    const keyHint = version === 1 ? undefined : optional(reader.block16(), decodeUtf8);
    const customerCheck = version === 1 ? undefined : optional(reader.block16(), decodeCustomer);
    reader.end();
    return { ...fields, checksum, context, keyHint, customerCheck };
  });
}

const optional = <T>(value: Uint8Array, decodeValue: (value: Uint8Array) => T): T | undefined =>
  value.length === 0 ? undefined : decodeValue(value);

function decode(text: string) {
  if (text.length > MAX_UPLOAD_TOKEN_CHARS) throw malformed();
  const bytes = decodeBase64url(text);
  const reader = new Reader(bytes);
  reader.expect(...MAGIC);
  const byte = reader.uint8();
  const version = VERSIONS.find((known) => known === byte);
  if (version === undefined) throw malformed();
  reader.expect(SUITE);
  const epoch = reader.uint32();
  const nonce = reader.bytes(XAES_NONCE_BYTES);
  if (reader.remaining < XAES_TAG_BYTES) throw malformed();
  return { version, epoch, nonce, header: bytes.subarray(0, HEADER_BYTES), sealed: reader.rest() };
}

function aadFor(header: Uint8Array, { bucket, key }: UploadPlace): Uint8Array {
  const [bucketBytes, keyBytes] = [encodeUtf8(bucket), encodeUtf8(key)];
  return new Writer()
    .bytes(header)
    .uint32(bucketBytes.length)
    .bytes(bucketBytes)
    .uint32(keyBytes.length)
    .bytes(keyBytes)
    .finish();
}
