/**
 * char(n): canonical bytes are the text without the blanks at its end, which its comparisons do not look at and which print up to n
 * (bpchar_input and bcTruelen in varchar.c). So it compares with text and varchar as the server casts it for that.
 */
import { checkText } from './bytes.ts';
import type { TypeCodec, ValueContext } from './codec.ts';
import { SQLSTATE, unsupported, ValueError } from './errors.ts';
import { charLimit } from './modifiers.ts';
import { formatLogicalType } from './type-text.ts';

const BLANK = 0x20;

export const bpcharCodec: TypeCodec = {
  fromText: read,
  fromBinary: read,
  toText: padded,
  toBinary: padded,
};

function read(bytes: Uint8Array, context: ValueContext): Uint8Array {
  return assignChar(checkText(bytes), context);
}

export function assignChar(text: Uint8Array, { type, purpose }: ValueContext): Uint8Array {
  const limit = charLimit(type);
  const value = withoutBlanks(text);
  if (limit === undefined) return value;
  if (purpose === 'store' && charactersOf(value) > limit) {
    const message = `value too long for type ${formatLogicalType(type)}`;
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.stringTooLong, message);
  }
  // It would come out as it is written, and the canonical bytes fill it up.
  if (purpose === 'choose' && charactersOf(text) !== limit) {
    throw unsupported(
      'a text that may stand in the place of a sealed char column has another length than it',
      `Write it with ${limit} characters.`,
    );
  }
  return value;
}

export function withoutBlanks(text: Uint8Array): Uint8Array {
  let end = text.length;
  while (end > 0 && text[end - 1] === BLANK) end--;
  return text.subarray(0, end);
}

function charactersOf(text: Uint8Array): number {
  let count = 0;
  for (const byte of text) if ((byte & 0xc0) !== 0x80) count++;
  return count;
}

function padded(canonical: Uint8Array, { type }: ValueContext): Uint8Array {
  const missing = (charLimit(type) ?? 0) - charactersOf(canonical);
  if (missing <= 0) return canonical;
  const bytes = new Uint8Array(canonical.length + missing).fill(BLANK, canonical.length);
  bytes.set(canonical);
  return bytes;
}
