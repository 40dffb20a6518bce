/**
 * Base64 (RFC 4648, section 4) from bytes to bytes: key material passes the edge without ever becoming a string, which a heap
 * snapshot would keep. Without tables or branches on the data: what is encoded here may be a plaintext key.
 */

/** Characters that `bytes` bytes become, padding included. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/** Writes `source` into `target` from `at`; the caller has made room. Gives the place after it. */
export function encodeBase64(source: Uint8Array, target: Uint8Array, at: number): number {
  let to = at;
  for (let from = 0; from < source.length; from += 3) {
    const left = source.length - from;
    const group = (byteAt(source, from) << 16) | (byteAt(source, from + 1) << 8) | byteAt(source, from + 2);
    target[to] = encodeDigit(group >>> 18);
    target[to + 1] = encodeDigit((group >>> 12) & 63);
    target[to + 2] = left > 1 ? encodeDigit((group >>> 6) & 63) : PADDING;
    target[to + 3] = left > 2 ? encodeDigit(group & 63) : PADDING;
    to += 4;
  }
  return to;
}

/**
 * Decodes padded base64 into memory of its own (never the shared pool), which the caller zeroes. Undefined for anything that is
 * not the one encoding of some bytes.
 */
export function decodeBase64(text: Uint8Array): Buffer | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = Number(byteAt(text, text.length - 1) === PADDING) + Number(byteAt(text, text.length - 2) === PADDING);
  const bytes = Buffer.alloc((text.length / 4) * 3 - padding);
  let wrong = 0;
  let to = 0;
  for (let from = 0; from < text.length; from += 4) {
    const padded = from + 4 === text.length ? padding : 0;
    const third = padded < 2 ? decodeDigit(byteAt(text, from + 2)) : 0;
    const fourth = padded < 1 ? decodeDigit(byteAt(text, from + 3)) : 0;
    const first = decodeDigit(byteAt(text, from));
    const second = decodeDigit(byteAt(text, from + 1));
    const group = (first << 18) | (second << 12) | (third << 6) | fourth;
    // A digit that is none is -1; bits behind the last byte must be zero.
    wrong |= first | second | third | fourth | -(group & ((1 << (8 * padded)) - 1));
    if (padded < 3) bytes[to] = group >>> 16;
    if (padded < 2) bytes[to + 1] = group >>> 8;
    if (padded < 1) bytes[to + 2] = group;
    to += 3;
  }
  if (wrong >= 0 && !(padding === 1 && byteAt(text, text.length - 1) !== PADDING)) return bytes;
  bytes.fill(0);
  return undefined;
}

/** `=`. */
const PADDING = 0x3d;

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

function encodeDigit(value: number): number {
  let digit = value + 0x41;
  digit += ((25 - value) >> 8) & 6;
  digit -= ((51 - value) >> 8) & 75;
  digit -= ((61 - value) >> 8) & 15;
  digit += ((62 - value) >> 8) & 3;
  return digit;
}

function decodeDigit(char: number): number {
  let value = -1;
  value += within(char, 0x41, 0x5a) & (char - 0x40);
  value += within(char, 0x61, 0x7a) & (char - 0x46);
  value += within(char, 0x30, 0x39) & (char + 5);
  value += within(char, 0x2b, 0x2b) & 63;
  value += within(char, 0x2f, 0x2f) & 64;
  return value;
}

/** All ones where `low <= char <= high`, else zero. */
function within(char: number, low: number, high: number): number {
  return ((low - 1 - char) & (char - (high + 1))) >> 31;
}
