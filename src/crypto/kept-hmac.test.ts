import { createHmac, createSecretKey } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keptHmacText, openKeptHmac, secretKeptHmac } from './kept-hmac.ts';
import { zeroWhenGone } from './zero-when-gone.ts';

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });

test('It is the HMAC of node:crypto, for keys and messages of any length, whichever key was used before', () => {
  const message = fc.oneof(bytes(0, 200), bytes(4090, 4100));
  const uses = fc.array(fc.tuple(fc.nat(3), message), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(bytes(1, 130), { minLength: 4, maxLength: 4 }), uses, (raw, list) => {
      const keys = raw.map((key) => createSecretKey(key));
      for (const [index, asked] of list) {
        const key = keys[index];
        if (key === undefined) throw new Error('no key');
        const mac = createHmac('sha256', key).update(asked).digest();
        expect(keptHmacText(key, asked, 'base64url')).toBe(mac.toString('base64url'));
        expect(Buffer.from(openKeptHmac(key, asked))).toEqual(mac);
        const secret = secretKeptHmac(key, asked);
        expect(Buffer.from(secret)).toEqual(mac);
        expect(secret.buffer.byteLength).toBe(secret.length);
      }
    }),
  );
});

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

test('What is kept beside a key is zeroed when the key is gone, and not before', async () => {
  const collect = collector();
  const kept = Uint8Array.of(1, 2, 3);
  let holder: object | undefined = {};
  zeroWhenGone(holder, [kept]);
  collect();
  await setImmediate();
  expect([holder, ...kept]).toEqual([{}, 1, 2, 3]);
  holder = undefined;
  await expect
    .poll(() => {
      collect();
      return [...kept];
    })
    .toEqual([0, 0, 0]);
});

test('What a key is padded to lies outside the engine’s heap, which is moved about and copied', () => {
  const keys = Array.from({ length: 8000 }, (_, n) => createSecretKey(Buffer.alloc(32, n)));
  const collect = collector();
  // What others left may go meanwhile.
  collect();
  const before = process.memoryUsage().arrayBuffers;
  for (const key of keys) keptHmacText(key, Buffer.from('message'), 'base64url');
  collect();
  expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThan(8000 * 64);
  expect(keys).toHaveLength(8000);
});
