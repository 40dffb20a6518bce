/**
 * The sealed record after each body's stream: the plaintext's checksums, at a fixed size, so that HEAD with checksums needs one
 * tail read and sizes stay arithmetic. Sealed, because a checksum of a guessable plaintext gives it away.
 *
 *   format 1 | mask 1 | client checksum 1 | later code 1 | plaintext length 8 | crc32 4 | crc32c 4 | crc64nvme 8 | md5 16 | sha1 20 | sha256 32 | later 64 | zero 16 | tag 16
 *
 * `later` is the one checksum of those that S3 took in later, if any: format 2. Format 1 has zeros there.
 */
import type { Dek } from '../../crypto/key-types.ts';
import { isZero } from '../../crypto/bytes.ts';
import { Reader, Writer, assertLength } from '../codec.ts';
import { malformed, openFailed, opening } from '../errors.ts';
import { RECORD_BYTES } from './sizes.ts';
import { openOnce, sealOnce } from './subkeys.ts';
import { SEGMENT_TAG_BYTES } from '../limits.ts';

/** Each has a place of its own in the record. Order is the order in the format; the index is the bit in the mask. */
const PLACED = [
  { name: 'crc32', bytes: 4 },
  { name: 'crc32c', bytes: 4 },
  { name: 'crc64nvme', bytes: 8 },
  { name: 'md5', bytes: 16 },
  { name: 'sha1', bytes: 20 },
  { name: 'sha256', bytes: 32 },
] as const;

/** Of these a record has one at most: a body comes with one checksum. */
const LATER = [
  { name: 'sha512', bytes: 64 },
  { name: 'xxhash64', bytes: 8 },
  { name: 'xxhash3', bytes: 8 },
  { name: 'xxhash128', bytes: 16 },
] as const;

/** The index plus one is the checksum's code. */
export const CHECKSUMS = [...PLACED, ...LATER] as const;

export type ChecksumName = (typeof CHECKSUMS)[number]['name'];
export type BodyDigests = Readonly<Partial<Record<ChecksumName, Uint8Array>>>;

/** Checksums of a body's plaintext. */
export type BodyRecord = {
  /** Those that are known. */
  readonly digests: BodyDigests;
  /** Which of them the client sent, and is shown again. */
  readonly clientChecksum?: ChecksumName | undefined;
};

/** Where a record belongs: to one sealing of one body. */
export type RecordPlace = {
  readonly dek: Dek;
  readonly objectId: Uint8Array;
  /** The stream's salt. */
  readonly salt: Uint8Array;
  /** The part header, whole. */
  readonly header: Uint8Array;
  readonly plainLength: number;
};

const FORMAT = 1;
const FORMAT_WITH_LATER = 2;
const PLAIN_BYTES = RECORD_BYTES - SEGMENT_TAG_BYTES;

/** 0 for none; the code of a checksum in every format. */
export function checksumCode(name: ChecksumName | undefined): number {
  return CHECKSUMS.findIndex((row) => row.name === name) + 1;
}

/** The reverse of `checksumCode`. Errors: ERR_ENVELOPE_MALFORMED. */
export function checksumOfCode(code: number): (typeof CHECKSUMS)[number] | undefined {
  const row = CHECKSUMS[code - 1];
  if (code !== 0 && row === undefined) throw malformed();
  return row;
}

/** Seals a record: 192 bytes. Precondition: at most one of SHA-512 and the XXHashes is known. */
export function sealRecord({ digests, clientChecksum }: BodyRecord, place: RecordPlace): Uint8Array {
  const mask = PLACED.reduce((bits, { name }, i) => bits + (digests[name] === undefined ? 0 : 1 << i), 0);
  const [later, ...more] = LATER.filter(({ name }) => digests[name] !== undefined);
  if (more.length > 0) throw new RangeError('a record has room for one of these checksums');
  const writer = new Writer()
    .uint8(
      later === undefined ? FORMAT : FORMAT_WITH_LATER,
      mask,
      checksumCode(clientChecksum),
      checksumCode(later?.name),
    )
    .uint64(place.plainLength);
  for (const row of later === undefined ? PLACED : [...PLACED, later]) writer.bytes(digestOf(row, digests));
  return sealOnce(
    { ...place, purpose: 'record', binding: place.header },
    writer.zeros(PLAIN_BYTES - writer.length).finish(),
  );
}

function digestOf({ name, bytes }: (typeof CHECKSUMS)[number], digests: BodyDigests): Uint8Array {
  const digest = digests[name] ?? new Uint8Array(bytes);
  assertLength(digest, bytes, name);
  return digest;
}

/** Opens a record. Errors: ERR_ENVELOPE_OPEN_FAILED. */
export function openRecord(sealed: Uint8Array, place: RecordPlace): BodyRecord {
  return opening(() => {
    const reader = new Reader(openOnce({ ...place, purpose: 'record', binding: place.header }, sealed));
    const format = reader.uint8();
    const mask = reader.uint8();
    const clientChecksum = checksumOfCode(reader.uint8())?.name;
    const laterCode = reader.uint8();
    if (format !== (laterCode === 0 ? FORMAT : FORMAT_WITH_LATER)) throw openFailed();
    if (reader.uint64() !== place.plainLength || mask >= 1 << PLACED.length) throw openFailed();
    const digests: Partial<Record<ChecksumName, Uint8Array>> = {};
    PLACED.forEach(({ name, bytes }, i) => {
      const digest = reader.bytes(bytes);
      if ((mask & (1 << i)) !== 0) digests[name] = digest;
    });
    const later = LATER.find(({ name }) => name === checksumOfCode(laterCode)?.name);
    if ((later === undefined) !== (laterCode === 0)) throw openFailed();
    if (later !== undefined) digests[later.name] = reader.bytes(later.bytes);
    if (!isZero(reader.rest())) throw openFailed();
    return clientChecksum === undefined ? { digests } : { digests, clientChecksum };
  });
}
