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
  const pieces = new Pieces();
  collect(value, pieces);
  return pieces.joined();
}

/** Blobs, and the text between them in one piece each: every piece is measured and written by calls that leave the engine. */
class Pieces {
  readonly #pieces: (string | Uint8Array)[] = [];
  #text = '';

  text(text: string): void {
    this.#text += text;
  }

  blob(blob: Uint8Array): void {
    this.#pieces.push(`${this.#text}"`, blob);
    this.#text = '"';
  }

  joined(): Buffer {
    const pieces = [...this.#pieces, this.#text];
    let length = 0;
    for (const piece of pieces)
      length += typeof piece === 'string' ? Buffer.byteLength(piece) : base64Length(piece.length);
    const out = Buffer.alloc(length);
    let at = 0;
    for (const piece of pieces)
      at = typeof piece === 'string' ? at + out.write(piece, at) : encodeBase64(piece, out, at);
    return out;
  }
}

function collect(value: JsonOutput, pieces: Pieces): void {
  if (value instanceof Uint8Array) pieces.blob(value);
  else if (value instanceof Date) pieces.text(String(value.getTime() / 1000));
  else if (Array.isArray(value)) collectItems(value, pieces);
  else if (typeof value === 'object')
    collectMembers(value as { readonly [name: string]: JsonOutput }, pieces); // no other object is left
  else pieces.text(JSON.stringify(value ?? null));
}

function collectItems(items: readonly JsonOutput[], pieces: Pieces): void {
  pieces.text('[');
  for (const [index, item] of items.entries()) {
    if (index > 0) pieces.text(',');
    collect(item, pieces);
  }
  pieces.text(']');
}

function collectMembers(members: { readonly [name: string]: JsonOutput }, pieces: Pieces): void {
  let opening = '{';
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (member === undefined) continue;
    pieces.text(`${opening}${JSON.stringify(name)}:`);
    collect(member, pieces);
    opening = ',';
  }
  pieces.text(opening === '{' ? '{}' : '}');
}
