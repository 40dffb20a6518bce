/**
 * What a request's headers say of its body: framing, length, and every digest it must have. Contradictions end the request before
 * a byte is read.
 */
import { ChunkSignatures, type SignatureSeed } from '../../sigv4/chunk-signature.ts';
import { S3Error } from '../errors.ts';
import { MAX_BODY_BYTES } from '../limits.ts';
import type { S3Headers } from '../operation.ts';
import type { S3OperationName } from '../operation-names.ts';
import { checksumBytes, isChecksumAlgorithm, type ChecksumAlgorithm } from './checksums.ts';

export type ExpectedDigest = {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: Uint8Array;
  readonly source: 'payload-hash' | 'content-md5' | 'checksum';
};

export type BodyFraming =
  | { readonly type: 'plain' }
  | { readonly type: 'chunked'; readonly signatures: ChunkSignatures | undefined; readonly signedTrailer: boolean };

export type BodyPlan = {
  readonly framing: BodyFraming;
  /** Decoded bytes. */
  readonly length: number;
  readonly expected: readonly ExpectedDigest[];
  /** The checksum that comes in the trailer. */
  readonly trailing: ChecksumAlgorithm | undefined;
};

/** What the signature says of the payload, and where chunk signatures go on from. */
export type SignedPayload = SignatureSeed & { readonly payloadHash: string };

const STREAMING = {
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailer: true },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailer: true },
} as const satisfies Record<string, { signed: boolean; trailer: boolean }>;

type StreamingForm = (typeof STREAMING)[keyof typeof STREAMING];

/** These carry an object's bytes: without a length, one that a middleman dropped would make an empty object of it. */
const NEEDS_LENGTH: ReadonlySet<S3OperationName> = new Set<S3OperationName>(['PutObject', 'UploadPart']);

export function planBody(headers: S3Headers, payload: SignedPayload, operation: S3OperationName): BodyPlan {
  // The checksum headers of CompleteMultipartUpload speak of the object.
  const aboutBody = operation !== 'CompleteMultipartUpload';
  const form = streamingForm(payload.payloadHash);
  const trailing = trailingChecksum(headers, form);
  const checksum = aboutBody ? checksumHeader(headers) : undefined;
  if (trailing !== undefined && checksum !== undefined)
    throw new S3Error('ERR_S3_INVALID_REQUEST', 'Expecting a single x-amz-checksum- header');
  agreeOnAlgorithm(headers, trailing ?? checksum?.algorithm, NEEDS_LENGTH.has(operation));
  return {
    framing: framingFor(form, payload),
    length: bodyLength(headers, form !== undefined, NEEDS_LENGTH.has(operation)),
    expected: [payloadDigest(payload.payloadHash, form), contentMd5(headers), checksum].filter(
      (digest) => digest !== undefined,
    ),
    trailing,
  };
}

function streamingForm(payloadHash: string): StreamingForm | undefined {
  if (Object.hasOwn(STREAMING, payloadHash)) {
    // hasOwn has just said so.
    return STREAMING[payloadHash as keyof typeof STREAMING];
  }
  if (payloadHash === 'UNSIGNED-PAYLOAD' || /^[0-9a-f]{64}$/iu.test(payloadHash)) return undefined;
  throw new S3Error(
    'ERR_S3_INVALID_ARGUMENT',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
    { details: { ArgumentName: 'x-amz-content-sha256' } },
  );
}

function framingFor(form: StreamingForm | undefined, payload: SignedPayload): BodyFraming {
  if (form === undefined) return { type: 'plain' };
  const signatures = form.signed ? new ChunkSignatures(payload) : undefined;
  return { type: 'chunked', signatures, signedTrailer: form.signed && form.trailer };
}

function bodyLength(headers: S3Headers, chunked: boolean, needed: boolean): number {
  const name = chunked ? 'x-amz-decoded-content-length' : 'content-length';
  const text = headers[name];
  if (text === undefined) {
    if (chunked || needed || headers['transfer-encoding'] !== undefined)
      throw new S3Error('ERR_S3_MISSING_CONTENT_LENGTH');
    return 0;
  }
  if (!/^\d{1,15}$/u.test(text)) throw new S3Error('ERR_S3_INVALID_ARGUMENT', `${name} is not a length`);
  const length = Number(text);
  if (length > MAX_BODY_BYTES) throw new S3Error('ERR_S3_ENTITY_TOO_LARGE');
  return length;
}

function payloadDigest(payloadHash: string, form: StreamingForm | undefined): ExpectedDigest | undefined {
  if (form !== undefined || payloadHash === 'UNSIGNED-PAYLOAD') return undefined;
  return { algorithm: 'sha256', value: Buffer.from(payloadHash, 'hex'), source: 'payload-hash' };
}

function contentMd5(headers: S3Headers): ExpectedDigest | undefined {
  const text = headers['content-md5'];
  if (text === undefined) return undefined;
  const value = decodeBase64(text, checksumBytes('md5'));
  if (value === undefined) throw new S3Error('ERR_S3_INVALID_DIGEST', 'The Content-MD5 you specified was invalid.');
  return { algorithm: 'md5', value, source: 'content-md5' };
}

const CHECKSUM_PREFIX = 'x-amz-checksum-';
/** These share the prefix and are no digests. */
const NO_DIGESTS = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-mode', 'x-amz-checksum-type']);

function checksumHeader(headers: S3Headers): ExpectedDigest | undefined {
  const names = Object.keys(headers).filter((name) => name.startsWith(CHECKSUM_PREFIX) && !NO_DIGESTS.has(name));
  const [name] = names;
  if (name === undefined) return undefined;
  if (names.length > 1)
    throw new S3Error(
      'ERR_S3_INVALID_REQUEST',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  const algorithm = algorithmOf(name);
  return { algorithm, value: parseChecksum(algorithm, headers[name] ?? ''), source: 'checksum' };
}

function algorithmOf(headerName: string): ChecksumAlgorithm {
  const algorithm = headerName.slice(CHECKSUM_PREFIX.length);
  // What we cannot verify we do not accept.
  if (!isChecksumAlgorithm(algorithm)) {
    throw new S3Error(
      'ERR_S3_INVALID_REQUEST',
      'The algorithm type you specified in x-amz-checksum- header is invalid.',
    );
  }
  return algorithm;
}

/** The digest in a checksum header or trailer; ERR_S3_INVALID_REQUEST where it is not base64 of the right length. */
export function parseChecksum(
  algorithm: ChecksumAlgorithm,
  text: string,
  where: 'header' | 'trailing header' = 'header',
): Uint8Array {
  const value = decodeBase64(text, checksumBytes(algorithm));
  if (value === undefined)
    throw new S3Error('ERR_S3_INVALID_REQUEST', `Value for x-amz-checksum-${algorithm} ${where} is invalid.`);
  return value;
}

function trailingChecksum(headers: S3Headers, form: StreamingForm | undefined): ChecksumAlgorithm | undefined {
  const announced = headers['x-amz-trailer'];
  if (announced === undefined || announced.trim() === '') return undefined;
  if (form?.trailer !== true)
    throw new S3Error('ERR_S3_INVALID_REQUEST', 'x-amz-trailer needs x-amz-content-sha256 to announce a trailer.');
  const names = announced
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  if (names.length > 1) throw new S3Error('ERR_S3_INVALID_REQUEST', 'Expecting a single x-amz-checksum- header');
  return trailerAlgorithm(names[0] ?? '');
}

function trailerAlgorithm(name: string): ChecksumAlgorithm {
  const algorithm = name.slice(CHECKSUM_PREFIX.length);
  if (name.startsWith(CHECKSUM_PREFIX) && isChecksumAlgorithm(algorithm)) return algorithm;
  throw new S3Error('ERR_S3_INVALID_REQUEST', 'The value specified in the x-amz-trailer header is not supported');
}

/** `wanted`: a body follows that the announced checksum must come with. */
function agreeOnAlgorithm(headers: S3Headers, algorithm: ChecksumAlgorithm | undefined, wanted: boolean): void {
  const announced = headers['x-amz-sdk-checksum-algorithm'];
  if (announced === undefined || announced.toLowerCase() === algorithm) return;
  if (algorithm === undefined && wanted && headers['x-amz-copy-source'] === undefined) {
    throw new S3Error(
      'ERR_S3_INVALID_REQUEST',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  if (algorithm === undefined) return;
  throw new S3Error('ERR_S3_INVALID_REQUEST', 'Value for x-amz-sdk-checksum-algorithm header is invalid.');
}

/** Bytes of canonical base64 with exactly `length` of them, else undefined. */
export function decodeBase64(text: string, length: number): Uint8Array | undefined {
  const bytes = Buffer.from(text.trim(), 'base64');
  return bytes.length === length && bytes.toString('base64') === text.trim() ? bytes : undefined;
}
