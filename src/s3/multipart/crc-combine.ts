/**
 * The CRC of a concatenation from the CRCs of its parts and their lengths (Mark Adler's method, zlib crc32_combine): appending n bytes
 * multiplies the CRC by x^(8n) modulo the polynomial. So a whole object's checksum is verified from its parts' without reading them. Numbers
 * of 32 bits in pairs, since 10 000 parts by bigints took seconds in which nothing else ran.
 */

/** A polynomial of degree below 32 or 64: reflected, x^0 the highest bit of `high`; with 32 bits `low` is zero. */
type Polynomial = { readonly high: number; readonly low: number };

type CrcPolynomial = Polynomial & { readonly bits: 32 | 64 };

/** Reflected polynomials; CRC-64/NVME from the NVM Express command set specification. */
const CRC_POLYNOMIALS = {
  crc32: { bits: 32, high: 0xedb88320, low: 0 },
  crc32c: { bits: 32, high: 0x82f63b78, low: 0 },
  crc64nvme: { bits: 64, high: 0x9a6c9329, low: 0xac4bc9b5 },
} as const satisfies Readonly<Record<string, CrcPolynomial>>;

export type CombinableCrc = keyof typeof CRC_POLYNOMIALS;

const ZERO: Polynomial = { high: 0, low: 0 };
const ONE: Polynomial = { high: 0x80000000, low: 0 };
const X: Polynomial = { high: 0x40000000, low: 0 };

/** The CRC of all parts in their order. `crc` is the digest as S3 sends it (big-endian bytes). */
export function combineCrcs(
  algorithm: CombinableCrc,
  parts: readonly { readonly crc: Uint8Array; readonly length: number }[],
): Uint8Array {
  const modulus = CRC_POLYNOMIALS[algorithm];
  const powerFor = powers(modulus);
  let whole = ZERO;
  for (const part of parts) whole = add(multiply(modulus, whole, powerFor(part.length)), decode(part.crc));
  return encode(whole, modulus.bits);
}

/** x^(8 * bytes) modulo the polynomial: by the squares of x, each computed once, and remembered since parts are mostly of one length. */
function powers(modulus: CrcPolynomial): (bytes: number) => Polynomial {
  const squares = [X];
  const known = new Map<number, Polynomial>();
  const square = (index: number): Polynomial => {
    for (let at = squares.length; at <= index; at += 1) {
      const before = squares[at - 1] ?? X;
      squares.push(multiply(modulus, before, before));
    }
    return squares[index] ?? X;
  };
  return (bytes) => {
    const found = known.get(bytes);
    if (found !== undefined) return found;
    let power = ONE;
    let index = 3; // eight bits a byte
    for (let rest = bytes; rest > 0; rest = Math.floor(rest / 2), index += 1) {
      if (rest % 2 === 1) power = multiply(modulus, power, square(index));
    }
    known.set(bytes, power);
    return power;
  };
}

const add = (a: Polynomial, b: Polynomial): Polynomial => ({
  high: (a.high ^ b.high) >>> 0,
  low: (a.low ^ b.low) >>> 0,
});

/** a * b modulo the polynomial: b times each power of x that is in a. */
function multiply(modulus: CrcPolynomial, a: Polynomial, b: Polynomial): Polynomial {
  let [high, low] = [0, 0];
  let { high: factorHigh, low: factorLow } = b;
  for (let bit = 0; bit < modulus.bits; bit += 1) {
    const word = bit < 32 ? a.high : a.low;
    if ((word >>> (31 - (bit % 32))) & 1) {
      high ^= factorHigh;
      low ^= factorLow;
    }
    const carries = (modulus.bits === 32 ? factorHigh : factorLow) & 1;
    factorLow = modulus.bits === 32 ? 0 : (factorLow >>> 1) | (factorHigh << 31);
    factorHigh >>>= 1;
    if (carries) {
      factorHigh ^= modulus.high;
      factorLow ^= modulus.low;
    }
  }
  return { high: high >>> 0, low: low >>> 0 };
}

function decode(bytes: Uint8Array): Polynomial {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { high: view.getUint32(0), low: bytes.length === 8 ? view.getUint32(4) : 0 };
}

function encode({ high, low }: Polynomial, bits: 32 | 64): Uint8Array {
  const bytes = new Uint8Array(bits / 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, high);
  if (bits === 64) view.setUint32(4, low);
  return bytes;
}
