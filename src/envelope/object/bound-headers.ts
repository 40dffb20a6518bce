/**
 * The headers stored beside an object that its envelope vouches for: those S3 gives back to readers as part of the object. A store
 * that changes `Content-Type: text/plain` to `text/html` would otherwise turn data into a script.
 */
import { createHash } from 'node:crypto';
import { encodeContext } from '../encryption-context.ts';

/** Metadata name that carries the envelope; names that begin like it are ours, and never a client's. */
export const ENVELOPE_METADATA_NAME = 'x-amz-meta-sealgate';
const USER_METADATA_PREFIX = 'x-amz-meta-';

/** The index is the bit in the envelope's mask. */
export const BOUND_HEADER_NAMES = [
  'content-type',
  'content-encoding',
  'content-disposition',
  'content-language',
  'cache-control',
  'expires',
  'x-amz-website-redirect-location',
] as const;

export type Headers = Readonly<Record<string, string>>;
export type BoundHeaders = { readonly mask: number; readonly digest: Uint8Array };

/** Binds those of the headers given (lower-case names) that are in the table, and all user metadata but our own. */
export function bindHeaders(headers: Headers): BoundHeaders {
  const mask = BOUND_HEADER_NAMES.reduce((bits, name, i) => bits + (headers[name] === undefined ? 0 : 1 << i), 0);
  return { mask, digest: digestOf(selectBound(headers, mask)) };
}

/**
 * Of the headers a store answered, those that an envelope with this mask vouches for. What the mask does not name (a default the
 * store added) is left out: it is the store's word alone.
 */
export function selectBound(headers: Headers, mask: number): Headers {
  const selected: Record<string, string> = {};
  BOUND_HEADER_NAMES.forEach((name, i) => {
    const value = headers[name];
    if ((mask & (1 << i)) !== 0 && value !== undefined) selected[name] = value.trim();
  });
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(USER_METADATA_PREFIX) && !name.startsWith(ENVELOPE_METADATA_NAME))
      selected[name] = value.trim();
  }
  return selected;
}

/** SHA-256 over the canonical form of an encryption context with the headers as pairs. */
export function digestOf(headers: Headers): Uint8Array {
  return createHash('sha256').update(encodeContext(headers)).digest();
}
