import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  OPEN_FAILED,
  flip,
  newObject,
  pieces,
  plaintextOf,
  sealBody,
  sealMultipart,
} from '../../../test/support/object-fixtures.ts';
import { concatBytes } from '../../crypto/bytes.ts';
import { FOOTER_BLOCK_BYTES } from '../limits.ts';
import { openFooter } from './footer.ts';
import { partTable, planObjectRange } from './part-table.ts';
import { RangeOpener, planRange, type RangeOpenerInput } from './range-plan.ts';
import { BODY_PREFIX_BYTES } from './sizes.ts';

const FIRST = 65536 - 56;
const LENGTH = FIRST + 2 * 65520 + 300;

/** Reads a range of one body as a gateway would: prefix, plan, stored bytes of the plan. */
function readRange(
  object: ReturnType<typeof newObject>,
  body: Uint8Array,
  from: number,
  to: number,
  options: { cuts?: readonly number[]; expect?: RangeOpenerInput['expect'] } = {},
): Uint8Array {
  const expected = options.expect === undefined ? {} : { expect: options.expect };
  const opener = new RangeOpener({ ...object, prefix: body.subarray(0, BODY_PREFIX_BYTES), from, to, ...expected });
  const stored = body.subarray(opener.plan.storedFrom, opener.plan.storedTo);
  const opened = [
    ...pieces(
      stored,
      (options.cuts ?? []).map((cut) => cut % (stored.length + 1)),
    ),
  ].flatMap((piece) => opener.push(piece));
  opener.finish();
  return concatBytes(...opened);
}

describe('ranged reads', () => {
  const object = newObject();
  const plaintext = plaintextOf(LENGTH);
  const { bytes: single } = sealBody(object, plaintext);
  const { bytes: part } = sealBody(object, plaintext, { partNumber: 2 });
  const offsets = fc.oneof(
    fc.nat({ max: LENGTH - 1 }),
    fc.constantFrom(0, FIRST - 1, FIRST, FIRST + 1, FIRST + 65519, FIRST + 65520, LENGTH - 1),
  );

  test('give exactly the range, whatever it is and however it arrives', () => {
    const run = fc.property(offsets, offsets, fc.array(fc.nat(), { maxLength: 4 }), (a, b, cuts) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b) + 1];
      for (const body of [single, part]) {
        expect(Buffer.compare(readRange(object, body, from, to, { cuts }), plaintext.subarray(from, to))).toBe(0);
      }
    });
    fc.assert(run, { numRuns: 150 });
  });

  test('fetch only the segments that hold it', () => {
    const header = { layout: 'single', partNumber: 0, plainLength: LENGTH } as const;
    expect(planRange(header, 0, 1)).toMatchObject({ storedFrom: 104, storedTo: 64 + 65536, firstSegment: 0, skip: 0 });
    expect(planRange(header, FIRST, FIRST + 1)).toMatchObject({
      storedFrom: 64 + 65536,
      storedTo: 64 + 2 * 65536,
      skip: 0,
    });
    expect(planRange(header, LENGTH - 1, LENGTH)).toMatchObject({
      storedFrom: 64 + 3 * 65536,
      storedTo: single.length - 192,
    });
    for (const [from, to] of [
      [0, 0],
      [5, 4],
      [-1, 3],
      [0, LENGTH + 1],
    ] as const)
      expect(() => planRange(header, from, to)).toThrow(RangeError);
  });

  test('a forged length, part number or object id in the header is refused before anything is fetched', () => {
    for (let at = 0; at < 64; at++) {
      expect(() => readRange(object, flip(single, at), 0, 10)).toThrow(expect.objectContaining(OPEN_FAILED));
    }
    expect(() => readRange({ ...object, objectId: plaintextOf(16) }, single, 0, 10)).toThrow(
      expect.objectContaining(OPEN_FAILED),
    );
  });

  test('any changed byte of the stream header or of a segment the range touches is refused', () => {
    const { storedFrom, storedTo } = planRange(
      { layout: 'single', partNumber: 0, plainLength: LENGTH },
      FIRST + 10,
      FIRST + 20,
    );
    const sampled = Array.from({ length: 200 }, (_, i) => storedFrom + Math.floor((i * (storedTo - storedFrom)) / 200));
    for (const at of [...Array(40).keys()].map((i) => 64 + i).concat(sampled, storedTo - 1)) {
      expect(() => readRange(object, flip(single, at), FIRST + 10, FIRST + 20), `byte ${at}`).toThrow(
        expect.objectContaining(OPEN_FAILED),
      );
    }
  });

  test('swapped segments are refused', () => {
    const [s1, s2] = [single.subarray(64 + 65536, 64 + 2 * 65536), single.subarray(64 + 2 * 65536, 64 + 3 * 65536)];
    const swapped = Uint8Array.from(single);
    swapped.set(s2, 64 + 65536);
    swapped.set(s1, 64 + 2 * 65536);
    expect(() => readRange(object, swapped, FIRST, FIRST + 5)).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('missing or surplus stored bytes are refused', () => {
    const opener = () => new RangeOpener({ ...object, prefix: single.subarray(0, 104), from: 0, to: 10 });
    const { storedFrom, storedTo } = opener().plan;
    const short = opener();
    short.push(single.subarray(storedFrom, storedTo - 1));
    expect(() => short.finish()).toThrow(expect.objectContaining(OPEN_FAILED));
    expect(() => opener().push(single.subarray(storedFrom, storedTo + 1))).toThrow(
      expect.objectContaining(OPEN_FAILED),
    );
  });

  test('a body that is not the expected one is refused', () => {
    expect(() => readRange(object, part, 0, 10, { expect: { partNumber: 1 } })).toThrow(
      expect.objectContaining(OPEN_FAILED),
    );
    expect(() => readRange(object, part, 0, 10, { expect: { layout: 'single' } })).toThrow(
      expect.objectContaining(OPEN_FAILED),
    );
    expect(() => readRange(object, single, 0, 10, { expect: { plainLength: LENGTH + 1 } })).toThrow(
      expect.objectContaining(OPEN_FAILED),
    );
    expect(() => readRange(object, single, LENGTH - 1, LENGTH + 1)).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('across the unequal parts of a multipart object give exactly the range', () => {
    const parts = [70_000, 1, 0, 131_000, 5].map((length, i) => ({
      partNumber: i * 2 + 1,
      plaintext: plaintextOf(length),
    }));
    const whole = concatBytes(...parts.map((p) => p.plaintext));
    const stored = concatBytes(...sealMultipart(object, parts));
    const footer = openFooter(stored.subarray(-FOOTER_BLOCK_BYTES), object.dek, object.objectId);
    const table = partTable(footer.parts ?? []);
    expect(table.plainSize).toBe(whole.length);
    const run = fc.property(fc.nat({ max: whole.length - 1 }), fc.nat({ max: whole.length - 1 }), (a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b) + 1];
      const read = planObjectRange(table, from, to).map(({ part: at, ...range }) => {
        const body = stored.subarray(at.storedStart, at.storedStart + at.storedLength);
        return readRange(object, body, range.from, range.to, {
          expect: { layout: 'part', partNumber: at.partNumber, plainLength: at.plainLength },
        });
      });
      expect(Buffer.compare(concatBytes(...read), whole.subarray(from, to))).toBe(0);
    });
    fc.assert(run, { numRuns: 80 });
    expect(() => planObjectRange(table, 0, whole.length + 1)).toThrow(RangeError);
  });
});
