/**
 * The CRC of a concatenation from the CRCs of its parts and their lengths (Mark Adler's method, zlib crc32_combine): appending n bytes
 * multiplies the CRC by x^(8n) modulo the polynomial. So a whole object's checksum is verified from its parts' without reading them.
 */

type CrcPolynomial = { readonly bits: number; readonly reflected: bigint };

/** Reflected polynomials; CRC-64/NVME from the NVM Express command set specification. */
export const CRC_POLYNOMIALS = {
  crc32: { bits: 32, reflected: 0xedb88320n },
  crc32c: { bits: 32, reflected: 0x82f63b78n },
  crc64nvme: { bits: 64, reflected: 0x9a6c9329ac4bc9b5n },
} as const satisfies Readonly<Record<string, CrcPolynomial>>;

export type CombinableCrc = keyof typeof CRC_POLYNOMIALS;

/** The CRC of all parts in their order. `crc` is the digest as S3 sends it (big-endian bytes). */
export function combineCrcs(
  algorithm: CombinableCrc,
  parts: readonly { readonly crc: Uint8Array; readonly length: number }[],
): Uint8Array {
  const polynomial = CRC_POLYNOMIALS[algorithm];
  let whole = 0n;
  for (const part of parts) {
    whole = multiply(polynomial, whole, powerOfX(polynomial, BigInt(part.length) * 8n)) ^ toNumber(part.crc);
  }
  return toBytes(whole, polynomial.bits / 8);
}

/** a * b modulo the polynomial, bits reflected: the highest bit is x^0. */
function multiply({ bits, reflected }: CrcPolynomial, a: bigint, b: bigint): bigint {
  let product = 0n;
  let factor = b;
  for (let mask = 1n << BigInt(bits - 1); mask > 0n; mask >>= 1n) {
    if ((a & mask) !== 0n) product ^= factor;
    factor = (factor & 1n) === 0n ? factor >> 1n : (factor >> 1n) ^ reflected;
  }
  return product;
}

/** x^exponent modulo the polynomial, by squaring. */
function powerOfX(polynomial: CrcPolynomial, exponent: bigint): bigint {
  const one = 1n << BigInt(polynomial.bits - 1);
  let power = one;
  let square = one >> 1n;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) power = multiply(polynomial, power, square);
    square = multiply(polynomial, square, square);
  }
  return power;
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function toBytes(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Number((value >> BigInt(8 * (length - 1 - index))) & 0xffn));
}
