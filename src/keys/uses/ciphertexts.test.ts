import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as use } from '../../../test/support/keys/keys.ts';
import { parseWrappedKey } from '../../envelope/wrapped-key.ts';
import { NamesInCiphertexts } from './ciphertexts.ts';

test('What a ciphertext names is its own key and material, however many were looked at before it', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const context = { for: 'names' };
  const made: { keyId: string; wrapped: Uint8Array; materialRef: string }[] = [];
  const make = async (keyId: string): Promise<void> => {
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    made.push({ keyId, wrapped, materialRef: Buffer.from(parseWrappedKey(wrapped).materialRef).toString('hex') });
  };
  for (let n = 0; n < 12; n += 1) {
    const { keyId } = await manager.createKey({ multiRegion: n % 3 === 0 }, use);
    await make(keyId);
    if (n % 2 === 0) {
      await manager.lifecycle.rotateOnDemand(keyId, use);
      await make(keyId);
    }
  }
  const names = new NamesInCiphertexts();
  for (let round = 0; round < 400; round += 1) {
    const one = made[(round * 7 + (round >> 3)) % made.length];
    if (one === undefined) throw new Error('none made');
    expect(names.of(one.wrapped)).toEqual({ keyId: one.keyId, materialRef: one.materialRef });
  }
});

test('A ciphertext that differs from a known one in one bit of its names is of another key or material, or none', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const { keyId } = await manager.createKey({}, use);
  const { wrapped } = await manager.generateDataKey({ keyId, context: {} }, use);
  const names = new NamesInCiphertexts();
  const known = names.of(wrapped);
  for (let at = 0; at < 29; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const changed = Uint8Array.from(wrapped, (byte, i) => (i === at ? byte ^ (1 << bit) : byte));
      let named: unknown;
      try {
        named = names.of(changed);
      } catch (error) {
        named = error;
      }
      expect(named).not.toEqual(known);
      await expect(manager.decrypt({ wrapped: changed, context: {} }, use)).rejects.toThrow();
    }
  }
  expect(names.of(wrapped)).toEqual(known);
});
