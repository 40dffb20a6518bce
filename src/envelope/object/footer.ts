/**
 * The sealed list that ends every multipart object: part numbers, lengths, digest of the salts, whole-object checksum. It is the
 * last FOOTER_BLOCK_BYTES of the stored object: in a footer part of no plaintext (number 10000) after a last part of 5 MiB or
 * more, or in the padding of a shorter last part, or of a part 10000. So one tail read gives the map of the object.
 *
 *   magic 2 | version 1 | suite 1 | salt 32 | ciphertext 6604 | tag 16
 *
 * Threat: dropping, repeating or swapping whole parts, and replaying an earlier attempt of a part.
 */
import { createHash } from 'node:crypto';
import { isZero } from '../../crypto/bytes.ts';
import type { Dek } from '../../crypto/key-types.ts';
import type { RandomSource } from '../../crypto/random.ts';
import { Reader, Writer, assertLength } from '../codec.ts';
import { malformed, openFailed, opening } from '../errors.ts';
import { FOOTER_BLOCK_BYTES, MAX_OBJECT_BYTES, MAX_PART_NUMBER, SEGMENT_TAG_BYTES } from '../limits.ts';
import { concatBytes, equalBytes } from '../../crypto/bytes.ts';
import { BodySealer } from './body-sealer.ts';
import { decodeNumbers, decodeRuns, encodeNumbers, encodeRuns, type FooterPart } from './part-runs.ts';
import { decodeGroups, encodeGroups, listedByGroups, type PartGroups } from './part-groups.ts';
import { checksumCode, checksumOfCode, type ChecksumName } from './record.ts';
import { SALT_BYTES, openOnce, sealOnce } from './subkeys.ts';

export type { FooterPart } from './part-runs.ts';

/** The footer part's number, always. A client's part of this number is not empty, and holds the list itself. */
export const FOOTER_PART_NUMBER = MAX_PART_NUMBER;
/** How much of a part's salt goes into the salts digest: what a part's ETag can carry back to Complete. */
export const SALT_REFERENCE_BYTES = 8;

/** A checksum of the whole object, as the client gave it on Complete. A composite one is shown with `-<number of parts>`. */
export type ObjectChecksum = {
  readonly algorithm: ChecksumName;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
  readonly value: Uint8Array;
};

export type FooterInput = {
  /** Every part but the footer part, by ascending number. */
  readonly parts: readonly FooterPart[];
  /** First 8 bytes of each part's stream salt, in the same order; left out where not all are known. */
  readonly salts?: readonly Uint8Array[] | undefined;
  readonly checksum?: ObjectChecksum | undefined;
};

export type Footer = {
  readonly partCount: number;
  readonly plainSize: number;
  /** Always known, ascending: a reader notices a missing part before it gives out the next one. */
  readonly partNumbers: readonly number[];
  /** Undefined where the lengths are too irregular for the block (about 1300 differing parts): walk the headers, then `matchesParts`. */
  readonly parts: readonly FooterPart[] | undefined;
  /** Where to begin to walk; undefined where there is a table, and in what was written before there were groups: then all is one. */
  readonly groups: PartGroups | undefined;
  readonly checksum: ObjectChecksum | undefined;
  readonly tableDigest: Uint8Array;
  readonly saltsDigest: Uint8Array | undefined;
};

const MAGIC = [0x53, 0x46] as const;
const VERSION = 1;
const SUITE = 1;
const FORMAT = 1;
/** With twice the room for the whole object's checksum: only where that has more than 32 bytes. */
const FORMAT_LONG_CHECKSUM = 2;
const CLEAR_BYTES = 4;
const PLAIN_BYTES = FOOTER_BLOCK_BYTES - CLEAR_BYTES - SALT_BYTES - SEGMENT_TAG_BYTES;
const DIGEST_BYTES = 32;
/** Before the table: format 1, flags 1, count 2, size 8, two digests, checksum 2 and 32 or 64. */
const headBytes = (format: number): number => 12 + 2 * DIGEST_BYTES + 2 + checksumRoom(format);
const checksumRoom = (format: number): number => (format === FORMAT ? DIGEST_BYTES : 2 * DIGEST_BYTES);
const formatFor = ({ checksum }: FooterInput): number =>
  (checksum?.value.length ?? 0) > DIGEST_BYTES ? FORMAT_LONG_CHECKSUM : FORMAT;
const FLAG_TABLE = 1;
const FLAG_SALTS = 2;
const FLAG_GROUPS = 4;

/** Whether the block has room for the parts' lengths, so that one read of it says where all of them lie. */
export const hasRoomFor = (footer: FooterInput): boolean =>
  headBytes(formatFor(footer)) + encodeRuns(footer.parts).length <= PLAIN_BYTES;

/** The sealed block, FOOTER_BLOCK_BYTES: for `BodySealer.finish` of a final part. */
export function encodeFooter(footer: FooterInput, dek: Dek, objectId: Uint8Array, random: RandomSource): Uint8Array {
  const { parts, salts, checksum } = footer;
  assertParts(parts);
  const format = formatFor(footer);
  const head = new Writer()
    .uint8(format, 0)
    .uint16(parts.length)
    .uint64(parts.reduce((sum, part) => sum + part.plainLength, 0))
    .bytes(tableDigest(parts))
    .bytes(salts === undefined ? new Uint8Array(DIGEST_BYTES) : saltsDigest(parts, salts));
  encodeChecksum(head, checksum, checksumRoom(format));
  const hasTable = hasRoomFor(footer);
  if (hasTable) head.bytes(encodeRuns(parts));
  else {
    head.bytes(encodeNumbers(parts));
    head.bytes(encodeGroups(parts, PLAIN_BYTES - head.length));
  }
  const plaintext = head.zeros(PLAIN_BYTES - head.length).finish();
  plaintext[1] = (hasTable ? FLAG_TABLE : FLAG_GROUPS) + (salts === undefined ? 0 : FLAG_SALTS);
  const clear = Uint8Array.of(...MAGIC, VERSION, SUITE);
  const salt = random(SALT_BYTES);
  return concatBytes(clear, salt, sealOnce({ dek, objectId, salt, purpose: 'footer', binding: clear }, plaintext));
}

/** The whole footer part: PART_OVERHEAD bytes, to be uploaded as FOOTER_PART_NUMBER. */
export function sealFooterPart(footer: FooterInput, dek: Dek, objectId: Uint8Array, random: RandomSource): Uint8Array {
  const sealer = new BodySealer({ dek, objectId, partNumber: FOOTER_PART_NUMBER, plainLength: 0, final: true }, random);
  const block = encodeFooter(footer, dek, objectId, random);
  return concatBytes(sealer.header(), ...sealer.finish({ digests: {} }, block));
}

/** Opens the footer from the stored object's tail (at least FOOTER_BLOCK_BYTES; more is skipped). Errors: ERR_ENVELOPE_OPEN_FAILED. */
export function openFooter(tail: Uint8Array, dek: Dek, objectId: Uint8Array): Footer {
  if (tail.length < FOOTER_BLOCK_BYTES) throw openFailed();
  const block = tail.subarray(tail.length - FOOTER_BLOCK_BYTES);
  return opening(() => {
    const reader = new Reader(block);
    const binding = block.subarray(0, CLEAR_BYTES);
    reader.expect(...MAGIC, VERSION, SUITE);
    const salt = reader.bytes(SALT_BYTES);
    return decodePlain(new Reader(openOnce({ dek, objectId, salt, purpose: 'footer', binding }, reader.rest())));
  });
}

/** Whether these parts (and salts, where the footer knows them) are the ones the footer lists. */
export function matchesParts(footer: Footer, parts: readonly FooterPart[], salts?: readonly Uint8Array[]): boolean {
  if (parts.length !== footer.partCount || !equalBytes(tableDigest(parts), footer.tableDigest)) return false;
  if (footer.saltsDigest === undefined || salts === undefined) return true;
  return equalBytes(saltsDigest(parts, salts), footer.saltsDigest);
}

/** True for the header of a footer part: it is no part of the client's. */
export function isFooterPart(part: {
  readonly partNumber: number;
  readonly final: boolean;
  readonly plainLength: number;
}): boolean {
  return part.partNumber === FOOTER_PART_NUMBER && part.final && part.plainLength === 0;
}

function decodePlain(reader: Reader): Footer {
  const format = reader.uint8();
  if (format !== FORMAT && format !== FORMAT_LONG_CHECKSUM) throw malformed();
  const flags = reader.uint8();
  if (flags > FLAG_GROUPS + FLAG_SALTS) throw malformed();
  const partCount = reader.uint16();
  const plainSize = reader.uint64();
  const digest = reader.bytes(DIGEST_BYTES);
  const salts = reader.bytes(DIGEST_BYTES);
  const checksum = decodeChecksum(reader, checksumRoom(format));
  if (format !== formatFor({ parts: [], checksum })) throw malformed();
  const { parts, partNumbers, groups } = decodeParts(reader, flags, partCount, plainSize);
  if (!isZero(reader.rest())) throw malformed();
  if (parts !== undefined && !equalBytes(tableDigest(parts), digest)) throw malformed();
  const saltsDigest = (flags & FLAG_SALTS) === 0 ? undefined : salts;
  return { partCount, plainSize, partNumbers, parts, groups, checksum, tableDigest: digest, saltsDigest };
}

function decodeParts(
  reader: Reader,
  flags: number,
  partCount: number,
  plainSize: number,
): Pick<Footer, 'parts' | 'partNumbers' | 'groups'> {
  if ((flags & FLAG_TABLE) !== 0) {
    if ((flags & FLAG_GROUPS) !== 0) throw malformed();
    const parts = decodeRuns(reader, partCount);
    return { parts, partNumbers: parts.map((part) => part.partNumber), groups: undefined };
  }
  const partNumbers = decodeNumbers(reader, partCount);
  if ((flags & FLAG_GROUPS) === 0) return { parts: undefined, partNumbers, groups: undefined };
  const groups = decodeGroups(reader, partCount, plainSize);
  return { parts: listedByGroups(groups, partNumbers, plainSize), partNumbers, groups };
}

/** algorithm 1 | type 1 | value, padded to 32 or 64. */
function encodeChecksum(writer: Writer, checksum: ObjectChecksum | undefined, room: number): void {
  const code = checksumCode(checksum?.algorithm);
  const value = checksum?.value ?? new Uint8Array(0);
  assertLength(value, checksumOfCode(code)?.bytes ?? 0, 'the object checksum');
  writer
    .uint8(code, checksum?.type === 'COMPOSITE' ? 1 : 0)
    .bytes(value)
    .zeros(room - value.length);
}

function decodeChecksum(reader: Reader, room: number): ObjectChecksum | undefined {
  const row = checksumOfCode(reader.uint8());
  const type = reader.uint8();
  const padded = reader.bytes(room);
  const length = row?.bytes ?? 0;
  if (type > (row === undefined ? 0 : 1) || !isZero(padded.subarray(length))) throw malformed();
  if (row === undefined) return undefined;
  return { algorithm: row.name, type: type === 1 ? 'COMPOSITE' : 'FULL_OBJECT', value: padded.subarray(0, length) };
}

/** SHA-256 over (number 2 | length 8) of each part. */
function tableDigest(parts: readonly FooterPart[]): Uint8Array {
  const table = new Writer();
  for (const { partNumber, plainLength } of parts) table.uint16(partNumber).uint64(plainLength);
  return createHash('sha256').update(table.finish()).digest();
}

/** SHA-256 over (number 2 | first 8 bytes of the salt) of each part. */
function saltsDigest(parts: readonly FooterPart[], salts: readonly Uint8Array[]): Uint8Array {
  if (salts.length !== parts.length) throw new RangeError('one salt for each part');
  const table = new Writer();
  parts.forEach(({ partNumber }, i) => {
    table.uint16(partNumber).bytes((salts[i] ?? new Uint8Array(0)).subarray(0, SALT_REFERENCE_BYTES));
  });
  return createHash('sha256').update(table.finish()).digest();
}

function assertParts(parts: readonly FooterPart[]): void {
  let previous = 0;
  let total = 0;
  for (const { partNumber, plainLength } of parts) {
    if (partNumber <= previous || partNumber > MAX_PART_NUMBER) throw new RangeError('part numbers ascend');
    // An empty part of the footer part's number would pass for it.
    if (isFooterPart({ partNumber, plainLength, final: true })) throw new RangeError('the footer part is not listed');
    previous = partNumber;
    total += plainLength;
  }
  if (parts.length === 0 || total > MAX_OBJECT_BYTES) throw new RangeError('no object has such parts');
}
