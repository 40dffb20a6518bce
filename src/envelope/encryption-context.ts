/**
 * The encryption context: name-value pairs, not secret, that bind a wrapped key to its use. Its canonical form is part of
 * the AAD (docs/FORMAT.md): `count 4 | (length 4 | name | length 4 | value)*`, sorted by the names' UTF-8 bytes.
 *
 * Threat: bare concatenation would let `{"a":"bc"}` open as `{"ab":"c"}`; so would surrogates that UTF-8 replaces.
 */
import { Reader, decodeUtf8 } from './codec.ts';
import { EnvelopeError, malformed } from './errors.ts';
import { MAX_CONTEXT_BYTES } from './limits.ts';

/** Up to here a loop over a text is quicker than a call that leaves the engine. */
const SHORT_CHARS = 64;

export type EncryptionContext = Readonly<Record<string, string>>;

declare const canonical: unique symbol;
/** What `encodeContext` gives, and nothing else: for a use of a key that needs it several times. */
export type CanonicalContext = Uint8Array & { readonly [canonical]: true };

export function isCanonical(context: EncryptionContext | CanonicalContext): context is CanonicalContext {
  return context instanceof Uint8Array;
}

/** The canonical bytes of a context; an absent context is `{}`. Errors: ERR_ENVELOPE_CONTEXT (lone surrogates, too large). */
export function encodeContext(context: EncryptionContext): CanonicalContext {
  const names = Object.keys(context);
  sortByUtf8(names);
  let length = 4;
  for (const name of names) length += 8 + textBytes(name) + textBytes(context[name]);
  if (length > MAX_CONTEXT_BYTES) throw new EnvelopeError('ERR_ENVELOPE_CONTEXT', `over ${MAX_CONTEXT_BYTES} bytes`);
  // For every use of a key, and most are short: a writer that grows costs more than the text. Nothing in it is secret.
  const bytes = Buffer.allocUnsafe(length);
  let at = putUint32(bytes, 0, names.length);
  for (const name of names) at = putText(bytes, putText(bytes, at, name), context[name] ?? '');
  // The brand exists in types alone: this is the one place that puts it on.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, length) as CanonicalContext;
}

/** Up to here by insertion: `sort` makes arrays of its own, which most contexts, of two or three names, are not worth. */
const FEW_NAMES = 8;

function sortByUtf8(names: string[]): void {
  if (names.length > FEW_NAMES) {
    names.sort(compareUtf8);
    return;
  }
  for (let at = 1; at < names.length; at++) {
    const name = names[at] ?? '';
    let to = at;
    for (; to > 0 && compareUtf8(names[to - 1] ?? '', name) > 0; to--) names[to] = names[to - 1] ?? '';
    names[to] = name;
  }
}

/** The order of two well-formed texts by their UTF-8 bytes, which is that of their code points: UTF-16 has the last before others. */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return rankOf(left) - rankOf(right);
  }
  return a.length - b.length;
}

/** Surrogates, which stand for code points from U+10000 on, above all other units. */
const rankOf = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x2800 : unit);

/** Reads canonical bytes, and only those. The result has no prototype: names like `__proto__` are names. Errors: ERR_ENVELOPE_MALFORMED. */
export function decodeContext(bytes: Uint8Array): EncryptionContext {
  if (bytes.length > MAX_CONTEXT_BYTES) throw malformed();
  const reader = new Reader(bytes);
  // A null-prototype object is a Record; Object.create is typed any.
  const context = Object.create(null) as Record<string, string>;
  let previous: Uint8Array | undefined;
  for (let left = reader.uint32(); left > 0; left--) {
    const name = reader.bytes(reader.uint32());
    // Sorted and without duplicates: there is one encoding for each context.
    if (previous !== undefined && Buffer.compare(previous, name) >= 0) throw malformed();
    previous = name;
    context[decodeUtf8(name)] = decodeUtf8(reader.bytes(reader.uint32()));
  }
  reader.end();
  return context;
}

/** A text after its length; the offset after it. */
function putText(bytes: Buffer, at: number, text: string): number {
  const start = at + 4;
  const written = putAscii(bytes, start, text) ? text.length : bytes.write(text, start, 'utf8');
  putUint32(bytes, at, written);
  return start + written;
}

/** Whether it was short and ASCII, as most are, and is written: leaving the engine for them takes longer than this. */
function putAscii(bytes: Buffer, at: number, text: string): boolean {
  if (text.length > SHORT_CHARS) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return false;
    bytes[at + i] = unit;
  }
  return true;
}

function putUint32(bytes: Buffer, at: number, value: number): number {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (24 - 8 * i);
  return at + 4;
}

/** In UTF-8. */
function textBytes(text: unknown): number {
  if (typeof text !== 'string') throw illFormed();
  if (isShortAscii(text)) return text.length;
  if (!text.isWellFormed()) throw illFormed();
  return Buffer.byteLength(text);
}

function isShortAscii(text: string): boolean {
  if (text.length > SHORT_CHARS) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

const illFormed = (): EnvelopeError =>
  new EnvelopeError('ERR_ENVELOPE_CONTEXT', 'names and values must be well-formed text');
