/** Stored objects of every layout for the tamper matrices, and every forgery of them that the matrices try. */
import { concatBytes } from '../../../src/crypto/bytes.ts';
import { FOOTER_BLOCK_BYTES } from '../../../src/envelope/limits.ts';
import type { ObjectLayout } from '../../../src/envelope/object/object-envelope.ts';
import { PART_OVERHEAD } from '../../../src/envelope/object/sizes.ts';
import {
  flip,
  newObject,
  plaintextOf,
  random,
  sealBody,
  sealMultipart,
  type FixtureObject,
} from '../object-fixtures.ts';

export type Stored = {
  readonly object: FixtureObject;
  readonly layout: ObjectLayout;
  readonly plaintext: Uint8Array;
  readonly bodies: readonly Uint8Array[];
};

const SEGMENT = 65536;
export const LENGTHS = [70_000, 300, 70_000, 40];

function single(object = newObject(), plaintext = plaintextOf(140_000)): Stored {
  return { object, layout: 'single', plaintext, bodies: [sealBody(object, plaintext).bytes] };
}

export function multipart(footerPart: boolean, object = newObject(), salts = true): Stored {
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

export const STORED_OBJECTS = [
  { name: 'a single object', make: () => single() },
  { name: 'a multipart object with the list in its last part', make: () => multipart(false) },
  { name: 'a multipart object with a footer part', make: () => multipart(true) },
];

type Region = { readonly name: string; readonly from: number; readonly to: number };
export type Forgery = { readonly what: string; readonly bytes: Uint8Array };

const FORGE = { flip: flips, cut: cuts, double: doubles, swap: swaps, splice: splices } as const;
// The keys of a literal object are exactly its type's.
export const FORGERY_KINDS = Object.keys(FORGE) as readonly (keyof typeof FORGE)[];

/** Every forgery of this kind that differs from the object itself. */
export function* forgeries(kind: keyof typeof FORGE, stored: Stored): Generator<Forgery> {
  const whole = concatBytes(...stored.bodies);
  for (const forgery of FORGE[kind](whole, regions(stored), stored)) {
    if (Buffer.compare(forgery.bytes, whole) !== 0) yield { ...forgery, what: `${kind}: ${forgery.what}` };
  }
}

/** Any bit of any region. */
function* flips(whole: Uint8Array, fields: readonly Region[]): Generator<Forgery> {
  for (const { name, from, to } of fields) {
    const step = Math.max(1, Math.floor((to - from) / 6));
    for (let at = from; at < to; at += step) yield { what: `${name} at ${at}`, bytes: flip(whole, at) };
    yield { what: `${name} at its end`, bytes: flip(whole, to - 1) };
  }
}

/** From any region on, or any region out. */
function* cuts(whole: Uint8Array, fields: readonly Region[]): Generator<Forgery> {
  for (const { name, from, to } of fields) {
    yield { what: `before ${name}`, bytes: whole.subarray(0, from) };
    yield { what: `within ${name}`, bytes: whole.subarray(0, to - 1) };
    yield { what: `${name} taken out`, bytes: concatBytes(whole.subarray(0, from), whole.subarray(to)) };
  }
}

/** Any region twice. */
function* doubles(whole: Uint8Array, fields: readonly Region[]): Generator<Forgery> {
  for (const { name, from, to } of fields)
    yield { what: name, bytes: concatBytes(whole.subarray(0, to), whole.subarray(from)) };
}

/** Any two regions of equal length. */
function* swaps(whole: Uint8Array, fields: readonly Region[]): Generator<Forgery> {
  for (const a of fields) {
    for (const b of fields) {
      if (a.from >= b.from || a.to - a.from !== b.to - b.from) continue;
      const swapped = Uint8Array.from(whole);
      swapped.set(whole.subarray(a.from, a.to), b.from);
      swapped.set(whole.subarray(b.from, b.to), a.from);
      yield { what: `${a.name} with ${b.name}`, bytes: swapped };
    }
  }
}

/** Any region from an earlier attempt at the same object, from another object, and from another one under the same key. */
function* splices(whole: Uint8Array, fields: readonly Region[], stored: Stored): Generator<Forgery> {
  const remake = (object: FixtureObject): Uint8Array =>
    concatBytes(
      ...(stored.layout === 'single' ? single(object) : multipart(stored.bodies.length > LENGTHS.length, object))
        .bodies,
    );
  const { dek } = stored.object;
  for (const donor of [remake(stored.object), remake(newObject()), remake({ dek, objectId: random(16) })]) {
    for (const { name, from, to } of fields) {
      const spliced = Uint8Array.from(whole);
      spliced.set(donor.subarray(from, to), from);
      yield { what: name, bytes: spliced };
    }
  }
}
