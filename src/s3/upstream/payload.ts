/**
 * The body of a request to the upstream: what hash its signature names, and how its bytes go out. Whole bodies are hashed; streams go
 * as UNSIGNED-PAYLOAD where the upstream takes it, else in signed chunks; with a trailing checksum in unsigned chunks.
 */
import { hash } from 'node:crypto';
import type { ByteSource } from '../bodies/byte-source.ts';
import { ChunkSignatures, type SignatureSeed } from '../../sigv4/chunk-signature.ts';
import type { S3Headers } from '../operation.ts';
import type { UpstreamCapabilities } from './capabilities.ts';
import { framedLength, signedChunks, trailedChunks, type Trailer } from './framing.ts';

export type RequestBody = Uint8Array | ByteSource | undefined;

export type Payload = {
  readonly payloadHash: string;
  /** Headers that the framing needs, to be signed. */
  readonly headers: S3Headers;
  readonly contentLength: number;
  /** The bytes to send, once the request's signature is known. */
  readonly encode: (seed: SignatureSeed) => RequestBody;
};

export type Outgoing = {
  readonly body: RequestBody;
  readonly length: number;
  readonly headers: S3Headers;
  readonly trailer: Trailer | undefined;
  /** Of a stream, where it is known. */
  readonly sha256: string | undefined;
};

export function payloadFor(outgoing: Outgoing, capabilities: UpstreamCapabilities): Payload {
  const { body, length, headers, trailer, sha256 } = outgoing;
  if (body === undefined || body instanceof Uint8Array) return hashedPayload(body);
  if (sha256 !== undefined) return { payloadHash: sha256, headers: {}, contentLength: length, encode: () => body };
  if (trailer !== undefined) return trailedPayload(body, length, headers, trailer);
  if (capabilities.unsignedPayload)
    return { payloadHash: 'UNSIGNED-PAYLOAD', headers: {}, contentLength: length, encode: () => body };
  return {
    payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    headers: chunkedHeaders(headers, length),
    contentLength: framedLength(length, true),
    encode: (seed) => signedChunks(body, new ChunkSignatures(seed)),
  };
}

const NO_PAYLOAD: Payload = {
  payloadHash: hash('sha256', new Uint8Array(0), 'hex'),
  headers: {},
  contentLength: 0,
  encode: () => undefined,
};

function hashedPayload(body: Uint8Array | undefined): Payload {
  if (body === undefined) return NO_PAYLOAD;
  return { payloadHash: hash('sha256', body, 'hex'), headers: {}, contentLength: body.length, encode: () => body };
}

function trailedPayload(body: ByteSource, length: number, headers: S3Headers, trailer: Trailer): Payload {
  return {
    payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    headers: { ...chunkedHeaders(headers, length), 'x-amz-trailer': trailer.name },
    contentLength: framedLength(length, false, trailer),
    encode: () => trailedChunks(body, length, trailer),
  };
}

function chunkedHeaders(headers: S3Headers, length: number): S3Headers {
  const encoding = headers['content-encoding'];
  return {
    'content-encoding': encoding === undefined ? 'aws-chunked' : `aws-chunked,${encoding}`,
    'x-amz-decoded-content-length': String(length),
  };
}
