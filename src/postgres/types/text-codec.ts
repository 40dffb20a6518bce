/** text and varchar: canonical bytes are the UTF-8 text; varchar(n) is applied when storing (varchar_input in varchar.c). */
import type { LogicalType } from '../plan.ts';
import { checkText } from './bytes.ts';
import type { TypeCodec, ValueContext } from './codec.ts';
import { SQLSTATE, ValueError } from './errors.ts';
import { varcharLimit } from './modifiers.ts';
import { formatLogicalType } from './type-text.ts';

const SPACE_BYTE = 0x20;

export const textCodec: TypeCodec = {
  fromText: readText,
  fromBinary: readText,
  toText: (canonical) => canonical,
  toBinary: (canonical) => canonical,
};

function readText(bytes: Uint8Array, context: ValueContext): Uint8Array {
  return applyLength(checkText(bytes), context);
}

/** Too long: blanks at the end are cut, anything else refused. */
export function applyLength(text: Uint8Array, { type, purpose }: ValueContext): Uint8Array {
  const limit = varcharLimit(type);
  if (limit === undefined || purpose !== 'store' || text.length <= limit) return text;
  const end = offsetOfCharacter(text, limit);
  for (let at = end; at < text.length; at++) {
    if (text[at] === SPACE_BYTE) continue;
    const message = `value too long for type ${formatLogicalType(type)}`;
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.stringTooLong, message);
  }
  return text.subarray(0, end);
}

/** `::varchar(n)` cuts whatever is too long: varchar() in varchar.c, where the cast is written. */
export function cutText(text: Uint8Array, type: LogicalType): Uint8Array {
  return text.subarray(0, offsetOfCharacter(text, varcharLimit(type) ?? text.length));
}

/** The byte at which the character of this number (from 0) begins; the text's length if it is shorter. */
function offsetOfCharacter(text: Uint8Array, wanted: number): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] ?? 0;
    // A continuation byte begins no character.
    if ((byte & 0xc0) === 0x80) continue;
    if (count === wanted) return at;
    count++;
  }
  return text.length;
}
