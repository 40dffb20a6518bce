/**
 * The one encoding of a private key on a curve (PKCS #8 with ECPrivateKey, RFC 5915): its number, and the public point that the number
 * gives, uncompressed. What others encode may leave the point away, compress it, or add to it; OpenSSL writes that again as it read it.
 */
import { createECDH, type KeyObject } from 'node:crypto';
import { concatBytes } from '../bytes.ts';
import { CURVE_BYTES, type EcCurve } from './key-pair.ts';

const INTEGER_0 = Uint8Array.of(0x02, 0x01, 0x00);
const INTEGER_1 = Uint8Array.of(0x02, 0x01, 0x01);
const SEQUENCE = 0x30;
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;
/** `[1]`, constructed. */
const PUBLIC_KEY = 0xa1;
/** id-ecPublicKey. */
const ALGORITHM = Buffer.from('06072a8648ce3d0201', 'hex');
/** Object identifiers (RFC 5480, SEC 2). */
const CURVES = {
  prime256v1: Buffer.from('06082a8648ce3d030107', 'hex'),
  secp384r1: Buffer.from('06052b81040022', 'hex'),
  secp521r1: Buffer.from('06052b81040023', 'hex'),
  secp256k1: Buffer.from('06052b8104000a', 'hex'),
} as const satisfies Record<EcCurve, Uint8Array>;

/** The caller zeroes it. */
export function encodeEcPrivateKey(curve: EcCurve, privateKey: KeyObject): Uint8Array {
  const sec1 = privateKey.export({ format: 'der', type: 'sec1' });
  const number = numberIn(sec1, CURVE_BYTES[curve]);
  const ecdh = createECDH(curve);
  ecdh.setPrivateKey(number);
  const point = der(PUBLIC_KEY, der(BIT_STRING, Uint8Array.of(0), ecdh.getPublicKey()));
  const octets = der(OCTET_STRING, number);
  const inner = der(SEQUENCE, INTEGER_1, octets, point);
  const wrapped = der(OCTET_STRING, inner);
  try {
    return der(SEQUENCE, INTEGER_0, der(SEQUENCE, ALGORITHM, CURVES[curve]), wrapped);
  } finally {
    for (const bytes of [sec1, octets, inner, wrapped]) bytes.fill(0);
  }
}

/** A view. OpenSSL writes it first, after the version, in as many bytes as the curve's order has. */
function numberIn(sec1: Uint8Array, length: number): Uint8Array {
  const header = Buffer.concat([INTEGER_1, Uint8Array.of(OCTET_STRING, length)]);
  const at = Buffer.from(sec1.buffer, sec1.byteOffset, sec1.length).indexOf(header);
  // After a tag and a length of one or two bytes.
  if (at !== 2 && at !== 3) throw new TypeError('not an ECPrivateKey');
  return sec1.subarray(at + header.length, at + header.length + length);
}

function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, { length: bytes }) => sum + bytes, 0);
  const header = length < 0x80 ? Uint8Array.of(tag, length) : Uint8Array.of(tag, 0x81, length);
  return concatBytes(header, ...contents);
}
