/** bool: one byte, 0 or 1. Input as parse_bool_with_len in src/backend/utils/adt/bool.c takes it. */
import { decodeText, encodeText, trimSpace } from './bytes.ts';
import type { TypeCodec } from './codec.ts';
import { checkBinaryLength, damaged, invalidSyntax } from './errors.ts';

const TRUE = /^(?:t|tr|tru|true|y|ye|yes|on|1)$/i;
const FALSE = /^(?:f|fa|fal|fals|false|n|no|of|off|0)$/i;

export const boolCodec: TypeCodec = {
  fromText: (text) => {
    const word = trimSpace(decodeText(text));
    if (TRUE.test(word)) return Uint8Array.of(1);
    if (FALSE.test(word)) return Uint8Array.of(0);
    throw invalidSyntax('boolean');
  },
  fromBinary: (bytes) => {
    checkBinaryLength(bytes, 1, 'boolean');
    return Uint8Array.of(bytes[0] === 0 ? 0 : 1);
  },
  toText: (canonical) => encodeText(valueOf(canonical) ? 't' : 'f'),
  toBinary: (canonical) => Uint8Array.of(valueOf(canonical) ? 1 : 0),
};

function valueOf(canonical: Uint8Array): boolean {
  if (canonical.length !== 1 || (canonical[0] ?? 2) > 1) throw damaged('boolean');
  return canonical[0] === 1;
}
