import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as use } from '../../../test/support/keys/keys.ts';
import { takeKey, type Dek } from '../../crypto/key-types.ts';
import { encodeContext } from '../../envelope/encryption-context.ts';
import { cacheName, DekCache } from './dek-cache.ts';

const dek = (): Dek => takeKey('Dek', new Uint8Array(32).fill(1));
const LIMITS = { maxAgeMs: 1000, maxUses: 5, maxEntries: 3 };

test('An entry ends with its age, by the clock it was given', () => {
  let now = 1_000_000;
  const cache = new DekCache(LIMITS, () => now);
  cache.put('a', dek(), 'k');
  now += 1000;
  expect(cache.get('a')).toBeDefined();
  now += 1;
  expect(cache.get('a')).toBeUndefined();
  cache.close();
});

test('Being used does not lengthen an entry’s age', () => {
  let now = 1_000_000;
  const cache = new DekCache(LIMITS, () => now);
  cache.put('a', dek(), 'k');
  now += 900;
  expect(cache.get('a')).toBeDefined();
  now += 200;
  expect(cache.get('a')).toBeUndefined();
  cache.close();
});

test('An entry serves as many uses as allowed, its first included', () => {
  const cache = new DekCache(LIMITS, () => 1);
  cache.put('a', dek(), 'k');
  const hits = Array.from({ length: 10 }, () => cache.get('a')).filter((hit) => hit !== undefined);
  expect(hits).toHaveLength(4);
  cache.close();
});

test('There are never more entries than allowed', () => {
  const cache = new DekCache(LIMITS, () => 1);
  for (let n = 0; n < 50; n++) cache.put(`entry ${n}`, dek(), 'k');
  expect(cache.size).toBe(3);
  cache.close();
});

test('Dropping a key drops its entries and no others', () => {
  const cache = new DekCache(LIMITS, () => 1);
  cache.put('a', dek(), 'k1');
  cache.put('b', dek(), 'k2');
  cache.dropKey('k1');
  expect([cache.get('a'), cache.get('b')].map(Boolean)).toEqual([false, true]);
  cache.close();
});

test('No entries allowed means no cache', () => {
  const cache = new DekCache({ ...LIMITS, maxEntries: 0 }, () => 1);
  cache.put('a', dek(), 'k');
  expect(cache.get('a')).toBeUndefined();
  cache.close();
});

test('Where blob and context meet does not matter to a name, only their own bytes do, short or long', () => {
  const long = 'x'.repeat(600);
  const names = [
    cacheName(Buffer.from('ab'), encodeContext({})),
    cacheName(Buffer.from('a'), encodeContext({})),
    cacheName(Buffer.from('ab'), encodeContext({ a: 'b' })),
    cacheName(Buffer.from('ab'), encodeContext({ a: long })),
    cacheName(Buffer.from('a'), encodeContext({ a: long })),
    cacheName(Buffer.from('ab'), encodeContext({ a: `${long}x` })),
    cacheName(Buffer.from(long), encodeContext({})),
  ];
  expect(new Set(names).size).toBe(names.length);
});

test('A name is the same for the same blob and context alone', () => {
  const context = fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 }), { maxKeys: 3 });
  const blob = fc.uint8Array({ minLength: 1, maxLength: 5 });
  const run = fc.property(blob, context, blob, context, (a, inA, b, inB) => {
    const isSame = Buffer.compare(a, b) === 0 && Buffer.compare(encodeContext(inA), encodeContext(inB)) === 0;
    expect(cacheName(a, encodeContext(inA)) === cacheName(b, encodeContext(inB))).toBe(isSame);
  });
  fc.assert(run, { numRuns: 500 });
});

test('Hits and misses are counted, and a hit is audited like a miss', async () => {
  await using keys = await keyFolder();
  const seen: string[] = [];
  const metrics = {
    cacheHit: () => seen.push('hit'),
    cacheMiss: () => seen.push('miss'),
    keyUse: (action: string, result: string) => seen.push(`${action} ${result}`),
  };
  const manager = await keys.open({}, { metrics });
  const { keyId } = await manager.createKey({}, use);
  const { wrapped } = await manager.generateDataKey({ keyId, context: {} }, use);
  seen.length = 0;
  await manager.decrypt({ wrapped, context: {} }, use);
  await manager.decrypt({ wrapped, context: {} }, use);
  expect(seen).toEqual(['miss', 'Decrypt success', 'hit', 'Decrypt success']);
});

test('Disabling a key drops its DEKs and no others: once enabled again they are opened anew', async () => {
  await using keys = await keyFolder();
  const seen: string[] = [];
  const metrics = { cacheHit: () => seen.push('hit'), cacheMiss: () => seen.push('miss'), keyUse: () => undefined };
  const manager = await keys.open({}, { metrics });
  const make = async () => {
    const { keyId } = await manager.createKey({}, use);
    const { wrapped } = await manager.generateDataKey({ keyId, context: {} }, use);
    await manager.decrypt({ wrapped, context: {} }, use);
    return { keyId, open: () => manager.decrypt({ wrapped, context: {} }, use) };
  };
  const [disabled, other] = [await make(), await make()];
  // One use is under way while the key is disabled: it may be answered, and must leave nothing behind.
  const underWay = disabled.open().catch(() => undefined);
  await manager.disableKey(disabled.keyId, use);
  await underWay;
  await manager.enableKey(disabled.keyId, use);
  seen.length = 0;
  await other.open();
  await disabled.open();
  expect(seen).toEqual(['hit', 'miss']);
});
