/**
 * The object's envelope: one compact value in its metadata (ENVELOPE_METADATA_NAME), set when the object or the upload is created,
 * so a copy or a rotation rewraps the DEK without touching the data.
 *
 *   text:  "sg1." base64url( magic 2 | format 1 | suite 1 | layout 1 | object id 16 | fields | MAC 32 )
 *   field: tag 1 | length 2 | value, by ascending tag; only the key wrap may come several times
 *
 * Format 2 has the check of a customer's key, and format 1 has none (customer-key.ts).
 *
 * Invariant: the MAC, under a subkey of what the wraps hold (the DEK; in format 2 the gateway's half of it), covers all before it, and
 * the headers that matter by their digest; its 32 bytes commit the envelope to that key.
 */
import { concatBytes, equalBytes } from '../../crypto/bytes.ts';
import { hmacSha256 } from '../../crypto/hmac.ts';
import type { Dek } from '../../crypto/key-types.ts';
import { Reader, Writer, assertLength, decodeBase64url, decodeUtf8, encodeBase64url, encodeUtf8 } from '../codec.ts';
import { decodeContext, encodeContext, type EncryptionContext } from '../encryption-context.ts';
import { EnvelopeError, malformed, openFailed } from '../errors.ts';
import { MAX_ENVELOPE_CHARS, MAX_KEY_WRAPS, METADATA_RESERVE_BYTES, S3_METADATA_BYTES } from '../limits.ts';
import {
  BOUND_HEADER_NAMES,
  bindHeaders,
  digestOf,
  selectBound,
  type BoundHeaders,
  type Headers,
} from './bound-headers.ts';
import { CUSTOMER_CHECK_BYTES } from './customer-key.ts';
import { decodeKeyWrap, encodeKeyWrap, type KeyWrap } from './key-wrap.ts';
import { checksumCode, checksumOfCode, type ChecksumName } from './record.ts';
import { OBJECT_ID_BYTES, objectKey } from './subkeys.ts';

export { ENVELOPE_METADATA_NAME } from './bound-headers.ts';

export type ObjectLayout = 'single' | 'multipart';
/** The checksum a client asked for, and for multipart whether of the whole object or of its parts' checksums. */
export type ChecksumChoice = { readonly algorithm: ChecksumName; readonly type: 'FULL_OBJECT' | 'COMPOSITE' };

/** What an envelope says; not secret, except what `sealedMetadata` holds. */
type EnvelopeCommon = {
  readonly layout: ObjectLayout;
  /** 16 random bytes; copies that keep the data keep it. */
  readonly objectId: Uint8Array;
  /** One for each recipient, 1 to 4. */
  readonly wraps: readonly KeyWrap[];
  /** How the object's encryption is shown to clients (docs/FORMAT.md); the wrapped key itself names its KMS key by uuid. */
  readonly keyHint?: string | undefined;
  readonly plainSize?: number | undefined;
  readonly checksum?: ChecksumChoice | undefined;
  /** Encryption context the client gave, beyond what follows from bucket, key and object id. */
  readonly context?: EncryptionContext | undefined;
  /** From `sealMetadata`. */
  readonly sealedMetadata?: Uint8Array | undefined;
  /** Where the wraps hold the gateway's half of the DEK alone: proves the whole DEK, and with it the customer's key. */
  readonly customerCheck?: Uint8Array | undefined;
};

/** `boundHeaders`: headers stored with the object (lower-case names); the envelope picks those it vouches for. */
export type EnvelopeFields = EnvelopeCommon & { readonly boundHeaders: Headers };

/** A decoded envelope: nothing of it is proven before `verifyEnvelope`. */
export type ObjectEnvelope = EnvelopeCommon & {
  readonly bound: BoundHeaders;
  readonly authenticated: Uint8Array;
  readonly mac: Uint8Array;
};

const PREFIX = 'sg1.';
const MAGIC = [0x53, 0x45] as const;
const FORMATS = { plain: 1, customer: 2 } as const;
const SUITE = 1;
const MAC_BYTES = 32;
const LAYOUTS = ['single', 'multipart'] as const satisfies readonly ObjectLayout[];

const TAG = {
  wrap: 1,
  keyHint: 2,
  plainSize: 3,
  bound: 4,
  checksum: 5,
  context: 6,
  sealedMetadata: 7,
  customer: 8,
} as const;
const LAST_TAG = TAG.customer;
/** HKDF of the two halves, in `customer-key.ts`. */
const CUSTOMER_SUITE = 1;

/** Characters an envelope may have in a store that takes so many bytes of metadata: 1920 in S3's 2 KB. */
export const envelopeRoom = (metadataBytes: number = S3_METADATA_BYTES): number =>
  Math.min(MAX_ENVELOPE_CHARS, metadataBytes - METADATA_RESERVE_BYTES);

/** The metadata value; `wrapped` is what the wraps hold. Errors: ERR_ENVELOPE_TOO_LARGE (over `maxChars`), ERR_ENVELOPE_CONTEXT. */
export function encodeEnvelope(fields: EnvelopeFields, wrapped: Dek, maxChars: number = envelopeRoom()): string {
  assertLength(fields.objectId, OBJECT_ID_BYTES, 'an object id');
  if (fields.wraps.length < 1 || fields.wraps.length > MAX_KEY_WRAPS)
    throw new RangeError('an envelope has 1 to 4 wraps');
  const format = fields.customerCheck === undefined ? FORMATS.plain : FORMATS.customer;
  const writer = new Writer().uint8(...MAGIC, format, SUITE, LAYOUTS.indexOf(fields.layout) + 1).bytes(fields.objectId);
  for (const [tag, value] of fieldsOf(fields)) writer.uint8(tag).block16(value);
  const authenticated = writer.finish();
  const mac = hmacSha256(macKey(fields, wrapped), authenticated);
  const text = PREFIX + encodeBase64url(concatBytes(authenticated, mac));
  if (text.length > maxChars)
    throw new EnvelopeError('ERR_ENVELOPE_TOO_LARGE', `an envelope has at most ${maxChars} characters here`);
  return text;
}

/** Reads an envelope's structure; nothing is proven yet. Total. Errors: ERR_ENVELOPE_MALFORMED. */
export function decodeEnvelope(text: string): ObjectEnvelope {
  if (text.length > MAX_ENVELOPE_CHARS || !text.startsWith(PREFIX)) throw malformed();
  const bytes = decodeBase64url(text.slice(PREFIX.length));
  if (bytes.length < MAC_BYTES) throw malformed();
  const authenticated = bytes.subarray(0, bytes.length - MAC_BYTES);
  const reader = new Reader(authenticated);
  reader.expect(...MAGIC);
  const format = reader.uint8();
  reader.expect(SUITE);
  const layout = LAYOUTS[reader.uint8() - 1];
  if (layout === undefined) throw malformed();
  const objectId = reader.bytes(OBJECT_ID_BYTES);
  const values = readFields(reader);
  const wraps = (values.get(TAG.wrap) ?? []).map(decodeKeyWrap);
  if (wraps.length < 1 || wraps.length > MAX_KEY_WRAPS) throw malformed();
  const one = <T>(tag: number, decode: (value: Uint8Array) => T) => values.get(tag)?.map(decode)[0];
  const bound = one(TAG.bound, decodeBound);
  if (bound === undefined) throw malformed();
  const customerCheck = one(TAG.customer, decodeCustomer);
  if (format !== (customerCheck === undefined ? FORMATS.plain : FORMATS.customer)) throw malformed();
  return {
    layout,
    objectId,
    wraps,
    keyHint: one(TAG.keyHint, decodeUtf8),
    plainSize: one(TAG.plainSize, (value) => whole(value, (field) => field.uint64())),
    checksum: one(TAG.checksum, decodeChecksumChoice),
    context: one(TAG.context, decodeContext),
    sealedMetadata: one(TAG.sealedMetadata, (value) => value),
    customerCheck,
    bound,
    authenticated,
    mac: bytes.subarray(bytes.length - MAC_BYTES),
  };
}

/**
 * Proves an envelope under what its wraps hold, and the headers the store answered beside it. Gives the headers it vouches for: no other of the
 * bound names may be shown to a client. Errors: ERR_ENVELOPE_OPEN_FAILED.
 */
export function verifyEnvelope(envelope: ObjectEnvelope, wrapped: Dek, headers: Headers): Headers {
  const mac = hmacSha256(macKey(envelope, wrapped), envelope.authenticated);
  const vouched = selectBound(headers, envelope.bound.mask);
  const isMac = equalBytes(mac, envelope.mac);
  if (!isMac || !equalBytes(digestOf(vouched), envelope.bound.digest)) throw openFailed();
  return vouched;
}

const macKey = ({ objectId, customerCheck }: Pick<EnvelopeCommon, 'objectId' | 'customerCheck'>, wrapped: Dek): Dek =>
  objectKey(wrapped, objectId, customerCheck === undefined ? 'envelope' : 'customerEnvelope');

function fieldsOf(fields: EnvelopeFields): (readonly [number, Uint8Array])[] {
  const { keyHint, plainSize, checksum, context, sealedMetadata, customerCheck } = fields;
  const { mask, digest } = bindHeaders(fields.boundHeaders);
  const values: (readonly [number, Uint8Array | undefined])[] = [
    ...fields.wraps.map((wrap) => [TAG.wrap, encodeKeyWrap(wrap)] as const),
    [TAG.keyHint, keyHint === undefined ? undefined : encodeUtf8(keyHint)],
    [TAG.plainSize, plainSize === undefined ? undefined : new Writer().uint64(plainSize).finish()],
    [TAG.bound, new Writer().uint8(mask).bytes(digest).finish()],
    [TAG.checksum, checksum === undefined ? undefined : encodeChecksumChoice(checksum)],
    [TAG.context, context === undefined ? undefined : encodeContext(context)],
    [TAG.sealedMetadata, sealedMetadata],
    [TAG.customer, customerCheck === undefined ? undefined : encodeCustomer(customerCheck)],
  ];
  return values.flatMap(([tag, value]) => (value === undefined ? [] : [[tag, value] as const]));
}

function readFields(reader: Reader): Map<number, Uint8Array[]> {
  const values = new Map<number, Uint8Array[]>();
  let previous = 0;
  while (reader.remaining > 0) {
    const tag = reader.uint8();
    const isInOrder = tag > previous || (tag === previous && tag === TAG.wrap);
    if (!isInOrder || tag > LAST_TAG) throw malformed();
    previous = tag;
    values.set(tag, [...(values.get(tag) ?? []), reader.block16()]);
  }
  return values;
}

function whole<T>(value: Uint8Array, decode: (reader: Reader) => T): T {
  const reader = new Reader(value);
  const decoded = decode(reader);
  reader.end();
  return decoded;
}

const decodeBound = (value: Uint8Array): BoundHeaders =>
  whole(value, (reader) => {
    const mask = reader.uint8();
    if (mask >= 1 << BOUND_HEADER_NAMES.length) throw malformed();
    return { mask, digest: reader.bytes(MAC_BYTES) };
  });

/** suite 1 | check 32 */
export function encodeCustomer(check: Uint8Array): Uint8Array {
  assertLength(check, CUSTOMER_CHECK_BYTES, "the check of a customer's key");
  return new Writer().uint8(CUSTOMER_SUITE).bytes(check).finish();
}

/** The check. Errors: ERR_ENVELOPE_MALFORMED. */
export function decodeCustomer(value: Uint8Array): Uint8Array {
  return whole(value, (reader) => {
    reader.expect(CUSTOMER_SUITE);
    return reader.bytes(CUSTOMER_CHECK_BYTES);
  });
}

/** algorithm 1 | type 1 (0 full object, 1 composite) */
export function encodeChecksumChoice({ algorithm, type }: ChecksumChoice): Uint8Array {
  return Uint8Array.of(checksumCode(algorithm), type === 'COMPOSITE' ? 1 : 0);
}

/** Errors: ERR_ENVELOPE_MALFORMED. */
export function decodeChecksumChoice(value: Uint8Array): ChecksumChoice {
  return whole(value, (reader) => {
    const row = checksumOfCode(reader.uint8());
    const type = reader.uint8();
    if (row === undefined || type > 1) throw malformed();
    return { algorithm: row.name, type: type === 1 ? 'COMPOSITE' : 'FULL_OBJECT' };
  });
}
