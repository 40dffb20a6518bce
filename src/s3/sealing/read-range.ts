/**
 * A range of a sealed object whose layout is known: one read from the backend that covers it, plus one of 104 bytes where the header of
 * the first part is neither remembered nor near. Only verified segments leave.
 */
import { planRange } from '../../envelope/object/range-plan.ts';
import { planObjectRange, type PartRange } from '../../envelope/object/part-table.ts';
import { BODY_PREFIX_BYTES, segmentSizeOf } from '../../envelope/object/sizes.ts';
import type { ByteSource } from '../bodies/byte-source.ts';
import { freeBytes } from '../bodies/spent-bytes.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { ObjectKey } from './data-key.ts';
import { fetchPinned, fetchStored, type StoredAnswer } from './fetch-stored.ts';
import { FIRST_READ_BYTES } from './limits.ts';
import { bodyShape, type ObjectLayout } from './object-layout.ts';
import type { ByteRange } from './range-header.ts';
import { RangeReader } from './range-reader.ts';
import { asOpeningError } from './sealed-errors.ts';
import { opened, segmentRoom, type SegmentRoom } from './segment-room.ts';

/** Which stored bytes to read for a range of plaintext, and what they are. Offsets are those of the object; `storedTo` is inclusive. */
export type StoredRange = {
  readonly storedFrom: number;
  readonly storedTo: number;
  readonly parts: readonly PartRange[];
};

/** Precondition: the range lies within the plaintext. */
export function planStored(layout: ObjectLayout, range: ByteRange): StoredRange {
  const parts = planObjectRange(layout, range.from, range.to + 1);
  const [first, last] = [parts[0], parts.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('an empty range has no bytes');
  const start = first.part.storedStart + planOf(layout, first).storedFrom;
  const isNear = start - first.part.storedStart <= FIRST_READ_BYTES;
  const known = layout.prefixes.has(first.part.partNumber);
  return {
    storedFrom: !known && isNear ? first.part.storedStart : start,
    storedTo: last.part.storedStart + planOf(layout, last).storedTo - 1,
    parts,
  };
}

const planOf = (layout: ObjectLayout, { part, from, to }: PartRange): ReturnType<typeof planRange> =>
  planRange(bodyShape(layout, part), from, to);

/** Reads the header of the range's first part where the planned bytes do not begin with it. */
export async function ensurePrefix(
  request: S3Request,
  gateway: GatewayContext,
  stored: Pick<StoredAnswer, 'key' | 'versionId' | 'etag' | 'storedSize'>,
  layout: ObjectLayout,
  plan: StoredRange,
): Promise<void> {
  const part = plan.parts[0]?.part;
  if (part === undefined || layout.prefixes.has(part.partNumber) || plan.storedFrom === part.storedStart) return;
  const range = { from: part.storedStart, to: part.storedStart + BODY_PREFIX_BYTES - 1 };
  layout.prefixes.set(part.partNumber, await fetchStored(request, gateway, stored, range));
}

export const fetchPlanned = (
  request: S3Request,
  gateway: GatewayContext,
  stored: Pick<StoredAnswer, 'key' | 'versionId' | 'etag' | 'storedSize'>,
  plan: StoredRange,
): ReturnType<typeof fetchPinned> =>
  fetchPinned(request, gateway, stored, { from: plan.storedFrom, to: plan.storedTo });

/** What opening it needs beside the common share: to be taken before the answer begins. */
export function roomForRange(
  request: S3Request,
  gateway: GatewayContext,
  layout: ObjectLayout,
  plan: StoredRange,
): Promise<SegmentRoom> {
  const largest = plan.parts.reduce((most, { part }) => Math.max(most, segmentSizeOf(bodyShape(layout, part))), 0);
  return segmentRoom(gateway, request, largest);
}

/** The range's plaintext, from stored bytes that begin at `plan.storedFrom`. */
export const openRange = (
  source: ByteSource,
  layout: ObjectLayout,
  plan: StoredRange,
  key: ObjectKey,
  room: SegmentRoom,
): ByteSource => ({
  pour: async (take) => {
    const reader = new RangeReader(layout, plan, key);
    const push = (chunk: Uint8Array, out: Uint8Array[]): void => {
      reader.push(chunk, out);
      // What was decrypted of it is a copy.
      freeBytes(chunk);
    };
    try {
      await source.pour(opened(push, take, room));
      reader.finish();
    } catch (error) {
      throw asOpeningError(error);
    } finally {
      room.giveBack();
    }
  },
});
