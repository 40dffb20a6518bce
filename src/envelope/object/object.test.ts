import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { naiveFooter } from '../../../test/support/naive-envelope.ts';
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
import {
  FOOTER_PART_NUMBER,
  encodeFooter,
  isFooterPart,
  matchesParts,
  openFooter,
  sealFooterPart,
  type Footer,
} from './footer.ts';
import { ObjectOpener } from './object-opener.ts';
import { PART_OVERHEAD, plainSizeOfMultipart } from './sizes.ts';

const partsOf = (lengths: readonly number[], step = 1) =>
  lengths.map((length, i) => ({ partNumber: i * step + 1, plaintext: plaintextOf(length) }));

function open(object: ReturnType<typeof newObject>, stored: Iterable<Uint8Array>, footer?: Footer) {
  const opener = new ObjectOpener({ ...object, layout: 'multipart', footer });
  const got = [...stored].flatMap((piece) => opener.push(piece));
  return { plaintext: concatBytes(...got), ...opener.finish() };
}

describe('footer', () => {
  test('is what the independent encoder writes, for any parts', () => {
    const list = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(0, 5_242_880, 8_388_608, 77, 2 ** 32)),
      { minLength: 1, maxLength: 60 },
    );
    const kinds = fc.constantFrom(
      { algorithm: 'crc64nvme', type: 'FULL_OBJECT', code: 3, bytes: 8 } as const,
      { algorithm: 'sha512', type: 'COMPOSITE', code: 7, bytes: 64 } as const,
      { algorithm: 'xxhash128', type: 'COMPOSITE', code: 10, bytes: 16 } as const,
    );
    const run = fc.property(list, fc.boolean(), kinds, (steps, hasSalts, { algorithm, type, code, bytes }) => {
      const [raw, objectId, salt] = [random(32), random(16), random(32)];
      let partNumber = 0;
      const parts = steps.map(([step, plainLength]) => ({ partNumber: (partNumber += step), plainLength }));
      const salts = hasSalts ? parts.map(() => random(8)) : undefined;
      const value = random(bytes);
      const dek = takeKey('Dek', Uint8Array.from(raw));
      const checksum = { algorithm, type, value };
      const composite = type === 'COMPOSITE';
      const block = encodeFooter({ parts, salts, checksum }, dek, objectId, () => salt);
      expect(block).toEqual(
        naiveFooter({ dek: raw, objectId, salt, parts, salts, checksum: { code, composite, value } }),
      );
      const footer = openFooter(block, dek, objectId);
      expect(footer).toMatchObject({ parts, checksum, partCount: parts.length });
      expect(matchesParts(footer, parts, salts)).toBe(true);
    });
    fc.assert(run, { numRuns: 100 });
  });

  test('holds 9999 equal parts, and 1000 that all differ; beyond it keeps the digest, and where to begin to look', () => {
    const object = newObject();
    const footerOf = (lengths: readonly number[]) => {
      const parts = lengths.map((plainLength, i) => ({ partNumber: i + 1, plainLength }));
      const block = encodeFooter({ parts }, object.dek, object.objectId, random);
      expect(block.length).toBe(FOOTER_BLOCK_BYTES);
      return { parts, footer: openFooter(block, object.dek, object.objectId) };
    };
    const equal = footerOf(Array(9999).fill(8_388_608));
    expect(equal.footer.parts).toEqual(equal.parts);
    const differing = footerOf(Array.from({ length: 1000 }, (_, i) => 100_000_000 + i));
    expect(differing.footer.parts).toEqual(differing.parts);
    const many = footerOf(Array.from({ length: 9999 }, (_, i) => 100_000_000 + i));
    expect(many.footer.parts).toBeUndefined();
    expect(many.footer.groups?.size).toBe(10);
    expect(many.footer.partNumbers).toEqual(many.parts.map((p) => p.partNumber));
    expect(matchesParts(many.footer, many.parts)).toBe(true);
    expect(matchesParts(many.footer, [...many.parts.slice(0, -1), { partNumber: 9999, plainLength: 1 }])).toBe(false);
  });

  test('lists as many parts as fit to the byte, and the numbers of one more', () => {
    const [raw, objectId, salt] = [random(32), random(16), random(32)];
    const dek = takeKey('Dek', Uint8Array.from(raw));
    const seen = new Set<boolean>();
    // Runs of 6 bytes with lengths of 4: then of 5, byte by byte across the limit of 6494.
    for (let longer = 0; longer <= 8; longer++) {
      const parts = Array.from({ length: 1081 }, (_, i) => ({
        partNumber: i + 1,
        plainLength: 100_000_000 + i + (i < longer ? 400_000_000 : 0),
      }));
      const block = encodeFooter({ parts }, dek, objectId, () => salt);
      expect(block).toEqual(naiveFooter({ dek: raw, objectId, salt, parts }));
      const footer = openFooter(block, dek, objectId);
      expect(footer.parts).toEqual(parts);
      seen.add(footer.groups === undefined);
    }
    expect(seen).toEqual(new Set([true, false]));
  });

  test('has groups as the independent encoder has them, for any lengths too many to list', () => {
    const lengths = fc.tuple(fc.integer({ min: 1200, max: 9999 }), fc.constantFrom(1, 100, 65_536), fc.nat());
    const run = fc.property(lengths, ([count, scale, seed]) => {
      const [raw, objectId, salt] = [random(32), random(16), random(32)];
      const dek = takeKey('Dek', Uint8Array.from(raw));
      const parts = Array.from({ length: count }, (_, i) => ({
        partNumber: i + 1,
        plainLength: 5_242_880 + ((i * 7919 + seed) % 65_521) * scale,
      }));
      const block = encodeFooter({ parts }, dek, objectId, () => salt);
      expect(Buffer.compare(block, naiveFooter({ dek: raw, objectId, salt, parts }))).toBe(0);
      const { groups, parts: listed, plainSize } = openFooter(block, dek, objectId);
      const { size = 0, lengths: sums = [] } = groups ?? {};
      expect(sums.length).toBe(Math.ceil(count / size) - 1);
      const sum = (from: number, to?: number): number =>
        parts.slice(from, to).reduce((total, part) => total + part.plainLength, 0);
      expect(sums[3] ?? sum(3 * size)).toBe(sum(3 * size, 4 * size));
      expect(plainSize).toBe(sum(0));
      expect(listed).toEqual(size === 1 ? parts : undefined);
    });
    fc.assert(run, { numRuns: 10 });
  });

  test('written before there were groups opens: then the first header is where to begin', () => {
    const [raw, objectId, salt] = [random(32), random(16), random(32)];
    const dek = takeKey('Dek', Uint8Array.from(raw));
    const parts = Array.from({ length: 2000 }, (_, i) => ({ partNumber: i + 1, plainLength: 5_242_880 + 7919 * i }));
    const footer = openFooter(naiveFooter({ dek: raw, objectId, salt, parts, withoutGroups: true }), dek, objectId);
    expect([footer.parts, footer.groups]).toEqual([undefined, undefined]);
    expect(matchesParts(footer, parts)).toBe(true);
  });

  test('is read from a longer tail, and not from a shorter one', () => {
    const { dek, objectId } = newObject();
    const part = sealFooterPart({ parts: [{ partNumber: 1, plainLength: 5 }] }, dek, objectId, random);
    expect(part.length).toBe(PART_OVERHEAD);
    expect(openFooter(part, dek, objectId).parts).toEqual([{ partNumber: 1, plainLength: 5 }]);
    expect(() => openFooter(part.subarray(-FOOTER_BLOCK_BYTES + 1), dek, objectId)).toThrow(
      expect.objectContaining(OPEN_FAILED),
    );
  });

  test('does not open with any byte changed, nor for another object', () => {
    const { dek, objectId } = newObject();
    const block = encodeFooter({ parts: [{ partNumber: 1, plainLength: 5 }] }, dek, objectId, random);
    for (let at = 0; at < block.length; at += at < 60 ? 1 : 37) {
      expect(() => openFooter(flip(block, at), dek, objectId)).toThrow(expect.objectContaining(OPEN_FAILED));
    }
    expect(() => openFooter(block, dek, random(16))).toThrow(expect.objectContaining(OPEN_FAILED));
    expect(() => openFooter(block, newObject().dek, objectId)).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('refuses parts no object can have', () => {
    const { dek, objectId } = newObject();
    const bad = [[], [2, 1], [1, 1], [0], [10_001], [10_000]].map((numbers) =>
      numbers.map((partNumber) => ({ partNumber, plainLength: 0 })),
    );
    for (const parts of bad) expect(() => encodeFooter({ parts }, dek, objectId, random)).toThrow(RangeError);
  });
});

describe('multipart object', () => {
  test.each([
    { name: 'a short last part that carries the list', footerPart: false },
    { name: 'a footer part', footerPart: true },
  ])('opens whole with $name, however it arrives', ({ footerPart }) => {
    const run = fc.property(
      fc.array(fc.constantFrom(0, 1, 1000, 65_480, 70_000), { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      (lengths, cuts) => {
        const object = newObject();
        const parts = partsOf(lengths, 3);
        const bodies = sealMultipart(object, parts, { footerPart });
        const stored = concatBytes(...bodies);
        const footer = openFooter(stored.subarray(-FOOTER_BLOCK_BYTES), object.dek, object.objectId);
        const opened = open(
          object,
          pieces(
            stored,
            cuts.map((cut) => cut % stored.length),
          ),
          footer,
        );
        expect(Buffer.compare(opened.plaintext, concatBytes(...parts.map((p) => p.plaintext)))).toBe(0);
        expect(opened.plainSize).toBe(opened.plaintext.length);
        expect(plainSizeOfMultipart(stored.length, bodies.length)).toBe(opened.plainSize);
        expect(opened.footer?.parts?.map((p) => p.partNumber)).toEqual(parts.map((p) => p.partNumber));
      },
    );
    fc.assert(run, { numRuns: 30 });
  });

  test('opens split at every point of a small object', () => {
    const object = newObject();
    const parts = partsOf([40, 30]);
    const stored = concatBytes(...sealMultipart(object, parts));
    const whole = concatBytes(...parts.map((p) => p.plaintext));
    for (let cut = 0; cut < stored.length; cut += cut % PART_OVERHEAD < 400 ? 1 : 101) {
      expect(open(object, pieces(stored, [cut])).plaintext).toEqual(whole);
    }
  });

  test('a last part of 5 MiB or more is followed by a footer part; the sealer refuses to put the list into it', () => {
    const object = newObject();
    const parts = partsOf([SHORT_PART_BYTES]);
    const bodies = sealMultipart(object, parts);
    expect(bodies.length).toBe(2);
    expect(open(object, bodies).plainSize).toBe(SHORT_PART_BYTES);
    const block = encodeFooter({ parts: [{ partNumber: 1, plainLength: 1 }] }, object.dek, object.objectId, random);
    expect(() =>
      sealBody(object, parts[0]?.plaintext ?? random(1), { partNumber: 1, final: true, footer: block }),
    ).toThrow(RangeError);
  });

  test('the longest short part carries the list', () => {
    const object = newObject();
    const parts = partsOf([10, SHORT_PART_BYTES - 1]);
    expect(open(object, sealMultipart(object, parts)).plainSize).toBe(SHORT_PART_BYTES + 9);
  });

  test('the footer part is no part of the client', () => {
    expect(isFooterPart({ partNumber: FOOTER_PART_NUMBER, final: true, plainLength: 0 })).toBe(true);
    expect(isFooterPart({ partNumber: FOOTER_PART_NUMBER, final: true, plainLength: 1 })).toBe(false);
    expect(isFooterPart({ partNumber: 9999, final: true, plainLength: 0 })).toBe(false);
  });

  test('a held part opens as itself, and never passes for a part of the object', () => {
    const object = newObject();
    const [first, second] = partsOf([100, 50]).map((p) => p.plaintext);
    const held = sealBody(object, second ?? random(1), { partNumber: 2, held: true }).bytes;
    const opener = new BodyOpener({ ...object, expect: { layout: 'held', partNumber: 2 } });
    expect(concatBytes(...opener.push(held))).toEqual(second);
    const other = sealBody(object, first ?? random(1), { partNumber: 1 }).bytes;
    expect(() => open(object, [other, held])).toThrow(expect.objectContaining(OPEN_FAILED));
    const expected = new BodyOpener({ ...object, expect: { layout: 'part' } });
    expect(() => expected.push(held)).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('numbers with gaps want the footer first, because a gap may be a part taken out', () => {
    const object = newObject();
    const stored = sealMultipart(object, partsOf([10, 20], 2));
    const footer = openFooter(stored.at(-1) ?? random(1), object.dek, object.objectId);
    expect(open(object, stored, footer).plainSize).toBe(30);
    expect(() => open(object, stored)).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('opens with more differing parts than the footer can list', () => {
    const object = newObject();
    const lengths = Array.from({ length: 1400 }, (_, i) => 200 + ((i * 7919) % 1401));
    const parts = lengths.map((length, i) => ({ partNumber: i * 2 + 1, plaintext: new Uint8Array(length).fill(i) }));
    const stored = sealMultipart(object, parts);
    const footer = openFooter(stored.at(-1) ?? random(1), object.dek, object.objectId);
    expect(footer.parts?.length ?? footer.partNumbers.length).toBe(1400);
    expect(open(object, stored, footer).plaintext.length).toBe(lengths.reduce((a, b) => a + b));
    expect(() => open(object, stored.toSpliced(3, 1), footer)).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('layouts do not pass for one another', () => {
    const object = newObject();
    const single = sealBody(object, plaintextOf(10)).bytes;
    expect(() => open(object, [single])).toThrow(expect.objectContaining(OPEN_FAILED));
    const opener = new ObjectOpener({ ...object, layout: 'single' });
    expect(() => opener.push(concatBytes(...sealMultipart(object, partsOf([10]))))).toThrow(
      expect.objectContaining(OPEN_FAILED),
    );
  });
});
