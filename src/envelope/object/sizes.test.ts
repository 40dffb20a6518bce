import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FOOTER_BLOCK_BYTES,
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
  segmentSizeFor,
} from './sizes.ts';

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
  });

  test('a part has at most 512 segments, and uses the smallest step that does so', () => {
    const boundaries = Array.from({ length: 700 }, (_, i) => 512 * (4096 * i - 16) - 40).filter((n) => n >= 0);
    const near = boundaries.flatMap((n) => [n - 1, n, n + 1]).filter((n) => n >= 0);
    for (const plain of [0, 1, SHORT_PART_BYTES, MAX_PART_PLAIN_BYTES, ...near]) {
      const size = segmentSizeFor(plain);
      expect(segmentCount(plain, size)).toBeLessThanOrEqual(MAX_PART_SEGMENTS);
      if (size > MIN_SEGMENT_BYTES) expect(segmentCount(plain, size - 4096)).toBeGreaterThan(MAX_PART_SEGMENTS);
      expect(size % 4096).toBe(0);
    }
  });

  test('a part below 5 MiB always has room for the footer block', () => {
    expect(paddingOf('part', SHORT_PART_BYTES - 1)).toBe(6896);
    expect(paddingOf('part', SHORT_PART_BYTES - 1)).toBeGreaterThanOrEqual(FOOTER_BLOCK_BYTES);
  });

  test('the overhead of a part is a constant', () => {
    expect(PART_OVERHEAD).toBe(64 + 40 + 512 * 16 + 192);
    expect(plainSizeOfMultipart(1000 + 3 * PART_OVERHEAD, 3)).toBe(1000);
    expect(plainSizeOfMultipart(2 * PART_OVERHEAD - 1, 2)).toBeUndefined();
  });
});
