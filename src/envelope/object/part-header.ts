/**
 * The clear header of 64 bytes before every body, ending in a MAC under a subkey of the DEK.
 *
 *   magic 2 | version 1 | suite 1 | flags 2 | part number 2 | plaintext length 8 | object id 16 | MAC 32
 *
 * Threat: a forged length would shift what a range returns; a header of another object or part would splice it in. The whole MAC
 * of 32 bytes also commits the body to its DEK.
 */
import { concatBytes, equalBytes } from '../../crypto/bytes.ts';
import { hmacSha256 } from '../../crypto/hmac.ts';
import type { Dek } from '../../crypto/key-types.ts';
import { Reader, Writer, assertLength } from '../codec.ts';
import { EnvelopeError, openFailed, opening } from '../errors.ts';
import { MAX_PART_NUMBER } from '../limits.ts';
import { MAX_PART_PLAIN_BYTES, MAX_PUT_PLAIN_BYTES, PART_HEADER_BYTES, type BodyLayout } from './sizes.ts';
import { OBJECT_ID_BYTES, objectKey } from './subkeys.ts';

const MAGIC = [0x53, 0x42] as const;
const VERSION = 1;
/** AES-256-GCM in the segmented stream of Tink's AES256_GCM_HKDF, HMAC-SHA-256, HKDF-SHA-256. */
const SUITE = 1;
const MAC_BYTES = 32;
const CLEAR_BYTES = PART_HEADER_BYTES - MAC_BYTES;

/** Nothing of the object follows; in a part: the padding ends in the footer block. */
const FLAG_FINAL = 1;
/** A part held back until its upload completes: no part of the object yet. */
const FLAG_HELD = 2;

export type PartHeader = {
  readonly layout: BodyLayout;
  /** 0 for a single PUT, 1 to 10000 otherwise. */
  readonly partNumber: number;
  readonly final: boolean;
  readonly plainLength: number;
  readonly objectId: Uint8Array;
};

/** The header's 64 bytes. Errors: ERR_ENVELOPE_TOO_LARGE (plaintext over a part's or PUT's limit). */
export function encodePartHeader(header: PartHeader, dek: Dek): Uint8Array {
  const { layout, partNumber, final, plainLength, objectId } = header;
  assertLength(objectId, OBJECT_ID_BYTES, 'an object id');
  if (!isConsistent(header)) throw new RangeError('part number, layout and final flag do not go together');
  const most = maxPlainOf(layout);
  if (plainLength > most)
    throw new EnvelopeError('ERR_ENVELOPE_TOO_LARGE', `a ${layout} body has at most ${most} bytes`);
  const clear = new Writer()
    .uint8(...MAGIC, VERSION, SUITE)
    .uint16((final ? FLAG_FINAL : 0) + (layout === 'held' ? FLAG_HELD : 0))
    .uint16(partNumber)
    .uint64(plainLength)
    .bytes(objectId)
    .finish();
  return concatBytes(clear, hmacSha256(objectKey(dek, objectId, 'header'), clear));
}

/** The highest number that a version or suite is given: no text has such bytes. */
const MAX_NUMBER = 8;
const isNumber = (byte: number | undefined): boolean => byte !== undefined && byte >= 1 && byte <= MAX_NUMBER;

/** Whether these bytes begin as a sealed body of any version does: for who has no key to tell by. */
export const looksSealed = (bytes: Uint8Array): boolean =>
  bytes[0] === MAGIC[0] && bytes[1] === MAGIC[1] && isNumber(bytes[2]) && isNumber(bytes[3]) && bytes[4] === 0;

/** Verifies the MAC, the object id and the structure. Errors: ERR_ENVELOPE_OPEN_FAILED, whatever is wrong. */
export function decodePartHeader(bytes: Uint8Array, dek: Dek, objectId: Uint8Array): PartHeader {
  if (bytes.length !== PART_HEADER_BYTES) throw openFailed();
  const mac = hmacSha256(objectKey(dek, objectId, 'header'), bytes.subarray(0, CLEAR_BYTES));
  if (!equalBytes(mac, bytes.subarray(CLEAR_BYTES))) throw openFailed();
  return opening(() => decodeVerified(new Reader(bytes), objectId));
}

function decodeVerified(reader: Reader, objectId: Uint8Array): PartHeader {
  reader.expect(...MAGIC, VERSION, SUITE);
  const flags = reader.uint16();
  const partNumber = reader.uint16();
  const plainLength = reader.uint64();
  if (flags > FLAG_FINAL + FLAG_HELD || !equalBytes(reader.bytes(OBJECT_ID_BYTES), objectId)) throw openFailed();
  const layout = (flags & FLAG_HELD) !== 0 ? 'held' : partNumber === 0 ? 'single' : 'part';
  const header = { layout, partNumber, final: (flags & FLAG_FINAL) !== 0, plainLength, objectId } as const;
  if (!isConsistent(header) || plainLength > maxPlainOf(layout)) throw openFailed();
  return header;
}

function isConsistent({ layout, partNumber, final }: PartHeader): boolean {
  if (layout === 'single') return partNumber === 0 && final;
  if (partNumber < 1 || partNumber > MAX_PART_NUMBER) return false;
  if (layout === 'held') return !final;
  // Nothing can follow it, and its segments are counted to leave room for the list.
  return final || partNumber < MAX_PART_NUMBER;
}

const maxPlainOf = (layout: BodyLayout): number => (layout === 'part' ? MAX_PART_PLAIN_BYTES : MAX_PUT_PLAIN_BYTES);
