/**
 * What clients say of their objects in `x-amz-meta-` headers: sealed inside the envelope, since names and values say as much as content
 * does. S3 lets clients have 2 KB of it. The envelope, which holds it, has to fit into what the store takes.
 */
import { S3Error } from '../errors.ts';
import type { S3Headers } from '../operation.ts';

const PREFIX = 'x-amz-meta-';
/** S3: the sum of the bytes of names, without prefix, and values. */
const MAX_USER_METADATA_BYTES = 2048;

const REDIRECT = 'x-amz-website-redirect-location';
/** No header's name begins so, and no user metadata's. */
const SEALED_REDIRECT = `:${REDIRECT}`;

/** Names without their prefix, which would take the room three times over. Throws ERR_S3_METADATA_TOO_LARGE: more than S3 takes. */
function userMetadata(headers: S3Headers): Readonly<Record<string, string>> {
  // Defined and not set: `__proto__` is a name as any other.
  const pairs = Object.entries(headers)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => [name.slice(PREFIX.length), value] as const);
  const metadata = Object.fromEntries(pairs);
  const bytes = metadataBytes(metadata);
  if (bytes > MAX_USER_METADATA_BYTES) throw metadataTooLarge(bytes, MAX_USER_METADATA_BYTES);
  return metadata;
}

/**
 * What is sealed: user metadata, and a redirect of websites, which not every store keeps. Throws ERR_S3_METADATA_TOO_LARGE,
 * ERR_S3_REDIRECT_LOCATION.
 */
export function metadataToSeal(headers: S3Headers): Readonly<Record<string, string>> {
  const redirect = headers[REDIRECT];
  if (redirect !== undefined && !/^(?:\/|https?:\/\/)/u.test(redirect)) throw new S3Error('ERR_S3_REDIRECT_LOCATION');
  return { ...userMetadata(headers), ...(redirect === undefined ? {} : { [SEALED_REDIRECT]: redirect }) };
}

/** What was sealed, as headers: those of user metadata as the client wrote them, and the redirect. */
export function openedMetadata(pairs: S3Headers): { readonly userMetadata: S3Headers; readonly redirect: S3Headers } {
  const { [SEALED_REDIRECT]: redirect, ...user } = pairs;
  return {
    userMetadata: Object.fromEntries(Object.entries(user).map(([name, value]) => [`${PREFIX}${name}`, value])),
    redirect: redirect === undefined ? {} : { [REDIRECT]: redirect },
  };
}

/**
 * As S3 answers user metadata: what is beyond ASCII as an encoded word (RFC 2047), its bytes read as latin1. SDKs that decode headers as
 * UTF-8 and those that take latin1 get the same.
 */
export function mailSafe(metadata: S3Headers): S3Headers {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name, /[^\t\x20-\x7e]/u.test(value) ? encodedWord(value) : value]),
  );
}

const encodedWord = (value: string): string => `=?UTF-8?B?${Buffer.from(value, 'utf8').toString('base64')}?=`;

/** `room`: what would have been taken. */
export function metadataTooLarge(bytes: number, room: number, why = '', cause?: unknown): S3Error {
  const message = `Your metadata headers exceed the maximum allowed metadata size${why}`;
  const details = { Size: String(bytes), MaxSizeAllowed: String(Math.max(0, room)) };
  return new S3Error('ERR_S3_METADATA_TOO_LARGE', message, { details, cause });
}

/** As S3 counts them. One character is one byte: headers are read as latin1. */
export const metadataBytes = (pairs: Readonly<Record<string, string>>): number =>
  Object.entries(pairs).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
