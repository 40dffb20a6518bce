import { createSecretKey, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { wycheproof } from '../../test/support/shared.ts';
import { unwrapPadded, wrapPadded } from './key-wrap.ts';

const unhex = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'hex');

test('KWP wraps and unwraps what Wycheproof says, and nothing else', ({ skip }) => {
  const groups = wycheproof('aes_kwp_test.json', skip).filter(({ keySize }) => keySize === 256);
  let tried = 0;
  for (const { key, msg, ct, result, tcId } of groups.flatMap(({ tests }) => tests)) {
    const secret = createSecretKey(unhex(key));
    const opened = unwrapPadded(secret, unhex(ct));
    if (result === 'valid') {
      expect(Buffer.from(opened ?? []).toString('hex'), String(tcId)).toBe(msg);
      expect(Buffer.from(wrapPadded(secret, unhex(msg))).toString('hex'), String(tcId)).toBe(ct);
    }
    if (result === 'invalid') expect(opened, String(tcId)).toBeUndefined();
    tried += 1;
  }
  expect(tried).toBeGreaterThan(80);
});

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
