/**
 * inet and cidr: canonical bytes `family 1 (2 IPv4, 3 IPv6) | prefix length 1 | address 4 or 16`, which both types share: their `=` compares
 * just these (network_cmp_internal in network.c). Text in inet-text.ts.
 */
import { decodeText, encodeText } from './bytes.ts';
import type { TypeCodec, ValueContext } from './codec.ts';
import { damaged, invalidBinary, SQLSTATE, ValueError } from './errors.ts';
import { type InetAddress, parseInet, printInet } from './inet-text.ts';

const IPV4 = 2;
const IPV6 = 3;
const HEADER_BYTES = 2;
/** On the wire: family, bits, is_cidr, length. */
const WIRE_HEADER_BYTES = 4;

export const inetCodec: TypeCodec = {
  fromText: (text, { type }) => encode(checked(parseInet(decodeText(text), type.name), type.name)),
  fromBinary: (bytes, { type }) => encode(checked(receive(bytes, type.name), type.name)),
  toText: (canonical, { type }) => encodeText(printInet(valueOf(canonical), type.name)),
  toBinary: (canonical, context) => send(valueOf(canonical), context),
};

/** A cidr has no bits to the right of its mask. */
function checked(value: InetAddress, typeName: string): InetAddress {
  if (typeName !== 'cidr' || isNetwork(value)) return value;
  throw new ValueError(
    'ERR_POSTGRES_VALUE_INVALID',
    SQLSTATE.syntax,
    'invalid cidr value: it has bits set to right of mask',
  );
}

function isNetwork({ bytes, bits }: InetAddress): boolean {
  return bytes.every((byte, index) => (byte & (0xff >> Math.min(Math.max(bits - 8 * index, 0), 8))) === 0);
}

function receive(bytes: Uint8Array, typeName: string): InetAddress {
  const [family = 0, bits = 0, , length = 0] = bytes;
  const size = family === IPV4 ? 4 : family === IPV6 ? 16 : 0;
  const isWhole = bytes.length === WIRE_HEADER_BYTES + size && length === size;
  if (size === 0 || !isWhole || bits > 8 * size) throw invalidBinary(typeName);
  const value = { bytes: bytes.subarray(WIRE_HEADER_BYTES), bits };
  if (typeName === 'cidr' && !isNetwork(value)) throw invalidBinary('cidr');
  return value;
}

function encode({ bytes, bits }: InetAddress): Uint8Array {
  return Uint8Array.of(bytes.length === 4 ? IPV4 : IPV6, bits, ...bytes);
}

function valueOf(canonical: Uint8Array): InetAddress {
  const size = canonical[0] === IPV4 ? 4 : canonical[0] === IPV6 ? 16 : -1;
  const bits = canonical[1] ?? 255;
  if (canonical.length !== HEADER_BYTES + size || bits > 8 * size) throw damaged('inet');
  return { bytes: canonical.subarray(HEADER_BYTES), bits };
}

function send({ bytes, bits }: InetAddress, { type }: ValueContext): Uint8Array {
  const isCidr = type.name === 'cidr' ? 1 : 0;
  return Uint8Array.of(bytes.length === 4 ? IPV4 : IPV6, bits, isCidr, bytes.length, ...bytes);
}
