/**
 * The packets that open a connection, frontend: StartupMessage, SSLRequest, GSSENCRequest, CancelRequest (manual, "Message Formats").
 * They have no type byte: length 4, code 4, rest.
 */
import { PostgresError } from '../errors.ts';
import { MAX_STARTUP_BYTES } from '../limits.ts';
import { protocolError } from '../wire/protocol-error.ts';
import { Reader, uint32At } from '../wire/reader.ts';

export type StartupPacket =
  | { readonly type: 'ssl' }
  | { readonly type: 'gssenc' }
  | { readonly type: 'cancel' }
  | {
      readonly type: 'startup';
      readonly major: number;
      readonly minor: number;
      readonly parameters: ReadonlyMap<string, string>;
    };

const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
/** Cancel keys are 4 bytes in protocol 3.0 and up to 256 in 3.2; length, code and process id come before. */
const MAX_CANCEL_BYTES = 12 + 256;
const MIN_CANCEL_BYTES = 12 + 4;

/** The whole packet's length once four bytes are there; undefined before. Throws on lengths no startup packet has. */
export function startupLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < 4) return undefined;
  const length = uint32At(bytes, 0);
  if (length < 8 || length > MAX_STARTUP_BYTES) throw protocolError('invalid length of startup packet');
  return length;
}

/** Decodes one whole packet. Throws ERR_POSTGRES_PROTOCOL, ERR_POSTGRES_STARTUP_UNKNOWN. */
export function decodeStartup(packet: Uint8Array): StartupPacket {
  const code = uint32At(packet, 4);
  switch (code) {
    case SSL_REQUEST:
      return exactly(packet, 8, { type: 'ssl' });
    case GSSENC_REQUEST:
      return exactly(packet, 8, { type: 'gssenc' });
    case CANCEL_REQUEST:
      if (packet.length < MIN_CANCEL_BYTES || packet.length > MAX_CANCEL_BYTES)
        throw protocolError('invalid length of cancel request');
      return { type: 'cancel' };
    default:
      return startupMessage(packet, code);
  }
}

function startupMessage(packet: Uint8Array, code: number): StartupPacket {
  const major = Math.floor(code / 0x10000);
  if (major !== 3) {
    const message = `unsupported frontend protocol ${major}.${code % 0x10000}: the proxy speaks 3.0 and later minor versions`;
    throw new PostgresError('ERR_POSTGRES_STARTUP_UNKNOWN', message, { sqlstate: '0A000' });
  }
  const reader = new Reader(packet, 8);
  const parameters = new Map<string, string>();
  for (let name = reader.cstring(); name !== ''; name = reader.cstring()) parameters.set(name, reader.cstring());
  reader.end();
  return { type: 'startup', major, minor: code % 0x10000, parameters };
}

function exactly(packet: Uint8Array, length: number, decoded: StartupPacket): StartupPacket {
  if (packet.length !== length) throw protocolError('invalid length of startup packet');
  return decoded;
}

/** NAMEDATALEN - 1. */
const NAME_BYTES = 63;

/**
 * The role or database that a StartupMessage means: the server cuts names of either (ProcessStartupPacket), so a longer one opens a database
 * whose rules would not be found by it.
 */
export function nameOfStartup(given: string): string {
  return given.length * 3 <= NAME_BYTES ? given : Buffer.from(given).subarray(0, NAME_BYTES).toString();
}

/** A StartupMessage of the same protocol version. */
export function encodeStartup(minor: number, parameters: ReadonlyMap<string, string>): Uint8Array {
  const pairs = [...parameters].map(([name, value]) => `${name}\0${value}\0`).join('');
  const body = Buffer.from(`${pairs}\0`);
  const packet = Buffer.alloc(8 + body.length);
  packet.writeUInt32BE(packet.length, 0);
  packet.writeUInt32BE(3 * 0x10000 + minor, 4);
  body.copy(packet, 8);
  return packet;
}

export const SSL_REQUEST_PACKET: Uint8Array = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);
