/**
 * The tamper matrix: flip, cut, double, swap, replay or splice any region of a stored object, read whole. The outcome is one error with
 * one code, and what was given out before is a true beginning of the plaintext that is never all of it. (By range: range.test.ts.)
 */
import { describe, expect, test } from 'vitest';
import {
  newObject,
  plaintextOf,
  flip,
  random,
  sealBody,
  sealMultipart,
  type FixtureObject,
} from '../../../test/support/object-fixtures.ts';
import { concatBytes } from '../../crypto/bytes.ts';
import { FOOTER_BLOCK_BYTES } from '../limits.ts';
import { encodeFooter, openFooter } from './footer.ts';
import type { ObjectLayout } from './object-envelope.ts';
import { ObjectOpener } from './object-opener.ts';
import { PART_OVERHEAD } from './sizes.ts';

type Stored = {
  readonly object: FixtureObject;
  readonly layout: ObjectLayout;
  readonly plaintext: Uint8Array;
  readonly bodies: readonly Uint8Array[];
};

const SEGMENT = 65536;
const LENGTHS = [70_000, 300, 70_000, 40];

function single(object = newObject(), plaintext = plaintextOf(140_000)): Stored {
  return { object, layout: 'single', plaintext, bodies: [sealBody(object, plaintext).bytes] };
}

function multipart(footerPart: boolean, object = newObject(), salts = true): Stored {
  const parts = LENGTHS.map((length, i) => ({ partNumber: i + 1, plaintext: plaintextOf(length) }));
  const bodies = sealMultipart(object, parts, { footerPart, salts });
  return { object, layout: 'multipart', plaintext: concatBytes(...parts.map((p) => p.plaintext)), bodies };
}

/** Region boundaries of a stored object: every field a format table names. */
function regions(stored: Stored): { name: string; from: number; to: number }[] {
  const found: { name: string; from: number; to: number }[] = [];
  let start = 0;
  stored.bodies.forEach((body, index) => {
    const cuts: [string, number][] = [
      ['magic', 4],
      ['flags', 6],
      ['number', 8],
      ['length', 16],
      ['object id', 32],
      ['mac', 64],
      ['stream length', 65],
      ['salt', 97],
      ['prefix', 104],
    ];
    const plain = stored.layout === 'single' ? stored.plaintext.length : body.length - PART_OVERHEAD;
    const streamEnd = 64 + 40 + plain + 16 * Math.max(1, Math.ceil((plain + 40) / (SEGMENT - 16)));
    for (let at = 64 + SEGMENT; at < streamEnd; at += SEGMENT) cuts.push(['segment', at - 16], ['tag', at]);
    cuts.push(['segment', streamEnd - 16], ['tag', streamEnd], ['record', streamEnd + 192]);
    const isLast = stored.layout === 'multipart' && index === stored.bodies.length - 1;
    if (isLast) cuts.push(['padding', body.length - FOOTER_BLOCK_BYTES], ['footer', body.length]);
    else if (body.length > streamEnd + 192) cuts.push(['padding', body.length]);
    let from = 0;
    for (const [name, to] of cuts) {
      if (to > from) found.push({ name: `body ${index} ${name}`, from: start + from, to: start + to });
      from = to;
    }
    start += body.length;
  });
  return found;
}

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

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe.each([
  { name: 'a single object', make: () => single() },
  { name: 'a multipart object with the list in its last part', make: () => multipart(false) },
  { name: 'a multipart object with a footer part', make: () => multipart(true) },
])('$name', ({ make }) => {
  const stored = make();
  const whole = concatBytes(...stored.bodies);
  const fields = regions(stored);

  test('opens untouched', () => {
    const opener = new ObjectOpener({ ...stored.object, layout: stored.layout });
    expect(Buffer.compare(concatBytes(...opener.push(whole)), stored.plaintext)).toBe(0);
    expect(opener.finish().plainSize).toBe(stored.plaintext.length);
  });

  test('flip: any bit of any region', () => {
    for (const { name, from, to } of fields) {
      const step = Math.max(1, Math.floor((to - from) / 6));
      for (let at = from; at < to; at += step) expectRefused(stored, flip(whole, at), `${name} at ${at}`);
      expectRefused(stored, flip(whole, to - 1), `${name} at its end`);
    }
  });

  test('cut: from any region on, or any region out', () => {
    for (const { name, from, to } of fields) {
      expectRefused(stored, whole.subarray(0, from), `cut before ${name}`);
      expectRefused(stored, whole.subarray(0, to - 1), `cut within ${name}`);
      expectRefused(stored, concatBytes(whole.subarray(0, from), whole.subarray(to)), `${name} taken out`);
    }
  });

  test('double: any region twice', () => {
    for (const { name, from, to } of fields) {
      expectRefused(stored, concatBytes(whole.subarray(0, to), whole.subarray(from)), `${name} doubled`);
    }
  });

  test('swap: any two regions of equal length', () => {
    for (const a of fields) {
      for (const b of fields) {
        if (a.from >= b.from || a.to - a.from !== b.to - b.from) continue;
        const swapped = Uint8Array.from(whole);
        swapped.set(whole.subarray(a.from, a.to), b.from);
        swapped.set(whole.subarray(b.from, b.to), a.from);
        if (!same(swapped, whole)) expectRefused(stored, swapped, `${a.name} with ${b.name}`);
      }
    }
  });

  test('splice: any region from another object, from an earlier attempt at the same one, under the same or another key', () => {
    const remake = (object: FixtureObject): Uint8Array =>
      concatBytes(
        ...(stored.layout === 'single' ? single(object) : multipart(stored.bodies.length > LENGTHS.length, object))
          .bodies,
      );
    const donors = [
      remake(stored.object),
      remake(newObject()),
      remake({ dek: stored.object.dek, objectId: random(16) }),
    ];
    for (const donor of donors) {
      for (const { name, from, to } of fields) {
        const spliced = Uint8Array.from(whole);
        spliced.set(donor.subarray(from, to), from);
        if (!same(spliced, whole)) expectRefused(stored, spliced, name);
      }
    }
  });
});

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
