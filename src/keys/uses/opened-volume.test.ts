/** What each caller opens with each key is told, for metrics and alarms: all that opens, and nothing that does not. */
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE } from '../../../test/support/keys/keys.ts';
import type { AuthorizationQuestion, KeyAuthorizer } from '../options.ts';
import type { KeyUse } from './data-keys.ts';

const context = Object.freeze({ purpose: 'test' });
const user = (name: string): KeyUse => ({
  ...TEST_USE,
  via: 'kms',
  principal: `arn:aws:iam::000000000000:user/${name}`,
});

test('Each use that opens something is told once, with its caller and key, cached or not', async () => {
  await using keys = await keyFolder();
  const told: (readonly [string, string])[] = [];
  const nothing = (): void => undefined;
  const decrypted = (principal: string, keyArn: string): void => void told.push([principal, keyArn]);
  const metrics = { cacheHit: nothing, cacheMiss: nothing, keyUse: nothing, decrypted };
  const decide = ({ principal }: AuthorizationQuestion): ReturnType<KeyAuthorizer['decide']> => ({
    allow: !principal.endsWith('/mallory'),
    why: 'test',
  });
  const manager = await keys.open({}, { metrics, authorizer: { decide } });
  const [ann, mallory] = [user('ann'), user('mallory')];
  const aes = await manager.createKey({}, TEST_USE);
  const rsa = await manager.createKey({ spec: 'RSA_2048', usage: 'ENCRYPT_DECRYPT' }, TEST_USE);
  const kem = await manager.createKey({ spec: 'ML_KEM_512' }, TEST_USE);
  const expectTold = (arn: string, times: number): void => {
    expect(told.splice(0)).toEqual(Array.from({ length: times }, () => [ann.principal, arn]));
  };

  const { wrapped } = await manager.generateDataKey({ keyId: aes.keyId, context }, ann);
  const { operations, pairs } = manager;
  const { ciphertext } = await operations.encrypt({ keyId: aes.keyId, plaintext: Buffer.from('x'), context }, ann);
  expectTold(aes.arn, 0);
  for (let time = 0; time < 2; time += 1) await manager.decrypt({ wrapped, context }, ann);
  expect(manager.decryptNow({ wrapped, context }, ann)).toBeDefined();
  const asked = { request: { wrapped, context }, use: ann };
  expect(manager.decryptEachNow([asked, asked])).not.toContain(undefined);
  expectTold(aes.arn, 5);
  const source = { ciphertext, keyId: undefined, context };
  await operations.decrypt(source, ann);
  await operations.reEncrypt({ source, destination: { keyId: aes.keyId, context: {} } }, ann);
  expectTold(aes.arn, 2);

  const algorithm = 'RSAES_OAEP_SHA_256';
  const sealed = await operations.encrypt(
    { keyId: rsa.keyId, plaintext: Buffer.from('x'), algorithm, context: {} },
    ann,
  );
  await operations.decrypt({ keyId: rsa.keyId, ciphertext: sealed.ciphertext, algorithm, context: {} }, ann);
  expectTold(rsa.arn, 1);
  const encapsulated = await pairs.encapsulate({ keyId: kem.keyId }, ann);
  await pairs.decapsulate({ keyId: kem.keyId, ciphertext: encapsulated.ciphertext }, ann);
  expectTold(kem.arn, 1);

  // Nothing was opened.
  await expect(operations.decrypt({ ...source, dryRun: true }, ann)).rejects.toMatchObject({
    code: 'ERR_KEYS_DRY_RUN',
  });
  await expect(operations.decrypt({ ...source, context: {} }, ann)).rejects.toMatchObject({
    code: 'ERR_KEYS_CIPHERTEXT_INVALID',
  });
  await expect(operations.decrypt(source, mallory)).rejects.toBeDefined();
  await expect(manager.decrypt({ wrapped, context }, mallory)).rejects.toMatchObject({
    code: 'ERR_KEYS_ACCESS_DENIED',
  });
  expectTold(aes.arn, 0);
});
