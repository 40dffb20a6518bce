/**
 * The encryption context: name-value pairs, not secret, that bind a wrapped key to its use. Its canonical form is part of
 * the AAD (docs/FORMAT.md): `count 4 | (length 4 | name | length 4 | value)*`, sorted by the names' UTF-8 bytes.
 *
 * Threat: bare concatenation would let `{"a":"bc"}` open as `{"ab":"c"}`; so would surrogates that UTF-8 replaces.
 */
import { Reader, Writer, decodeUtf8, encodeUtf8 } from './codec.ts';
import { EnvelopeError, malformed } from './errors.ts';
import { MAX_CONTEXT_BYTES } from './limits.ts';

export type EncryptionContext = Readonly<Record<string, string>>;

/** The canonical bytes of a context; an absent context is `{}`. Errors: ERR_ENVELOPE_CONTEXT (lone surrogates, too large). */
export function encodeContext(context: EncryptionContext): Uint8Array {
  const pairs = Object.entries(context).map(([name, value]) => [encodeText(name), encodeText(value)] as const);
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  const writer = new Writer().uint32(pairs.length);
  for (const [name, value] of pairs) writer.uint32(name.length).bytes(name).uint32(value.length).bytes(value);
  if (writer.length > MAX_CONTEXT_BYTES)
    throw new EnvelopeError('ERR_ENVELOPE_CONTEXT', `over ${MAX_CONTEXT_BYTES} bytes`);
  return writer.finish();
}

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

function encodeText(text: unknown): Uint8Array {
  if (typeof text !== 'string' || !text.isWellFormed()) {
    throw new EnvelopeError('ERR_ENVELOPE_CONTEXT', 'names and values must be well-formed text');
  }
  return encodeUtf8(text);
}
