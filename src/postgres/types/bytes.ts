/** Small byte helpers of the codecs. */
import { isUtf8 } from 'node:buffer';
import { SQLSTATE, ValueError } from './errors.ts';

const encoder = new TextEncoder();

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Throws as the server does for text that is no UTF-8, or holds a NUL (pg_verify_mbstr). */
export function checkText(bytes: Uint8Array): Uint8Array {
  if (!isUtf8(bytes) || bytes.includes(0)) {
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.encoding, 'invalid byte sequence for encoding "UTF8"');
  }
  return bytes;
}

export function decodeText(bytes: Uint8Array): string {
  const { buffer, byteOffset, length } = checkText(bytes);
  // What has been checked needs no decoder that checks.
  return Buffer.from(buffer, byteOffset, length).toString('utf8');
}

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

const SPACE = ' \t\n\v\f\r';

/** White space as C's isspace in the server's input functions has it. */
export function isSpace(character: string | undefined): boolean {
  return character !== undefined && SPACE.includes(character);
}

/** By hand: a regular expression anchored at the end takes quadratic time on long runs of blanks. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text[start])) start++;
  while (end > start && isSpace(text[end - 1])) end--;
  return text.slice(start, end);
}
