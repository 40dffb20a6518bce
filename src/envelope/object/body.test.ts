import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { naiveBody } from '../../../test/support/naive-envelope.ts';
import {
  OPEN_FAILED,
  flip,
  newObject,
  pieces,
  plaintextOf,
  random,
  sealBody,
} from '../../../test/support/object-fixtures.ts';
import { concatBytes } from '../../crypto/bytes.ts';
import { takeKey } from '../../crypto/key-types.ts';
import { BodyOpener } from './body-opener.ts';
import { BodySealer } from './body-sealer.ts';
import { encodePartHeader } from './part-header.ts';
import { CHECKSUMS, openRecord, type BodyDigests } from './record.ts';
import { sealOnce } from './subkeys.ts';
import { BODY_PREFIX_BYTES, PART_OVERHEAD, sealedSize } from './sizes.ts';

const SEGMENT = 65536;
const FIRST = SEGMENT - 56;
const NEXT = SEGMENT - 16;
const LENGTHS = [0, 1, 100, FIRST - 1, FIRST, FIRST + 1, FIRST + NEXT - 1, FIRST + NEXT, FIRST + NEXT + 1, 200_000];
const drawn = Object.fromEntries(CHECKSUMS.map(({ name, bytes }) => [name, Uint8Array.from(random(bytes))]));
/** Those that have a place of their own in the record. */
const digests: BodyDigests = Object.fromEntries(Object.entries(drawn).slice(0, 6));

function open(object: ReturnType<typeof newObject>, stored: Iterable<Uint8Array>) {
  const opener = new BodyOpener(object);
  const plaintext = [...stored].flatMap((piece) => opener.push(piece));
  return { record: opener.finish(), plaintext: concatBytes(...plaintext), opener };
}

describe('sealed body', () => {
  test.each(LENGTHS)('of %i bytes is what the independent encoder writes, as single, part and held', (length) => {
    const [raw, objectId, salt, noncePrefix, plaintext] = [
      random(32),
      random(16),
      random(32),
      random(7),
      plaintextOf(length),
    ];
    const dek = takeKey('Dek', Uint8Array.from(raw));
    const source = (count: number) => (count === 32 ? salt : noncePrefix);
    for (const { partNumber, held } of [
      { partNumber: 0, held: false },
      { partNumber: 258, held: false },
      { partNumber: 3, held: true },
    ]) {
      const record = { digests, clientChecksum: 'crc64nvme' } as const;
      const { bytes } = sealBody({ dek, objectId }, plaintext, { partNumber, held, record, source });
      const common = { objectId, partNumber, plaintext, held, salt, noncePrefix, digests, clientChecksum: 3 };
      expect(Buffer.compare(bytes, naiveBody({ ...common, dek: raw, final: partNumber === 0 }))).toBe(0);
      expect(bytes.length).toBe(partNumber === 258 ? length + PART_OVERHEAD : sealedSize(length));
      const opened = open({ dek, objectId }, [bytes]);
      expect(Buffer.compare(opened.plaintext, plaintext)).toBe(0);
      expect(opened.record).toEqual({ digests, clientChecksum: 'crc64nvme' });
    }
  });

  test.each(CHECKSUMS.slice(6))('keeps $name, of $bytes bytes, as the independent encoder does', ({ name }) => {
    const [raw, objectId, salt, noncePrefix] = [random(32), random(16), random(32), random(7)];
    const object = { dek: takeKey('Dek', Uint8Array.from(raw)), objectId };
    const source = (count: number) => (count === 32 ? salt : noncePrefix);
    const value = drawn[name] ?? new Uint8Array(0);
    const code = CHECKSUMS.findIndex((row) => row.name === name) + 1;
    const naive = { dek: raw, objectId, partNumber: 0, plaintext: plaintextOf(100), final: true, held: false };
    for (const clientChecksum of [name, 'sha256', undefined] as const) {
      const record = { digests: { ...digests, [name]: value }, ...(clientChecksum && { clientChecksum }) };
      const { bytes } = sealBody(object, naive.plaintext, { record, source });
      const shown = CHECKSUMS.findIndex((row) => row.name === clientChecksum) + 1;
      const said = { digests, clientChecksum: shown, later: { code, value } };
      expect(Buffer.compare(bytes, naiveBody({ ...naive, ...said, salt, noncePrefix }))).toBe(0);
      expect(open(object, [bytes]).record).toEqual(record);
    }
    const both = { digests: { sha512: new Uint8Array(64), xxhash3: new Uint8Array(8) } };
    expect(() => sealBody(object, naive.plaintext, { record: both })).toThrow(RangeError);
  });

  test.each([
    ['a later checksum in the format without', { code: 7, format: 1 }],
    ['none in the format with', { code: 0, format: 2 }],
    ['one that has a place of its own', { code: 6, format: 2 }],
    ['one that is not known', { code: 11, format: 2 }],
    ['a format of the future', { code: 7, format: 3 }],
    ['bytes behind its value', { code: 8, format: 2 }],
  ])('a record with %s does not open', (_what, { code, format }) => {
    const [raw, objectId, salt, header] = [random(32), random(16), random(32), random(64)];
    const place = { dek: takeKey('Dek', Uint8Array.from(raw)), objectId, salt, header, plainLength: 100 };
    const record = (bytes: readonly number[]) => {
      const plain = Uint8Array.from([
        format,
        0,
        0,
        code,
        ...[0, 0, 0, 0, 0, 0, 0, 100],
        ...Array(84).fill(0),
        ...bytes,
      ]);
      const sealed = new Uint8Array(176);
      sealed.set(plain);
      return sealOnce({ ...place, purpose: 'record', binding: header }, sealed);
    };
    expect(() => openRecord(record(Array(64).fill(9)), place)).toThrow(
      expect.objectContaining({ code: 'ERR_ENVELOPE_OPEN_FAILED' }) as Error,
    );
  });

  test('grows its segments in a long part, as the independent encoder does', () => {
    const [raw, objectId, salt, noncePrefix] = [random(32), random(16), random(32), random(7)];
    const plaintext = new Uint8Array(512 * (SEGMENT - 16) - 40 + 1).fill(5);
    const object = { dek: takeKey('Dek', Uint8Array.from(raw)), objectId };
    const source = (count: number) => (count === 32 ? salt : noncePrefix);
    const { bytes } = sealBody(object, plaintext, { partNumber: 1, source });
    const naive = { dek: raw, objectId, partNumber: 1, plaintext, final: false, held: false, salt, noncePrefix };
    expect(Buffer.compare(bytes, naiveBody({ ...naive, digests: {}, clientChecksum: 0 }))).toBe(0);
    expect(Buffer.compare(open(object, [bytes]).plaintext, plaintext)).toBe(0);
  });

  test('does not depend on how the plaintext arrives', () => {
    const object = newObject();
    const run = fc.property(
      fc.constantFrom(...LENGTHS),
      fc.array(fc.nat({ max: 200_000 }), { maxLength: 8 }),
      (length, cuts) => {
        const plaintext = plaintextOf(length);
        const within = cuts.map((cut) => cut % (length + 1));
        const sealer = new BodySealer({ ...object, partNumber: 0, plainLength: length, final: true }, random);
        const sealed = [sealer.header(), ...[...pieces(plaintext, within)].flatMap((piece) => sealer.push(piece))];
        const stored = concatBytes(...sealed, ...sealer.finish({ digests: {} }));
        expect(stored.length).toBe(sealer.storedLength);
        expect(
          Buffer.compare(
            open(
              object,
              pieces(
                stored,
                cuts.map((cut) => cut % stored.length),
              ),
            ).plaintext,
            plaintext,
          ),
        ).toBe(0);
      },
    );
    fc.assert(run, { numRuns: 60 });
  });

  test('opens split at every point, and byte by byte', () => {
    const object = newObject();
    const plaintext = plaintextOf(300);
    for (const partNumber of [0, 7]) {
      const { bytes } = sealBody(object, plaintext, { partNumber });
      for (let cut = 0; cut <= bytes.length; cut++)
        expect(open(object, pieces(bytes, [cut])).plaintext).toEqual(plaintext);
      expect(
        open(
          object,
          [...bytes].map((byte) => Uint8Array.of(byte)),
        ).plaintext,
      ).toEqual(plaintext);
    }
  });

  test('opens split around every segment boundary', () => {
    const object = newObject();
    const plaintext = plaintextOf(FIRST + NEXT + 500);
    const { bytes } = sealBody(object, plaintext);
    for (const boundary of [104, 64 + SEGMENT, 64 + 2 * SEGMENT, bytes.length - 192]) {
      for (let cut = boundary - 20; cut <= boundary + 20; cut++) {
        expect(Buffer.compare(open(object, pieces(bytes, [cut])).plaintext, plaintext)).toBe(0);
      }
    }
  });

  test('cut anywhere it neither finishes nor gives out all of the plaintext', () => {
    const object = newObject();
    const plaintext = plaintextOf(FIRST + 50);
    const { bytes } = sealBody(object, plaintext);
    const cuts = [
      ...Array(400).keys(),
      64 + SEGMENT - 1,
      64 + SEGMENT,
      ...Array.from({ length: 280 }, (_, i) => bytes.length - 1 - i),
    ];
    for (const cut of cuts) {
      const opener = new BodyOpener(object);
      const got = concatBytes(...opener.push(bytes.subarray(0, cut)));
      expect(got.length).toBeLessThan(plaintext.length);
      expect(Buffer.compare(got, plaintext.subarray(0, got.length))).toBe(0);
      expect(() => opener.finish()).toThrow(expect.objectContaining(OPEN_FAILED));
    }
  });

  test('followed by anything it fails', () => {
    const object = newObject();
    const { bytes } = sealBody(object, plaintextOf(10));
    expect(() => open(object, [bytes, Uint8Array.of(0)])).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('an opener that failed once gives nothing more', () => {
    const object = newObject();
    const { bytes } = sealBody(object, plaintextOf(10));
    const opener = new BodyOpener(object);
    expect(() => opener.push(flip(bytes, 70))).toThrow(expect.objectContaining(OPEN_FAILED));
    expect(() => opener.push(bytes)).toThrow(expect.objectContaining(OPEN_FAILED));
    expect(() => opener.finish()).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('Precondition: exactly the declared length is pushed', () => {
    const sealerOf = () => new BodySealer({ ...newObject(), partNumber: 0, plainLength: 10, final: true }, random);
    const LENGTH = expect.objectContaining({ code: 'ERR_ENVELOPE_LENGTH' });
    expect(() => sealerOf().push(new Uint8Array(11))).toThrow(LENGTH);
    const short = sealerOf();
    short.push(new Uint8Array(9));
    expect(() => short.finish({ digests: {} })).toThrow(LENGTH);
  });

  test('until finish, neither the last tag nor the record has left', () => {
    const sealer = new BodySealer({ ...newObject(), partNumber: 0, plainLength: 10, final: true }, random);
    const before = concatBytes(sealer.header(), ...sealer.push(new Uint8Array(10)));
    expect(before.length).toBe(BODY_PREFIX_BYTES + 10);
    expect(concatBytes(...sealer.finish({ digests: {} })).length).toBe(16 + 192);
  });

  test('sealing the same part twice shares no salt, so an older attempt does not fit into a newer one', () => {
    const object = newObject();
    const plaintext = plaintextOf(FIRST + 100);
    const [a, b] = [
      sealBody(object, plaintext, { partNumber: 1 }).bytes,
      sealBody(object, plaintext, { partNumber: 1 }).bytes,
    ];
    for (const at of [64, 104, 64 + SEGMENT, 64 + SEGMENT + 116]) {
      const spliced = concatBytes(a.subarray(0, at), b.subarray(at));
      if (at === 64) expect(open(object, [spliced]).plaintext).toEqual(plaintext);
      else expect(() => open(object, [spliced])).toThrow(expect.objectContaining(OPEN_FAILED));
    }
  });

  test('lengths beyond the limits are refused before anything is sealed', () => {
    const input = { ...newObject(), layout: 'part', partNumber: 1, final: false, plainLength: 5 * 1024 ** 3 } as const;
    expect(() => encodePartHeader(input, input.dek)).toThrow(
      expect.objectContaining({ code: 'ERR_ENVELOPE_TOO_LARGE' }),
    );
    expect(() => new BodySealer({ ...input, partNumber: 10_001, plainLength: 1 }, random)).toThrow(RangeError);
    expect(() => new BodySealer({ ...input, partNumber: 0, plainLength: 1 }, random)).toThrow(RangeError);
  });
});
