import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { naiveSealedValue } from '../../test/support/naive-envelope.ts';
import { MALFORMED, OPEN_FAILED, flip, newDek, random } from '../../test/support/object-fixtures.ts';
import { takeKey } from '../crypto/key-types.ts';
import { SEALED_VALUE_MAGIC, SEALED_VALUE_OVERHEAD, openValue, parseSealedValue, sealValue } from './sealed-value.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const column = new Uint8Array(16).fill(3);

function fixture(mode: 'randomized' | 'deterministic' = 'randomized') {
  const [dek, dekId] = [newDek(), random(16)];
  const seal = (plaintext: Uint8Array, aad = column) => sealValue({ dek, dekId, aad, plaintext, mode }, random);
  return { dek, dekId, seal, open: (sealed: Uint8Array, aad = column) => openValue({ dek, aad, sealed }) };
}

describe('sealed value', () => {
  test('is what the independent encoder writes, in both modes, and opens', () => {
    const all = fc.tuple(
      bytes(32),
      bytes(16),
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array(),
      bytes(24),
      fc.boolean(),
    );
    const run = fc.property(all, ([raw, dekId, aad, plaintext, nonce, isRandom]) => {
      const dek = takeKey('Dek', Uint8Array.from(raw));
      const mode = isRandom ? 'randomized' : 'deterministic';
      const sealed = sealValue({ dek, dekId, aad, plaintext, mode }, () => nonce);
      expect(sealed).toEqual(
        naiveSealedValue({ dek: raw, dekId, aad, plaintext, nonce: isRandom ? nonce : undefined }),
      );
      expect(sealed.length).toBe(plaintext.length + SEALED_VALUE_OVERHEAD);
      expect(Uint8Array.from(parseSealedValue(sealed).dekId)).toEqual(dekId);
      expect(Uint8Array.from(openValue({ dek, aad, sealed }))).toEqual(plaintext);
    });
    fc.assert(run, { numRuns: 100 });
  });

  test('deterministic: equal exactly where value, column and DEK id are equal', () => {
    const { dek, dekId, seal } = fixture('deterministic');
    const value = Uint8Array.of(1, 2);
    expect(seal(value)).toEqual(seal(value));
    const nonceOf = (sealed: Uint8Array) => Buffer.from(sealed.subarray(22, 46)).toString('hex');
    const others = [
      seal(Uint8Array.of(1)),
      seal(value, Uint8Array.of(...column, 1)),
      sealValue({ dek, dekId: flip(dekId, 0), aad: column, plaintext: value, mode: 'deterministic' }, random),
      // A byte moved from the column's id to the value must not give the same nonce.
      seal(Uint8Array.of(3, 1, 2), column.subarray(1)),
    ];
    expect(new Set([seal(value), ...others].map(nonceOf)).size).toBe(others.length + 1);
  });

  test('randomized: never the same twice', () => {
    const { seal } = fixture();
    expect(seal(Uint8Array.of(1))).not.toEqual(seal(Uint8Array.of(1)));
  });

  test.each(['randomized', 'deterministic'] as const)(
    '%s: does not open with any byte changed, cut or added',
    (mode) => {
      const { seal, open } = fixture(mode);
      const sealed = seal(Uint8Array.of(1, 2, 3));
      for (const at of sealed.keys()) {
        expect(() => open(flip(sealed, at)), `byte ${at}`).toThrow(
          expect.objectContaining(at < 6 ? MALFORMED : OPEN_FAILED),
        );
        expect(() => open(sealed.subarray(0, at))).toThrow(expect.objectContaining({ name: 'EnvelopeError' }));
      }
      expect(() => open(Uint8Array.of(...sealed, 0))).toThrow(expect.objectContaining(OPEN_FAILED));
    },
  );

  test('does not open in another column, nor with halves of two values spliced', () => {
    const { seal, open } = fixture();
    const [a, b] = [seal(new Uint8Array(20)), seal(new Uint8Array(20).fill(1))];
    expect(() => open(a, new Uint8Array(16))).toThrow(expect.objectContaining(OPEN_FAILED));
    for (let at = 23; at < a.length; at++) {
      const spliced = Uint8Array.from([...a.subarray(0, at), ...b.subarray(at)]);
      expect(() => open(spliced)).toThrow(expect.objectContaining(OPEN_FAILED));
    }
  });

  test('the empty value is sealed like any other', () => {
    const { seal, open } = fixture();
    expect(seal(new Uint8Array(0)).length).toBe(SEALED_VALUE_OVERHEAD);
    expect(open(seal(new Uint8Array(0))).length).toBe(0);
  });

  test('the magic can begin no text', () => {
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(SEALED_VALUE_MAGIC)).toThrow(TypeError);
  });
});
