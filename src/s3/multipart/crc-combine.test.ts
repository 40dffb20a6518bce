import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { combineCrcs, type CombinableCrc } from './crc-combine.ts';

const POLYNOMIALS = {
  crc32: { bits: 32, reflected: 0xedb88320n },
  crc32c: { bits: 32, reflected: 0x82f63b78n },
  crc64nvme: { bits: 64, reflected: 0x9a6c9329ac4bc9b5n },
} as const;

/** Bit by bit, as the definition has it. */
function naiveCrc(algorithm: CombinableCrc, bytes: Uint8Array): Uint8Array {
  const { bits, reflected } = POLYNOMIALS[algorithm];
  const ones = (1n << BigInt(bits)) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ reflected : crc >> 1n;
  }
  return Buffer.from((crc ^ ones).toString(16).padStart(bits / 4, '0'), 'hex');
}

test('the check values of the catalogue of CRCs', () => {
  const check = Buffer.from('123456789');
  expect(Buffer.from(naiveCrc('crc32', check)).readUInt32BE()).toBe(crc32(check));
  expect(Buffer.from(naiveCrc('crc32c', check)).toString('hex')).toBe('e3069283');
  expect(Buffer.from(naiveCrc('crc64nvme', check)).toString('hex')).toBe('ae8b14860a799888');
});

test.each(['crc32', 'crc32c', 'crc64nvme'] as const)('%s of parts combines to that of the whole', (algorithm) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 }), (parts) => {
      const combined = combineCrcs(
        algorithm,
        parts.map((part) => ({ crc: naiveCrc(algorithm, part), length: part.length })),
      );
      expect(Buffer.from(combined).toString('hex')).toBe(
        Buffer.from(naiveCrc(algorithm, Buffer.concat(parts))).toString('hex'),
      );
    }),
    { numRuns: 60 },
  );
});

test.each(['crc32', 'crc32c', 'crc64nvme'] as const)(
  '%s of ten thousand long parts is the same however they are grouped',
  (algorithm) => {
    const crc = naiveCrc(algorithm, Buffer.from('part'));
    const parts = Array.from({ length: 10_000 }, (_, i) => ({ crc, length: 5 * 1024 ** 2 + 7919 * i }));
    const half = parts.length / 2;
    const halves = [parts.slice(0, half), parts.slice(half)].map((some) => ({
      crc: combineCrcs(algorithm, some),
      length: some.reduce((sum, { length }) => sum + length, 0),
    }));
    expect(combineCrcs(algorithm, parts)).toEqual(combineCrcs(algorithm, halves));
  },
);
