/** Related keys share their material, and so its age and what of its limits is used up, wherever it is used. */
import { expect, test } from 'vitest';
import { rule, START, timedKeys } from '../../../test/support/keys/key-life.ts';
import { TEST_USE as use } from '../../../test/support/keys/keys.ts';
import type { KeyManager } from '../key-manager.ts';
import type { RegionKeys } from './region-keys.ts';

const THERE = 'us-west-2';
const NIST = { profile: 'nist' } as const;
const message = { message: Buffer.from('m'), algorithm: 'HMAC_SHA_256' } as const;

function keysThere(manager: KeyManager): RegionKeys {
  const keys = manager.inRegion(THERE);
  if (keys === undefined) throw new TypeError(`${THERE} is not served`);
  return keys;
}

async function replicated(manager: KeyManager, request: object = {}): Promise<string> {
  const { keyId } = await manager.createKey({ multiRegion: true, ...request }, use);
  await manager.multiRegion.replicate({ keyId, replicaRegion: THERE }, use);
  return keyId;
}

test('A limit is of the material: uses in both regions count together, also after a restart', async () => {
  await using store = await timedKeys();
  const life = { ...NIST, rules: [rule({ maxOperations: 5 })] };
  const first = await store.open(life, { otherRegions: [THERE] });
  const keyId = await replicated(first, { spec: 'HMAC_256' });
  const sign = (keys: RegionKeys): Promise<unknown> =>
    keys.macs.generate({ keyId, ...message }, use).then(
      () => 'done',
      (error: unknown) => (error as { code: string }).code,
    );
  expect([await sign(first), await sign(keysThere(first)), await sign(keysThere(first))]).toEqual([
    'done',
    'done',
    'done',
  ]);
  await first.close();
  const second = await store.open(life, { otherRegions: [THERE] });
  expect([await sign(second), await sign(keysThere(second))]).toEqual(['done', 'done']);
  expect([await sign(second), await sign(keysThere(second))]).toEqual(['ERR_KEYS_PERIOD_OVER', 'ERR_KEYS_PERIOD_OVER']);
});

test('Under nist the first use in whichever region gives both the same new material, once', async () => {
  await using store = await timedKeys();
  const manager = await store.open(NIST, { otherRegions: [THERE] });
  const there = keysThere(manager);
  const keyId = await replicated(manager);
  store.clock.day = 731;
  const seal = (keys: RegionKeys): Promise<{ readonly ciphertext: Uint8Array }> =>
    keys.operations.encrypt({ keyId, plaintext: Buffer.from('x'), context: {} }, use);
  const [here, away] = await Promise.all([seal(manager), seal(there), seal(there), seal(manager)]);
  const current = async (keys: RegionKeys): Promise<unknown> => (await keys.describeKey(keyId, use)).currentMaterialId;
  expect(await current(there)).toBe(await current(manager));
  expect((await there.describeKey(keyId, use)).materials).toHaveLength(2);
  await manager.operations.decrypt({ ciphertext: away.ciphertext, keyId, context: {} }, use);
  await there.operations.decrypt({ ciphertext: here.ciphertext, keyId, context: {} }, use);
  expect(store.audit('RotateKey').filter(({ result }) => result === 'success')).toHaveLength(1);
});

test('A replica made later is as old as its material', async () => {
  await using store = await timedKeys();
  const manager = await store.open({}, { otherRegions: [THERE] });
  const { keyId } = await manager.createKey({ multiRegion: true, spec: 'HMAC_256' }, use);
  store.clock.day = 700;
  await manager.multiRegion.replicate({ keyId, replicaRegion: THERE }, use);
  store.clock.day = 731;
  await keysThere(manager).macs.generate({ keyId, ...message }, use);
  const endedAt = new Date(START + 730 * 86_400_000).toISOString();
  expect(store.warnings).toMatchObject([{ reason: 'end of originator period', facts: { endedAt } }]);
});
