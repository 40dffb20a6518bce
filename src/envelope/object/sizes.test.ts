import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FOOTER_BLOCK_BYTES,
  MAX_LAST_PART_SEGMENTS,
  MAX_PART_SEGMENTS,
  MIN_SEGMENT_BYTES,
  S3_MAX_PUT_BYTES,
  SHORT_PART_BYTES,
} from '../limits.ts';
import {
  MAX_PART_PLAIN_BYTES,
  MAX_PUT_PLAIN_BYTES,
  PART_OVERHEAD,
  paddingOf,
  plainSize,
  plainSizeOfMultipart,
  sealedSize,
  segmentCount,
  segmentSizeOf,
} from './sizes.ts';

const part = (plainLength: number, partNumber = 1) => ({ layout: 'part', partNumber, plainLength }) as const;

describe('size arithmetic', () => {
  test('inverts for every length up to four segments, and no other stored size inverts', () => {
    const stored = new Map<number, number>();
    for (let plain = 0; plain <= 4 * MIN_SEGMENT_BYTES; plain++) stored.set(sealedSize(plain), plain);
    for (let size = 0; size <= sealedSize(4 * MIN_SEGMENT_BYTES); size++) {
      if (plainSize(size) !== stored.get(size))
        expect({ size, plain: plainSize(size) }).toEqual({ size, plain: stored.get(size) });
    }
  });

  test('inverts for any length up to the limits', () => {
    const run = fc.property(fc.integer({ min: 0, max: MAX_PUT_PLAIN_BYTES }), (plain) => {
      expect(plainSize(sealedSize(plain))).toBe(plain);
    });
    fc.assert(run, { numRuns: 500 });
    expect(sealedSize(MAX_PUT_PLAIN_BYTES)).toBe(S3_MAX_PUT_BYTES);
    expect(S3_MAX_PUT_BYTES - MAX_PUT_PLAIN_BYTES).toBe(1_311_016);
  });

  test.each([
    ['a part', 9999, MAX_PART_SEGMENTS, 512],
    ['part 10000', 10_000, MAX_LAST_PART_SEGMENTS, 96],
  ] as const)('%s has at most %4$i segments, and uses the smallest step that does so', (_name, number, most, said) => {
    expect(most).toBe(said);
    const boundaries = Array.from({ length: 700 }, (_, i) => most * (4096 * i - 16) - 40).filter((n) => n >= 0);
    const near = boundaries.flatMap((n) => [n - 1, n, n + 1]).filter((n) => n >= 0);
    for (const plain of [0, 1, SHORT_PART_BYTES, MAX_PART_PLAIN_BYTES, ...near]) {
      const size = segmentSizeOf(part(plain, number));
      expect(segmentCount(plain, size)).toBeLessThanOrEqual(most);
      if (size > MIN_SEGMENT_BYTES) expect(segmentCount(plain, size - 4096)).toBeGreaterThan(most);
      expect(size % 4096).toBe(0);
    }
  });

  test('part 10000 always has room for the footer block, and below 6 MiB the sizes of any other part', () => {
    const run = fc.property(fc.integer({ min: 0, max: MAX_PART_PLAIN_BYTES }), (plain) => {
      expect(paddingOf(part(plain, 10_000))).toBeGreaterThanOrEqual(FOOTER_BLOCK_BYTES);
    });
    fc.assert(run, { numRuns: 1000 });
    const fullest = MAX_LAST_PART_SEGMENTS * (MIN_SEGMENT_BYTES - 16) - 40;
    expect(paddingOf(part(fullest, 10_000))).toBe(FOOTER_BLOCK_BYTES);
    expect(segmentSizeOf(part(fullest, 10_000))).toBe(MIN_SEGMENT_BYTES);
    expect(segmentSizeOf(part(fullest + 1, 10_000))).toBe(MIN_SEGMENT_BYTES + 4096);
    expect(segmentSizeOf(part(MAX_PART_PLAIN_BYTES, 10_000))).toBe(55_926_784);
    for (const layout of ['single', 'held'] as const)
      expect(segmentSizeOf({ layout, partNumber: 10_000, plainLength: fullest + 1 })).toBe(MIN_SEGMENT_BYTES);
  });

  test('a part below 5 MiB always has room for the footer block', () => {
    expect(paddingOf(part(SHORT_PART_BYTES - 1))).toBe(6896);
    expect(paddingOf(part(SHORT_PART_BYTES - 1))).toBeGreaterThanOrEqual(FOOTER_BLOCK_BYTES);
  });

  test('the overhead of a part is a constant', () => {
    expect(PART_OVERHEAD).toBe(64 + 40 + 512 * 16 + 192);
    expect(plainSizeOfMultipart(1000 + 3 * PART_OVERHEAD, 3)).toBe(1000);
    expect(plainSizeOfMultipart(2 * PART_OVERHEAD - 1, 2)).toBeUndefined();
  });
});
