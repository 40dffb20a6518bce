/** Where each part of a multipart object lies, in plaintext and as stored; and which parts a range touches. */
import type { FooterPart } from './part-runs.ts';
import { PART_OVERHEAD } from './sizes.ts';

export type PlacedPart = FooterPart & {
  /** Offsets in the object. */
  readonly plainStart: number;
  readonly storedStart: number;
  readonly storedLength: number;
};

export type PartTable = { readonly parts: readonly PlacedPart[]; readonly plainSize: number };

/** A range of one part's plaintext; `to` is exclusive. */
export type PartRange = { readonly part: PlacedPart; readonly from: number; readonly to: number };

/** The table of the parts a footer lists (the footer part, if any, follows the last). */
export function partTable(parts: readonly FooterPart[]): PartTable {
  const placed: PlacedPart[] = [];
  let plainStart = 0;
  let storedStart = 0;
  for (const { partNumber, plainLength } of parts) {
    const storedLength = plainLength + PART_OVERHEAD;
    placed.push({ partNumber, plainLength, plainStart, storedStart, storedLength });
    plainStart += plainLength;
    storedStart += storedLength;
  }
  return { parts: placed, plainSize: plainStart };
}

/** The parts that hold plaintext bytes `from` to `to` (exclusive) of the object, in order. Precondition: 0 <= from < to <= plainSize. */
export function planObjectRange(table: PartTable, from: number, to: number): PartRange[] {
  if (!(from >= 0 && from < to && to <= table.plainSize)) throw new RangeError('the range is not within the object');
  const ranges: PartRange[] = [];
  for (let i = firstPartAt(table, from); i < table.parts.length; i++) {
    const part = table.parts[i];
    if (part === undefined || part.plainStart >= to) break;
    const start = Math.max(0, from - part.plainStart);
    const end = Math.min(part.plainLength, to - part.plainStart);
    if (start < end) ranges.push({ part, from: start, to: end });
  }
  return ranges;
}

/** Binary search: the first part that ends after `offset`. */
function firstPartAt(table: PartTable, offset: number): number {
  let low = 0;
  let high = table.parts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const part = table.parts[middle];
    if (part !== undefined && part.plainStart + part.plainLength <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
