/**
 * Writes answers as JSON, into memory of their own that the caller zeroes once they are sent. Blobs go from bytes to base64
 * without becoming text.
 */
import { base64Length, encodeBase64 } from './base64.ts';

/** What an answer is made of; members that are undefined are left away. */
export type JsonOutput =
  | string
  | number
  | boolean
  | Uint8Array
  | Date
  | undefined
  | readonly JsonOutput[]
  | { readonly [name: string]: JsonOutput };

/** UTF-8 JSON: blobs as base64, times as seconds since 1970 with milliseconds. */
export function encodeJson(value: JsonOutput): Buffer {
  const pieces: (string | Uint8Array)[] = [];
  collect(value, pieces);
  const length = pieces.reduce(
    (sum, piece) => sum + (typeof piece === 'string' ? Buffer.byteLength(piece) : base64Length(piece.length)),
    0,
  );
  const out = Buffer.alloc(length);
  let at = 0;
  for (const piece of pieces) at = typeof piece === 'string' ? at + out.write(piece, at) : encodeBase64(piece, out, at);
  return out;
}

function collect(value: JsonOutput, pieces: (string | Uint8Array)[]): void {
  if (value instanceof Uint8Array) pieces.push('"', value, '"');
  else if (value instanceof Date) pieces.push(String(value.getTime() / 1000));
  else if (Array.isArray(value)) collectItems(value, pieces);
  else if (typeof value === 'object')
    collectMembers(value as { readonly [name: string]: JsonOutput }, pieces); // no other object is left
  else pieces.push(JSON.stringify(value ?? null));
}

function collectItems(items: readonly JsonOutput[], pieces: (string | Uint8Array)[]): void {
  pieces.push('[');
  for (const [index, item] of items.entries()) {
    if (index > 0) pieces.push(',');
    collect(item, pieces);
  }
  pieces.push(']');
}

function collectMembers(members: { readonly [name: string]: JsonOutput }, pieces: (string | Uint8Array)[]): void {
  let opening = '{';
  for (const [name, member] of Object.entries(members)) {
    if (member === undefined) continue;
    pieces.push(`${opening}${JSON.stringify(name)}:`);
    collect(member, pieces);
    opening = ',';
  }
  pieces.push(opening === '{' ? '{}' : '}');
}
