import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drawInto, openBytes, pooledRandom } from './random.ts';

test('Every byte drawn is given once at most, in memory of its own; what is given stays as it is', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 400 }), (lengths) => {
      // Four bytes each that are drawn once: which are given is seen.
      let drawn = 0;
      const random = pooledRandom((bytes) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        for (let at = 0; at + 4 <= bytes.length; at += 4) view.setUint32(at, drawn++);
      });
      const given = lengths.map((length) => random(length * 4));
      expect(given.map(({ length }) => length / 4)).toEqual(lengths);
      const words = given.flatMap((bytes) =>
        Array.from({ length: bytes.length / 4 }, (_, n) => new DataView(bytes.buffer).getUint32(4 * n)),
      );
      expect(new Set(words).size).toBe(words.length);
      expect(new Set(given.map(({ buffer }) => buffer)).size).toBe(given.length);
      expect(given.every(({ buffer, length }) => buffer.byteLength === length)).toBe(true);
    }),
  );
});

test('What was given is nowhere left in what is drawn from', () => {
  let pool: Uint8Array = new Uint8Array();
  const random = pooledRandom((bytes) => {
    bytes.fill(0xaa);
    pool = bytes;
  });
  random(32);
  random(12);
  expect([...pool.subarray(0, 45)]).toEqual([...new Array<number>(44).fill(0), 0xaa]);
});

test('Two sources, and two draws of one, differ', () => {
  const [a, b] = [pooledRandom(), pooledRandom()];
  const drawn = [a(16), a(16), b(16), b(100)].map((bytes) => Buffer.from(bytes).toString('hex').slice(0, 32));
  expect(new Set(drawn).size).toBe(4);
});

test('What is drawn into memory of the caller is of the same bytes, all of it, whatever the source', () => {
  let drawn = 0;
  const counting = (bytes: Uint8Array): Uint8Array => bytes.map(() => ++drawn);
  const pooled = pooledRandom((bytes) => void bytes.set(counting(bytes)));
  for (const source of [pooled, (bytes: number) => counting(new Uint8Array(bytes))]) {
    const target = new Uint8Array(32);
    const first = source(3);
    drawInto(source, target);
    expect([...target]).toEqual(Array.from(target, (_, at) => ((first[2] ?? 0) + 1 + at) & 0xff));
    expect(source(1)).toEqual(Uint8Array.of((target[31] ?? 0) + 1));
  }
});

test('What is drawn by a source of its own way is left nowhere else', () => {
  let given = new Uint8Array();
  const target = new Uint8Array(4);
  drawInto((bytes) => (given = new Uint8Array(bytes).fill(7)), target);
  expect([[...target], [...given]]).toEqual([
    [7, 7, 7, 7],
    [0, 0, 0, 0],
  ]);
});

test("node:crypto's own randomBytes is a source, also of what will lie open", () => {
  expect([openBytes(randomBytes, 12), openBytes(pooledRandom(), 12)].map(({ length }) => length)).toEqual([12, 12]);
});
