/** bit(n) and bit varying: `length in bits 4 | bits, filled up with zeros`, as on the binary wire (varbit.c). One class: `=` compares length and bits. */
import { decodeText, encodeText, viewOf } from './bytes.ts';
import type { TypeCodec, ValueContext } from './codec.ts';
import { bitDigit, checkBinaryLength, damaged, invalidBinary, SQLSTATE, ValueError } from './errors.ts';
import { bitLimit } from './modifiers.ts';
import { formatLogicalType } from './type-text.ts';

const HEADER_BYTES = 4;

export const bitCodec: TypeCodec = {
  fromText: (text, context) => assigned(fromBits(digitsOf(decodeText(text))), context),
  fromBinary: (bytes, context) => assigned(receive(bytes, context), context),
  toText: (canonical) => encodeText(printBits(checked(canonical))),
  toBinary: checked,
};

/** `101`, `B101`, `X1F`. */
function digitsOf(text: string): string {
  const isHexadecimal = /^x/i.test(text);
  const digits = /^[bx]/i.test(text) ? text.slice(1) : text;
  const wrong = (isHexadecimal ? /[^0-9a-f]/i : /[^01]/).exec(digits);
  if (wrong !== null) throw bitDigit(isHexadecimal ? 'hexadecimal' : 'binary');
  if (!isHexadecimal) return digits;
  return Array.from(digits, (digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
}

function fromBits(digits: string): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + Math.ceil(digits.length / 8));
  viewOf(bytes).setInt32(0, digits.length);
  for (let at = 0; at < digits.length; at++) {
    if (digits[at] === '1')
      bytes[HEADER_BYTES + (at >> 3)] = (bytes[HEADER_BYTES + (at >> 3)] ?? 0) | (0x80 >> (at & 7));
  }
  return bytes;
}

function receive(bytes: Uint8Array, { type }: ValueContext): Uint8Array {
  const typeName = formatLogicalType(type);
  if (bytes.length < HEADER_BYTES) checkBinaryLength(bytes, HEADER_BYTES, typeName);
  const bits = viewOf(bytes).getInt32(0);
  if (bits < 0) throw invalidBinary(typeName);
  checkBinaryLength(bytes, HEADER_BYTES + Math.ceil(bits / 8), typeName);
  const copy = Uint8Array.from(bytes);
  const last = copy.length - 1;
  if (bits % 8 !== 0) copy[last] = (copy[last] ?? 0) & (0xff << (8 - (bits % 8)));
  return copy;
}

function assigned(value: Uint8Array, { type, purpose }: ValueContext): Uint8Array {
  const limit = bitLimit(type);
  if (limit === undefined || purpose !== 'store') return value;
  const bits = viewOf(value).getInt32(0);
  if (type.name === 'bit' && bits !== limit) {
    const message = `bit string length ${bits} does not match type bit(${limit})`;
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.bitLength, message);
  }
  if (bits > limit) {
    const message = `bit string too long for type bit varying(${limit})`;
    throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.stringTooLong, message);
  }
  return value;
}

function checked(canonical: Uint8Array): Uint8Array {
  const bits = canonical.length < HEADER_BYTES ? -1 : viewOf(canonical).getInt32(0);
  if (bits < 0 || canonical.length !== HEADER_BYTES + Math.ceil(bits / 8)) throw damaged('bit');
  return canonical;
}

function printBits(canonical: Uint8Array): string {
  const bits = viewOf(canonical).getInt32(0);
  const all = Array.from(canonical.subarray(HEADER_BYTES), (byte) => byte.toString(2).padStart(8, '0')).join('');
  return all.slice(0, bits);
}
