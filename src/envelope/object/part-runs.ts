/**
 * Run-length form of a part list: uniform parts cost a few bytes, whatever their number.
 *
 *   runs varint | (gap varint | length varint | repeat varint)*
 *
 * `gap` is the run's first number minus the last number before it (0 at the start); numbers within a run are consecutive, its
 * lengths equal.
 */
import { Reader, Writer } from '../codec.ts';
import { malformed } from '../errors.ts';
import { MAX_PART_NUMBER } from '../limits.ts';

/** One part of a multipart object: its number, and the length of its plaintext. */
export type FooterPart = { readonly partNumber: number; readonly plainLength: number };

type Run = { readonly gap: number; readonly length: number; repeat: number };

export function encodeRuns(parts: readonly FooterPart[]): Uint8Array {
  const runs: Run[] = [];
  let previous = 0;
  for (const { partNumber, plainLength } of parts) {
    const run = runs.at(-1);
    if (run !== undefined && partNumber === previous + 1 && run.length === plainLength) run.repeat += 1;
    else runs.push({ gap: partNumber - previous, length: plainLength, repeat: 1 });
    previous = partNumber;
  }
  const writer = new Writer().varint(runs.length);
  for (const { gap, length, repeat } of runs) writer.varint(gap).varint(length).varint(repeat);
  return writer.finish();
}

/** Reads exactly `count` parts. Errors: ERR_ENVELOPE_MALFORMED. */
export function decodeRuns(reader: Reader, count: number): FooterPart[] {
  const parts: FooterPart[] = [];
  let partNumber = 0;
  for (let runs = reader.varint(); runs > 0; runs--) {
    const gap = reader.varint();
    const plainLength = reader.varint();
    const repeat = reader.varint();
    if (gap === 0 || repeat === 0 || partNumber + gap + repeat - 1 > MAX_PART_NUMBER) throw malformed();
    partNumber += gap - 1;
    for (let i = 0; i < repeat; i++) parts.push({ partNumber: ++partNumber, plainLength });
  }
  if (parts.length !== count) throw malformed();
  return parts;
}

const BITMAP_BYTES = MAX_PART_NUMBER / 8;

/** The numbers alone, for parts too irregular to list: bit (number - 1) mod 8, lowest first, of byte (number - 1) / 8; 1250 bytes. */
export function encodeNumbers(parts: readonly FooterPart[]): Uint8Array {
  const bitmap = new Uint8Array(BITMAP_BYTES);
  for (const { partNumber } of parts) {
    const at = (partNumber - 1) >>> 3;
    bitmap[at] = (bitmap[at] ?? 0) | (1 << ((partNumber - 1) & 7));
  }
  return bitmap;
}

/** Reads exactly `count` numbers, ascending. Errors: ERR_ENVELOPE_MALFORMED. */
export function decodeNumbers(reader: Reader, count: number): number[] {
  const bitmap = reader.bytes(BITMAP_BYTES);
  const numbers: number[] = [];
  for (let index = 0; index < MAX_PART_NUMBER; index++) {
    if (((bitmap[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0) numbers.push(index + 1);
  }
  if (numbers.length !== count) throw malformed();
  return numbers;
}
