/** Slow work with key pairs keeps no other use of a key waiting, also where each record is synced on the threads that it runs on. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as use } from '../../../test/support/keys/keys.ts';

test('Where too many keys are being made, one more is told to come later', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const wrapping = await manager.createKey({}, use);
  const asked = { keyId: wrapping.keyId, spec: 'RSA_2048', context: {} } as const;
  const made = await Promise.allSettled(
    Array.from({ length: 100 }, () => manager.operations.generateDataKeyPairWithoutPlaintext(asked, use)),
  );
  const refused = made.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  // One at work, 64 waiting.
  expect(refused).toHaveLength(35);
  for (const reason of refused) expect(reason).toMatchObject({ code: 'ERR_KEYS_BUSY' });
});

test('Data keys are made and opened while hundreds of RSA signatures and several RSA keys are under way', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open({ audit: { path: keys.path('audit.log'), durability: 'fsync' } });
  const { keyId } = await manager.createKey({ spec: 'RSA_4096', usage: 'SIGN_VERIFY' }, use);
  const aes = await manager.createKey({}, use);
  const message = createHash('sha256').update('x').digest();
  let signed = 0;
  let made = 0;
  const sign = async (messageType: 'RAW' | 'DIGEST'): Promise<void> => {
    await manager.signatures.sign({ keyId, message, messageType, algorithm: 'RSASSA_PSS_SHA_256' }, use);
    signed += 1;
  };
  const work = [
    ...Array.from({ length: 300 }, () => sign('RAW')),
    ...Array.from({ length: 300 }, () => sign('DIGEST')),
    ...Array.from({ length: 5 }, async () => {
      await manager.createKey({ spec: 'RSA_4096', usage: 'SIGN_VERIFY' }, use);
      made += 1;
    }),
  ];
  const context = { a: 'b' };
  const { wrapped } = await manager.generateDataKey({ keyId: aes.keyId, context }, use);
  // It has overtaken most of what was asked before it; of more uses a slow disk alone, which each waits for, could say otherwise.
  expect(signed).toBeLessThan(300);
  expect(made).toBeLessThan(5);
  for (let round = 0; round < 5; round += 1) await manager.decrypt({ wrapped, context }, use);
  await Promise.all(work);
  expect([signed, made]).toEqual([600, 5]);
});
