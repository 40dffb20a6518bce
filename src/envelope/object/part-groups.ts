/**
 * Where parts begin that are too many and too unlike to be listed: the plaintext of each so many of them together. Their lengths are then
 * learned from their headers, from the beginning of every group at once instead of from part to part through the whole object.
 *
 *   size varint | length varint, for each group but the last
 */
import { Reader, Writer } from '../codec.ts';
import { malformed } from '../errors.ts';
import type { FooterPart } from './part-runs.ts';

export type PartGroups = {
  /** Parts in each group; the last may have fewer. */
  readonly size: number;
  /** Bytes of plaintext of each group but the last, which has what is left. */
  readonly lengths: readonly number[];
};

/** The smallest groups that fit into so many bytes, at least 2. */
export function encodeGroups(parts: readonly FooterPart[], room: number): Uint8Array {
  for (let size = 1; ; size += 1) {
    const encoded = encodeBySize(parts, size);
    if (encoded.length <= room) return encoded;
  }
}

function encodeBySize(parts: readonly FooterPart[], size: number): Uint8Array {
  const writer = new Writer().varint(size);
  for (let from = 0; from + size < parts.length; from += size)
    writer.varint(parts.slice(from, from + size).reduce((sum, part) => sum + part.plainLength, 0));
  return writer.finish();
}

/** Errors: ERR_ENVELOPE_MALFORMED. */
export function decodeGroups(reader: Reader, partCount: number, plainSize: number): PartGroups {
  const size = reader.varint();
  if (size < 1 || size > partCount) throw malformed();
  const lengths: number[] = [];
  let left = plainSize;
  for (let from = 0; from + size < partCount; from += size) {
    const length = reader.varint();
    left -= length;
    if (left < 0) throw malformed();
    lengths.push(length);
  }
  return { size, lengths };
}

/** The parts where each is a group of its own; undefined where their headers have to tell. */
export function listedByGroups(
  { size, lengths }: PartGroups,
  partNumbers: readonly number[],
  plainSize: number,
): readonly FooterPart[] | undefined {
  if (size !== 1) return undefined;
  const last = plainSize - lengths.reduce((sum, length) => sum + length, 0);
  return partNumbers.map((partNumber, index) => ({ partNumber, plainLength: lengths[index] ?? last }));
}
