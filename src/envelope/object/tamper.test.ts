/**
 * The tamper matrix: flip, cut, double, swap, replay or splice any region of a stored object, read whole. The outcome is one error with
 * one code, and what was given out before is a true beginning of the plaintext that is never all of it. Read by range it is the right bytes or that error.
 */
import { describe, expect, test } from 'vitest';
import { plaintextOf, random, sealBody } from '../../../test/support/object-fixtures.ts';
import {
  forgeries,
  FORGERY_KINDS,
  LENGTHS,
  multipart,
  STORED_OBJECTS,
  type Stored,
} from '../../../test/support/s3/stored-objects.ts';
import { concatBytes } from '../../crypto/bytes.ts';
import { openFailed } from '../errors.ts';
import { FOOTER_BLOCK_BYTES } from '../limits.ts';
import { encodeFooter, openFooter } from './footer.ts';
import { ObjectOpener } from './object-opener.ts';
import { partTable, planObjectRange, type PartTable } from './part-table.ts';
import { RangeOpener } from './range-plan.ts';
import { BODY_PREFIX_BYTES, plainSize } from './sizes.ts';

/** Reads a forged object whole, with and without its footer read first: it must fail, with one code, and have given out less than everything. */
function expectRefused(stored: Stored, forged: Uint8Array, what: string): void {
  expectRefusedOnce(stored, forged, what, false);
  if (stored.layout === 'multipart') expectRefusedOnce(stored, forged, `${what}, footer first`, true);
}

function expectRefusedOnce(stored: Stored, forged: Uint8Array, what: string, footerFirst: boolean): void {
  const got: Uint8Array[] = [];
  let code: unknown;
  try {
    const footer = footerFirst ? openFooter(forged, stored.object.dek, stored.object.objectId) : undefined;
    const opener = new ObjectOpener({ ...stored.object, layout: stored.layout, footer });
    for (let at = 0; at < forged.length; at += 10_000) got.push(...opener.push(forged.subarray(at, at + 10_000)));
    opener.finish();
  } catch (error) {
    code = (error as { code?: unknown }).code;
  }
  const given = concatBytes(...got);
  expect(code, what).toBe('ERR_ENVELOPE_OPEN_FAILED');
  expect(given.length, what).toBeLessThan(stored.plaintext.length);
  expect(Buffer.compare(given, stored.plaintext.subarray(0, given.length)), what).toBe(0);
}

describe.each(STORED_OBJECTS)('$name', ({ make }) => {
  const stored = make();
  const whole = concatBytes(...stored.bodies);

  test('opens untouched', () => {
    const opener = new ObjectOpener({ ...stored.object, layout: stored.layout });
    expect(Buffer.compare(concatBytes(...opener.push(whole)), stored.plaintext)).toBe(0);
    expect(opener.finish().plainSize).toBe(stored.plaintext.length);
    for (const [from, to] of rangesOf(stored)) expect(readForged(stored, whole, from, to)).toBe('right');
  });

  test.each(FORGERY_KINDS)(
    '%s any region, and read it whole: one error, and never all or other than the truth',
    (kind) => {
      for (const { what, bytes } of forgeries(kind, stored)) expectRefused(stored, bytes, what);
    },
  );

  test.each(FORGERY_KINDS)('%s any region, and read by range: the right bytes or one error', (kind) => {
    const ranges = rangesOf(stored);
    let refused = 0;
    for (const { what, bytes } of forgeries(kind, stored)) {
      for (const [from, to] of ranges) {
        const outcome = readForged(stored, bytes, from, to);
        expect(['right', 'ERR_ENVELOPE_OPEN_FAILED'], `${what}, ${from} to ${to}`).toContain(outcome);
        if (outcome !== 'right') refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0);
  });
});

/** Within the first segment, across segments, across parts, the end, everything. */
function rangesOf({ plaintext: { length } }: Stored): readonly (readonly [number, number])[] {
  return [
    [0, 1],
    [100, 4000],
    [65_400, 65_600],
    [69_990, 70_400],
    [length - 1, length],
    [0, length],
  ];
}

/** Reads a range as the gateway does: the layout from size or footer, then per part its header and the segments that hold it. */
function readForged(stored: Stored, forged: Uint8Array, from: number, to: number): unknown {
  const got: Uint8Array[] = [];
  let outcome: unknown = 'right';
  try {
    for (const { part, from: start, to: end } of planObjectRange(layoutOf(stored, forged, to), from, to)) {
      const body = forged.subarray(part.storedStart);
      const prefix = body.subarray(0, BODY_PREFIX_BYTES);
      const { partNumber, plainLength } = part;
      const opener = new RangeOpener({
        ...stored.object,
        prefix,
        from: start,
        to: end,
        expect: { partNumber, plainLength },
      });
      const bytes = body.subarray(opener.plan.storedFrom, opener.plan.storedTo);
      for (let at = 0; at < bytes.length; at += 10_000) got.push(...opener.push(bytes.subarray(at, at + 10_000)));
      opener.finish();
    }
  } catch (error) {
    outcome = (error as { code?: unknown }).code;
  }
  const given = concatBytes(...got);
  const truth = stored.plaintext.subarray(from, from + given.length);
  if (Buffer.compare(given, truth) !== 0 || (outcome === 'right' && given.length !== to - from)) return 'wrong bytes';
  return outcome;
}

function layoutOf({ layout, object: { dek, objectId } }: Stored, forged: Uint8Array, to: number): PartTable {
  if (layout === 'single') {
    const plainLength = plainSize(forged.length);
    if (plainLength === undefined || plainLength < to) throw openFailed();
    return {
      parts: [{ partNumber: 0, plainLength, plainStart: 0, storedStart: 0, storedLength: forged.length }],
      plainSize: plainLength,
    };
  }
  const table = partTable(openFooter(forged, dek, objectId).parts ?? []);
  if (table.plainSize < to) throw openFailed();
  return table;
}

describe('whole parts', () => {
  test.each([{ footerPart: false }, { footerPart: true }])(
    'dropped, doubled or reordered are noticed ($footerPart)',
    ({ footerPart }) => {
      const stored = multipart(footerPart);
      const order = stored.bodies.map((_, i) => i);
      const rearranged = [
        ...order.map((i) => order.filter((j) => j !== i)),
        ...order.map((i) => [...order.slice(0, i), i, ...order.slice(i)]),
        ...order.slice(1).map((i) => order.map((j) => (j === i ? i - 1 : j === i - 1 ? i : j))),
        [],
      ];
      for (const numbers of rearranged) {
        const forged = numbers.map((i) => stored.bodies[i] ?? new Uint8Array(0));
        expectRefused(stored, concatBytes(...forged), numbers.join());
      }
    },
  );

  test('replayed from an earlier attempt of equal length are noticed where the footer knows the salts', () => {
    const stored = multipart(true);
    const replay = sealBody(stored.object, plaintextOf(300), { partNumber: 2 }).bytes;
    expectRefusedAsWhole(stored, replay);
  });

  test('a footer of another object, or of other parts, does not fit', () => {
    const stored = multipart(false);
    const { dek, objectId } = stored.object;
    const parts = LENGTHS.map((plainLength, i) => ({ partNumber: i + 1, plainLength }));
    const others = [
      encodeFooter({ parts }, dek, random(16), random),
      encodeFooter({ parts: parts.slice(1) }, dek, objectId, random),
      encodeFooter({ parts: parts.map((p) => ({ ...p, plainLength: p.plainLength + 1 })) }, dek, objectId, random),
      encodeFooter({ parts: parts.map((p) => ({ ...p, partNumber: p.partNumber + 1 })) }, dek, objectId, random),
    ];
    const whole = concatBytes(...stored.bodies);
    for (const footer of others)
      expectRefused(stored, concatBytes(whole.subarray(0, -FOOTER_BLOCK_BYTES), footer), 'footer');
  });

  /** The replayed part is authentic in itself: its bytes may pass, but the object is refused before it is complete. */
  function expectRefusedAsWhole(stored: Stored, replay: Uint8Array): void {
    const opener = new ObjectOpener({ ...stored.object, layout: stored.layout });
    const forged = concatBytes(...stored.bodies.with(1, replay));
    let given = 0;
    expect(() => {
      for (let at = 0; at < forged.length; at += 10_000)
        for (const piece of opener.push(forged.subarray(at, at + 10_000))) given += piece.length;
    }).toThrow(expect.objectContaining({ code: 'ERR_ENVELOPE_OPEN_FAILED' }));
    expect(given).toBeLessThan(stored.plaintext.length);
  }
});
