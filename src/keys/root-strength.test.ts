import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { KEY_BYTES, takeKey } from '../crypto/key-types.ts';
import { WRAPPING_KEY_BITS } from './import/wrapping.ts';
import { keySpecs } from './key-kinds.ts';
import { strengthBits } from './life/algorithms/approval.ts';
import { deriveRootKeys } from './root/root-keys.ts';

/** HKDF-SHA-256 of 32 random bytes, and AES-256-GCM. */
const ROOT_BITS = 8 * KEY_BYTES;

test('What the root wraps with has 256 bits, and no kind of key is stronger', () => {
  const keys = deriveRootKeys(takeKey('RootKey', randomBytes(KEY_BYTES)), randomBytes(16));
  const wraps = [keys.material, keys.backup, keys.service('import-token', 1)];
  expect(wraps.map(({ symmetricKeySize = 0 }) => 8 * symmetricKeySize)).toEqual([ROOT_BITS, ROOT_BITS, ROOT_BITS]);
  const specs = keySpecs();
  expect(specs.length).toBeGreaterThan(10);
  for (const spec of specs) expect([spec, strengthBits(spec) <= ROOT_BITS]).toEqual([spec, true]);
  // The private halves of these lie in import tokens.
  expect(specs).toEqual(expect.arrayContaining(Object.keys(WRAPPING_KEY_BITS)));
});

test('A KEK has the strength of the root, so no data key or pair made under one is stronger than it', () => {
  expect(strengthBits('SYMMETRIC_DEFAULT')).toBe(ROOT_BITS);
  for (const spec of keySpecs()) expect(strengthBits(spec)).toBeLessThanOrEqual(strengthBits('SYMMETRIC_DEFAULT'));
});
