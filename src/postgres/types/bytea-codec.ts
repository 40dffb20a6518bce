/** bytea: the bytes. Text input in hex and escape form (byteain in src/backend/utils/adt/bytea.c), output as bytea_output says. */
import { checkText, encodeText } from './bytes.ts';
import type { TypeCodec } from './codec.ts';
import { invalidSyntax, SQLSTATE, ValueError } from './errors.ts';

const BACKSLASH = 0x5c;
const LETTER_X = 0x78;

export const byteaCodec: TypeCodec = {
  fromText: (text) => {
    checkText(text);
    return text[0] === BACKSLASH && text[1] === LETTER_X ? fromHex(text.subarray(2)) : fromEscape(text);
  },
  fromBinary: (bytes) => bytes,
  toText: (canonical, { settings }) =>
    encodeText(settings.byteaOutput === 'escape' ? escaped(canonical) : `\\x${Buffer.from(canonical).toString('hex')}`),
  toBinary: (canonical) => canonical,
};

/** White space may stand between pairs, never inside one (hex_decode_safe in encode.c). */
function fromHex(text: Uint8Array): Uint8Array {
  const digits = Buffer.from(text.buffer, text.byteOffset, text.length).toString('latin1');
  // No nested repetition: its backtracking would overflow on large values.
  const runs = digits.split(/[ \n\t\r]/);
  for (const run of runs) {
    if (run.length % 2 !== 0 || /[^0-9a-fA-F]/.test(run)) {
      throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.parameter, 'invalid hexadecimal data');
    }
  }
  return Uint8Array.from(Buffer.from(runs.join(''), 'hex'));
}

function fromEscape(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length;) {
    const byte = text[at] ?? 0;
    if (byte !== BACKSLASH) {
      bytes[length++] = byte;
      at++;
    } else if (text[at + 1] === BACKSLASH) {
      bytes[length++] = BACKSLASH;
      at += 2;
    } else {
      bytes[length++] = octalAt(text, at + 1);
      at += 4;
    }
  }
  return bytes.slice(0, length);
}

function octalAt(text: Uint8Array, at: number): number {
  const [first = 0, second = 0, third = 0] = [text[at], text[at + 1], text[at + 2]].map((byte) => (byte ?? 0) - 0x30);
  const valid = first >= 0 && first <= 3 && second >= 0 && second <= 7 && third >= 0 && third <= 7;
  if (!valid) throw invalidSyntax('bytea');
  return (first << 6) | (second << 3) | third;
}

/** byteaout with bytea_output = escape. */
function escaped(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    if (byte === BACKSLASH) text += '\\\\';
    else if (byte < 0x20 || byte > 0x7e) text += `\\${byte.toString(8).padStart(3, '0')}`;
    else text += String.fromCharCode(byte);
  }
  return text;
}
