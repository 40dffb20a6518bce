/** A client's part 10 000 of any length: it is always the last, so its segments are counted to leave room for the list in its padding. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { naiveBody, naiveFooter } from '../../../test/support/naive-envelope.ts';
import {
  OPEN_FAILED,
  flip,
  newObject,
  pieces,
  plaintextOf,
  random,
  sealBody,
  sealMultipart,
} from '../../../test/support/object-fixtures.ts';
import { concatBytes } from '../../crypto/bytes.ts';
import { takeKey } from '../../crypto/key-types.ts';
import { FOOTER_BLOCK_BYTES, SHORT_PART_BYTES } from '../limits.ts';
import { BodyOpener } from './body-opener.ts';
import { encodeFooter, openFooter, type Footer } from './footer.ts';
import { ObjectOpener } from './object-opener.ts';
import { encodePartHeader } from './part-header.ts';
import { partTable, planObjectRange } from './part-table.ts';
import { RangeOpener } from './range-plan.ts';
import {
  BODY_PREFIX_BYTES,
  PART_OVERHEAD,
  RECORD_BYTES,
  plainSizeOfMultipart,
  segmentCount,
  segmentSizeOf,
} from './sizes.ts';

const LAST = 10_000;
/** The most that 96 segments of 64 KiB hold. */
const FULLEST = 96 * 65_520 - 40;
const LONG = 6_400_000;
const SEGMENT = segmentSizeOf({ layout: 'part', partNumber: LAST, plainLength: LONG });
const SEGMENTS = segmentCount(LONG, SEGMENT);

type Part = { readonly partNumber: number; readonly plaintext: Uint8Array };
const partOf = (partNumber: number, length: number): Part => ({ partNumber, plaintext: plaintextOf(length) });

function open(object: ReturnType<typeof newObject>, stored: Iterable<Uint8Array>, footer?: Footer): Uint8Array {
  const opener = new ObjectOpener({ ...object, layout: 'multipart', footer });
  const got = [...stored].flatMap((piece) => opener.push(piece));
  opener.finish();
  return concatBytes(...got);
}

const footerOf = ({ dek, objectId }: ReturnType<typeof newObject>, stored: Uint8Array): Footer =>
  openFooter(stored.subarray(-FOOTER_BLOCK_BYTES), dek, objectId);

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe('part 10000', () => {
  test.each([1, SHORT_PART_BYTES - 1, SHORT_PART_BYTES, FULLEST, FULLEST + 1, LONG])(
    'of %i bytes is what the independent encoder writes',
    (length) => {
      const [raw, objectId, salt, noncePrefix, blockSalt] = [random(32), random(16), random(32), random(7), random(32)];
      const plaintext = plaintextOf(length);
      const dek = takeKey('Dek', Uint8Array.from(raw));
      const parts = [{ partNumber: LAST, plainLength: length }];
      const footer = encodeFooter({ parts }, dek, objectId, () => blockSalt);
      const source = (count: number) => (count === 32 ? salt : noncePrefix);
      const { bytes } = sealBody({ dek, objectId }, plaintext, { partNumber: LAST, final: true, footer, source });
      const naive = { dek: raw, objectId, partNumber: LAST, plaintext, final: true, held: false, salt, noncePrefix };
      const block = naiveFooter({ dek: raw, objectId, salt: blockSalt, parts });
      expect(same(bytes, naiveBody({ ...naive, digests: {}, clientChecksum: 0, footer: block }))).toBe(true);
      expect(bytes.length).toBe(length + PART_OVERHEAD);
    },
  );

  test('alone or behind others, of any length, opens whole and by range, however it arrives', () => {
    const lengths = fc.oneof(fc.integer({ min: 1, max: 7_000_000 }), fc.constantFrom(FULLEST, FULLEST + 1, LONG));
    const run = fc.property(
      lengths,
      fc.boolean(),
      fc.boolean(),
      fc.infiniteStream(fc.nat()),
      (length, isAlone, salts, at) => {
        const object = newObject();
        const parts = [...(isAlone ? [] : [partOf(3, 70_000)]), partOf(LAST, length)];
        const bodies = sealMultipart(object, parts, { salts });
        expect(bodies.length).toBe(parts.length);
        const stored = concatBytes(...bodies);
        const whole = concatBytes(...parts.map(({ plaintext }) => plaintext));
        expect(plainSizeOfMultipart(stored.length, bodies.length)).toBe(whole.length);
        const footer = footerOf(object, stored);
        const offset = (below: number): number => (at.next().value ?? 0) % below;
        expect(same(open(object, pieces(stored, [offset(stored.length)]), footer), whole)).toBe(true);
        for (let i = 0; i < 4; i++) {
          const [a, b] = [offset(whole.length), offset(whole.length)];
          expectRange(object, stored, whole, [Math.min(a, b), Math.max(a, b) + 1]);
        }
      },
    );
    fc.assert(run, { numRuns: 15 });
  });

  test('a range costs its segments, and right at their edges it is right', () => {
    const object = newObject();
    const part = partOf(LAST, LONG);
    const stored = concatBytes(...sealMultipart(object, [part]));
    for (const edge of [1, 2, SEGMENTS - 1].map((index) => index * (SEGMENT - 16) - 40))
      for (const range of [
        [edge - 1, edge],
        [edge, edge + 1],
        [edge - 1, edge + 1],
        [LONG - 1, LONG],
      ] as const)
        expectRange(object, stored, part.plaintext, range);
    const prefix = stored.subarray(0, BODY_PREFIX_BYTES);
    const { plan } = new RangeOpener({ ...object, prefix, from: LONG - 1, to: LONG });
    expect(plan.storedTo - plan.storedFrom).toBeLessThanOrEqual(SEGMENT);
    expect(plan.storedTo).toBe(stored.length - FOOTER_BLOCK_BYTES - RECORD_BYTES - 16 * (96 - SEGMENTS));
  });

  test('cut anywhere it is not whole, and never gives out its end', () => {
    const object = newObject();
    const { plaintext } = partOf(LAST, LONG);
    const stored = concatBytes(...sealMultipart(object, [{ partNumber: LAST, plaintext }]));
    const footer = footerOf(object, stored);
    const opener = new ObjectOpener({ ...object, layout: 'multipart', footer });
    let given = 0;
    const isEdge = (at: number): boolean =>
      at < 200 ||
      at > stored.length - FOOTER_BLOCK_BYTES - 400 ||
      (at - 64) % SEGMENT < 20 ||
      (at - 64) % SEGMENT > SEGMENT - 20;
    for (let at = 0; at < stored.length;) {
      const end = isEdge(at) ? at + 1 : Math.min(stored.length, at + 97);
      for (const piece of opener.push(stored.subarray(at, end))) {
        if (!same(piece, plaintext.subarray(given, given + piece.length))) expect({ at, given }).toBe('right');
        given += piece.length;
      }
      at = end;
      if (at === stored.length) break;
      let finished = true;
      try {
        opener.finish();
      } catch {
        finished = false;
      }
      if (finished || given >= LONG) expect({ at, finished, given }).toBe('neither whole nor all given out');
    }
    opener.finish();
    expect(given).toBe(LONG);
  });

  test('changed anywhere it does not open, and never gives out all of it or anything else', () => {
    const object = newObject();
    const parts = [partOf(2, 300), partOf(LAST, LONG)];
    const bodies = sealMultipart(object, parts);
    const stored = concatBytes(...bodies);
    const whole = concatBytes(...parts.map(({ plaintext }) => plaintext));
    const start = bodies[0]?.length ?? 0;
    const prefix = Array.from({ length: BODY_PREFIX_BYTES }, (_, at) => start + at);
    const segments = Array.from({ length: SEGMENTS }, (_, index) => start + 64 + index * SEGMENT).flatMap((at) => [
      at + 40,
      at + 41 + SEGMENT / 2,
      at - 1,
    ]);
    const tail = Array.from({ length: 60 }, (_, index) => stored.length - 1 - index * 115);
    for (const at of [...prefix, ...segments.filter((place) => place > start && place < stored.length), ...tail]) {
      const outcome = readForged(object, flip(stored, at), whole, footerOf(object, stored));
      if (outcome !== 'refused') expect({ at, outcome }).toBe('refused');
    }
  });

  test('is refused where its header says that something follows, and a long last part of another number', () => {
    const object = newObject();
    const header = {
      layout: 'part',
      partNumber: LAST,
      final: false,
      plainLength: 5,
      objectId: object.objectId,
    } as const;
    expect(() => encodePartHeader(header, object.dek)).toThrow(RangeError);
    const { plaintext } = partOf(LAST - 1, LONG);
    const footer = encodeFooter(
      { parts: [{ partNumber: LAST - 1, plainLength: LONG }] },
      object.dek,
      object.objectId,
      random,
    );
    expect(() => sealBody(object, plaintext, { partNumber: LAST - 1, final: true, footer })).toThrow(RangeError);
  });

  test('as it is held it has the segments of any held part, and does not pass for the part', () => {
    const object = newObject();
    const { plaintext } = partOf(LAST, LONG);
    const { bytes } = sealBody(object, plaintext, { partNumber: LAST, held: true });
    const opener = new BodyOpener({ ...object, expect: { layout: 'held', partNumber: LAST, plainLength: LONG } });
    expect(same(concatBytes(...opener.push(bytes)), plaintext)).toBe(true);
    opener.finish();
    expect(readForged(object, bytes, plaintext, undefined)).toBe('refused');
  });

  test('of an earlier attempt does not pass where the list knows the salts', () => {
    const object = newObject();
    const parts = [partOf(1, 300), partOf(LAST, LONG)];
    const bodies = sealMultipart(object, parts);
    const footer = footerOf(object, concatBytes(...bodies));
    const earlier = sealMultipart(object, parts).at(-1) ?? random(1);
    const block = bodies.at(-1)?.subarray(-FOOTER_BLOCK_BYTES) ?? random(1);
    const whole = concatBytes(...parts.map(({ plaintext }) => plaintext));
    for (const last of [earlier, concatBytes(earlier.subarray(0, -FOOTER_BLOCK_BYTES), block)])
      expect(readForged(object, concatBytes(bodies[0] ?? random(1), last), whole, footer)).toBe('refused');
  });
});

function expectRange(
  object: ReturnType<typeof newObject>,
  stored: Uint8Array,
  whole: Uint8Array,
  [from, to]: readonly [number, number],
): void {
  const table = partTable(footerOf(object, stored).parts ?? []);
  const got = planObjectRange(table, from, to).flatMap(({ part, ...range }) => {
    const body = stored.subarray(part.storedStart, part.storedStart + part.storedLength);
    const { partNumber, plainLength } = part;
    const opener = new RangeOpener({
      ...object,
      prefix: body.subarray(0, BODY_PREFIX_BYTES),
      ...range,
      expect: { partNumber, plainLength },
    });
    const opened = opener.push(body.subarray(opener.plan.storedFrom, opener.plan.storedTo));
    opener.finish();
    return opened;
  });
  expect(same(concatBytes(...got), whole.subarray(from, to))).toBe(true);
}

function readForged(
  object: ReturnType<typeof newObject>,
  forged: Uint8Array,
  whole: Uint8Array,
  footer: Footer | undefined,
): string {
  let given = 0;
  try {
    const opener = new ObjectOpener({ ...object, layout: 'multipart', footer });
    for (let at = 0; at < forged.length; at += 65_536)
      for (const piece of opener.push(forged.subarray(at, at + 65_536))) {
        if (!same(piece, whole.subarray(given, given + piece.length))) return 'other bytes';
        given += piece.length;
      }
    opener.finish();
    return 'whole';
  } catch (error) {
    if ((error as { code?: unknown }).code !== OPEN_FAILED.code) throw error;
    return given < whole.length ? 'refused' : 'all given out';
  }
}
