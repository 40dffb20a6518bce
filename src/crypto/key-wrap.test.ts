import { createSecretKey, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { unwrapPadded, wrapPadded } from './key-wrap.ts';

test('What is cut, empty, changed or under another key does not unwrap', () => {
  const key = createSecretKey(randomBytes(32));
  for (const length of [1, 7, 8, 9, 31, 32, 33, 1218]) {
    const wrapped = wrapPadded(key, randomBytes(length));
    for (const cut of [0, 1, 8, 15, 16, wrapped.length - 8, wrapped.length - 1])
      if (cut < wrapped.length) expect(unwrapPadded(key, wrapped.subarray(0, cut))).toBeUndefined();
    for (const at of [0, 5, wrapped.length - 1]) {
      const changed = Uint8Array.from(wrapped);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(unwrapPadded(key, changed)).toBeUndefined();
    }
    expect(unwrapPadded(createSecretKey(randomBytes(32)), wrapped)).toBeUndefined();
  }
});

test('What is unwrapped lies in memory of its own, so that zeroing it leaves nothing', () => {
  const key = createSecretKey(randomBytes(32));
  const opened = unwrapPadded(key, wrapPadded(key, randomBytes(33)));
  expect(opened?.length).toBe(33);
  expect(opened?.buffer.byteLength).toBe(33);
});
