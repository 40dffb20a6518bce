/**
 * The sealed record after each body's stream: the plaintext's checksums, at a fixed size, so that HEAD with checksums needs one
 * tail read and sizes stay arithmetic. Sealed, because a checksum of a guessable plaintext gives it away.
 *
 *   format 1 | mask 1 | client checksum 1 | zero 1 | plaintext length 8 | crc32 4 | crc32c 4 | crc64nvme 8 | md5 16 | sha1 20 | sha256 32 | zero 80 | tag 16
 */
import type { Dek } from '../../crypto/key-types.ts';
import { isZero } from '../../crypto/bytes.ts';
import { Reader, Writer, assertLength } from '../codec.ts';
import { malformed, openFailed, opening } from '../errors.ts';
import { RECORD_BYTES } from './sizes.ts';
import { openOnce, sealOnce } from './subkeys.ts';
import { SEGMENT_TAG_BYTES } from '../limits.ts';

/** Order is the order in the format; the index is the bit in the mask, and plus one the checksum's code. */
export const CHECKSUMS = [
  { name: 'crc32', bytes: 4 },
  { name: 'crc32c', bytes: 4 },
  { name: 'crc64nvme', bytes: 8 },
  { name: 'md5', bytes: 16 },
  { name: 'sha1', bytes: 20 },
  { name: 'sha256', bytes: 32 },
] as const;

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

/** Seals a record: 192 bytes. */
export function sealRecord(record: BodyRecord, place: RecordPlace): Uint8Array {
  const mask = CHECKSUMS.reduce((bits, { name }, i) => bits + (record.digests[name] === undefined ? 0 : 1 << i), 0);
  const writer = new Writer().uint8(FORMAT, mask, checksumCode(record.clientChecksum), 0).uint64(place.plainLength);
  for (const { name, bytes } of CHECKSUMS) {
    const digest = record.digests[name] ?? new Uint8Array(bytes);
    assertLength(digest, bytes, name);
    writer.bytes(digest);
  }
  return sealOnce(
    { ...place, purpose: 'record', binding: place.header },
    writer.zeros(PLAIN_BYTES - writer.length).finish(),
  );
}

/** Opens a record. Errors: ERR_ENVELOPE_OPEN_FAILED. */
export function openRecord(sealed: Uint8Array, place: RecordPlace): BodyRecord {
  return opening(() => {
    const reader = new Reader(openOnce({ ...place, purpose: 'record', binding: place.header }, sealed));
    reader.expect(FORMAT);
    const mask = reader.uint8();
    const clientChecksum = checksumOfCode(reader.uint8())?.name;
    reader.expect(0);
    if (reader.uint64() !== place.plainLength || mask >= 1 << CHECKSUMS.length) throw openFailed();
    const digests: Partial<Record<ChecksumName, Uint8Array>> = {};
    CHECKSUMS.forEach(({ name, bytes }, i) => {
      const digest = reader.bytes(bytes);
      if ((mask & (1 << i)) !== 0) digests[name] = digest;
    });
    if (!isZero(reader.rest())) throw openFailed();
    return clientChecksum === undefined ? { digests } : { digests, clientChecksum };
  });
}
