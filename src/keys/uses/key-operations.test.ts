import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use } from '../../../test/support/keys/keys.ts';
import type { AuthorizationQuestion, KeyAuthorizer } from '../options.ts';

const context = { purpose: 'test' };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** Denies the actions named, and remembers every question. */
function authorizer(...denied: readonly string[]): KeyAuthorizer & { readonly asked: AuthorizationQuestion[] } {
  const asked: AuthorizationQuestion[] = [];
  return {
    asked,
    decide: (question) => {
      asked.push(question);
      return { allow: !denied.includes(question.action), why: 'test' };
    },
  };
}

describe('encrypting and decrypting', () => {
  test('1 to 4096 bytes come back as they were, with key and material; more are refused', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const key = await manager.createKey({ alias: 'alias/a' }, use);
    const used = { keyArn: key.arn, materialId: key.currentMaterialId };
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 4096 }), async (plaintext) => {
        const { ciphertext, ...by } = await manager.operations.encrypt({ keyId: 'alias/a', plaintext, context }, use);
        expect(by).toEqual(used);
        const opened = await manager.operations.decrypt({ ciphertext, keyId: undefined, context }, use);
        expect({ ...opened, plaintext: new Uint8Array(opened.plaintext) }).toEqual({ ...used, plaintext });
      }),
      { numRuns: 50 },
    );
    for (const length of [0, 4097]) {
      const tooLong = manager.operations.encrypt({ keyId: key.keyId, plaintext: Buffer.alloc(length), context }, use);
      await expect(tooLong).rejects.toMatchObject({ code: 'ERR_KEYS_INVALID_REQUEST' });
    }
  });

  test('Another context, another key, other bytes and ciphertexts of elsewhere are told apart only as AWS tells them', async () => {
    await using keys = await keyFolder();
    await using others = await keyFolder();
    const manager = await keys.open();
    const [key, other] = [await manager.createKey({}, use), await manager.createKey({}, use)];
    const { ciphertext } = await manager.operations.encrypt(
      { keyId: key.keyId, plaintext: Buffer.from('x'), context },
      use,
    );
    const foreign = await others.open();
    const { keyId } = await foreign.createKey({}, use);
    const elsewhere = (await foreign.operations.encrypt({ keyId, plaintext: Buffer.from('x'), context }, use))
      .ciphertext;
    const code = (source: { ciphertext?: Uint8Array; keyId?: string; context?: Record<string, string> }) =>
      manager.operations.decrypt({ ciphertext, keyId: undefined, context, ...source }, use).then(
        () => 'opened',
        (error: unknown) => (error as { code: string }).code,
      );
    const damaged = Uint8Array.from(ciphertext, (byte, at) => (at === ciphertext.length - 1 ? byte ^ 1 : byte));
    expect(await code({ keyId: key.keyId })).toBe('opened');
    expect(await code({ context: {} })).toBe('ERR_KEYS_CIPHERTEXT_INVALID');
    expect(await code({ context: { purpos: 'etest' } })).toBe('ERR_KEYS_CIPHERTEXT_INVALID');
    expect(await code({ ciphertext: damaged })).toBe('ERR_KEYS_CIPHERTEXT_INVALID');
    expect(await code({ ciphertext: Buffer.from('not one') })).toBe('ERR_KEYS_CIPHERTEXT_INVALID');
    expect(await code({ ciphertext: Buffer.from('AQICAHgvYt6z', 'base64') })).toBe('ERR_KEYS_CIPHERTEXT_FOREIGN');
    expect(await code({ ciphertext: elsewhere })).toBe('ERR_KEYS_CIPHERTEXT_UNKNOWN_KEY');
    expect(await code({ keyId: other.keyId })).toBe('ERR_KEYS_INCORRECT_KEY');
    expect(await code({ ciphertext: elsewhere, keyId: other.keyId })).toBe('ERR_KEYS_INCORRECT_KEY');
    expect(await code({ keyId: 'alias/nobody' })).toBe('ERR_KEYS_NOT_FOUND');
  });

  test('What an old material wrapped opens after a rotation, and names that material', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const key = await manager.createKey({}, use);
    const { ciphertext } = await manager.operations.encrypt(
      { keyId: key.keyId, plaintext: Buffer.from('x'), context },
      use,
    );
    const rotated = await manager.rotateKey(key.keyId, use);
    const opened = await manager.operations.decrypt({ ciphertext, keyId: undefined, context }, use);
    expect(opened.materialId).toBe(key.currentMaterialId);
    const again = await manager.operations.encrypt({ keyId: key.keyId, plaintext: Buffer.from('x'), context }, use);
    expect(again.materialId).toBe(rotated.currentMaterialId);
  });

  test('ReEncrypt moves to another key and context, and says both keys', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const [from, to] = [await manager.createKey({}, use), await manager.createKey({}, use)];
    const plaintext = Buffer.from('moved');
    const { ciphertext } = await manager.operations.encrypt({ keyId: from.keyId, plaintext, context }, use);
    const request = {
      source: { ciphertext, keyId: undefined, context },
      destination: { keyId: to.keyId, context: { new: 'one' } },
    };
    const moved = await manager.operations.reEncrypt(request, use);
    expect([moved.source.keyArn, moved.destination.keyArn]).toEqual([from.arn, to.arn]);
    const opened = await manager.operations.decrypt(
      { ciphertext: moved.ciphertext, keyId: to.keyId, context: { new: 'one' } },
      use,
    );
    expect(text(opened.plaintext)).toBe('moved');
  });

  test('Data keys of 1 to 1024 bytes are fresh, and open to what was given; without plaintext none is given', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    for (const bytes of [1, 16, 32, 1024]) {
      const made = await manager.operations.generateDataKey({ keyId, bytes, context }, use);
      expect(made.plaintext).toHaveLength(bytes);
      const opened = await manager.operations.decrypt({ ciphertext: made.ciphertext, keyId, context }, use);
      expect(opened.plaintext).toEqual(made.plaintext);
      const sealed = await manager.operations.generateDataKeyWithoutPlaintext({ keyId, bytes, context }, use);
      expect(Object.keys(sealed).sort()).toEqual(['ciphertext', 'keyArn', 'materialId']);
      expect(
        (await manager.operations.decrypt({ ciphertext: sealed.ciphertext, keyId, context }, use)).plaintext,
      ).toHaveLength(bytes);
      expect(await manager.operations.generateRandom(bytes, use)).toHaveLength(bytes);
    }
    for (const bytes of [0, 1025, 1.5]) {
      const refused = { code: 'ERR_KEYS_INVALID_REQUEST' };
      await expect(manager.operations.generateDataKey({ keyId, bytes, context }, use)).rejects.toMatchObject(refused);
      await expect(manager.operations.generateRandom(bytes, use)).rejects.toMatchObject(refused);
    }
  });
});

describe('dry runs', () => {
  test('end with their own code where the request would succeed, and with its error where not; nothing is used', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const sealed = await manager.operations.generateDataKeyWithoutPlaintext({ keyId, bytes: 32, context }, use);
    const { lastUse } = await manager.settings.lastUsage(keyId, use);
    const plaintext = Buffer.from('x');
    const { ciphertext } = sealed;
    const dry = { dryRun: true } as const;
    const destination = { keyId, context };
    const runs = [
      () => manager.operations.encrypt({ keyId, plaintext, context, ...dry }, use),
      () => manager.operations.decrypt({ ciphertext, keyId: undefined, context, ...dry }, use),
      () => manager.operations.decrypt({ ciphertext: undefined, keyId, context, ...dry }, use),
      () => manager.operations.reEncrypt({ source: { ciphertext, keyId, context }, destination, ...dry }, use),
      () =>
        manager.operations.reEncrypt({ source: { ciphertext: undefined, keyId, context }, destination, ...dry }, use),
      () => manager.operations.generateDataKey({ keyId, bytes: 32, context, ...dry }, use),
      () => manager.operations.generateDataKeyWithoutPlaintext({ keyId, bytes: 32, context, ...dry }, use),
    ];
    for (const run of runs) await expect(run()).rejects.toMatchObject({ code: 'ERR_KEYS_DRY_RUN' });
    const wrong = manager.operations.decrypt({ ciphertext, keyId, context: {}, ...dry }, use);
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_KEYS_CIPHERTEXT_INVALID' });
    expect((await manager.settings.lastUsage(keyId, use)).lastUse).toEqual(lastUse);
    await manager.disableKey(keyId, use);
    for (const run of runs) await expect(run()).rejects.toMatchObject({ code: 'ERR_KEYS_DISABLED' });
  });

  test('Without a ciphertext only a dry run that names a key is answered', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    for (const source of [
      { keyId, dryRun: false },
      { keyId: undefined, dryRun: true },
    ]) {
      const asked = manager.operations.decrypt({ ciphertext: undefined, context, ...source }, use);
      await expect(asked).rejects.toMatchObject({ code: 'ERR_KEYS_INVALID_REQUEST' });
    }
  });
});

describe('permission', () => {
  test('is asked with the key, the context, and what the request says; a denial says who, what and which key', async () => {
    await using keys = await keyFolder();
    const asker = authorizer('Encrypt');
    const manager = await keys.open({}, { authorizer: asker });
    const key = await manager.createKey({ alias: 'alias/a', tags: [{ key: 'team', value: 'x' }] }, use);
    const request = { sourceIp: '10.0.0.1' };
    const denied = manager.operations.encrypt(
      { keyId: 'alias/a', plaintext: Buffer.from('x'), context },
      { ...use, request },
    );
    await expect(denied).rejects.toMatchObject({
      code: 'ERR_KEYS_ACCESS_DENIED',
      message: `User: ${use.principal} is not authorized to perform: kms:Encrypt on resource: ${key.arn}`,
    });
    const question = asker.asked.at(-1);
    expect(question).toMatchObject({
      principal: use.principal,
      action: 'Encrypt',
      keyId: key.keyId,
      context,
      request: {
        parameters: { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT', RequestAlias: 'alias/a' },
        sourceIp: '10.0.0.1',
      },
      key: { arn: key.arn, account: '000000000000', tags: { team: 'x' }, policy: undefined },
    });
    expect(question?.key?.aliases).toEqual(['alias/a']);
  });

  test('Who may not use the key that a ciphertext names is not told that it exists; who names it is told', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open({}, { authorizer: authorizer('Decrypt') });
    const key = await manager.createKey({}, use);
    const { ciphertext } = await manager.operations.encrypt(
      { keyId: key.keyId, plaintext: Buffer.from('x'), context },
      use,
    );
    const hidden = manager.operations.decrypt({ ciphertext, keyId: undefined, context }, use);
    await expect(hidden).rejects.toMatchObject({
      code: 'ERR_KEYS_ACCESS_DENIED',
      message: expect.stringMatching(/^The ciphertext refers to a customer master key that does not exist/u) as string,
    });
    const named = manager.operations.decrypt({ ciphertext, keyId: key.keyId, context }, use);
    await expect(named).rejects.toMatchObject({ message: expect.stringContaining(key.arn) as string });
    // Permission comes before the ciphertext is looked at.
    const garbage = manager.operations.decrypt({ ciphertext: Buffer.from('x'), keyId: key.keyId, context }, use);
    await expect(garbage).rejects.toMatchObject({ code: 'ERR_KEYS_ACCESS_DENIED' });
  });

  test('ReEncrypt needs both permissions, and tells whether both keys are one', async () => {
    for (const [denied, same] of [
      ['ReEncryptFrom', true],
      ['ReEncryptTo', false],
    ] as const) {
      await using keys = await keyFolder();
      const asker = authorizer(denied);
      const manager = await keys.open({}, { authorizer: asker });
      const [from, to] = [await manager.createKey({}, use), await manager.createKey({}, use)];
      const { ciphertext } = await manager.operations.encrypt(
        { keyId: from.keyId, plaintext: Buffer.from('x'), context },
        use,
      );
      const destination = { keyId: same ? from.keyId : to.keyId, context };
      const moved = manager.operations.reEncrypt(
        { source: { ciphertext, keyId: from.keyId, context }, destination },
        use,
      );
      await expect(moved).rejects.toMatchObject({ code: 'ERR_KEYS_ACCESS_DENIED' });
      expect(asker.asked.at(-1)).toMatchObject({
        action: denied,
        request: { parameters: { ReEncryptOnSameKey: String(same) } },
      });
    }
  });

  test('A grant token is refused while there are no grants', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const request = { grantTokens: ['token'] };
    const asked = manager.operations.encrypt({ keyId, plaintext: Buffer.from('x'), context }, { ...use, request });
    await expect(asked).rejects.toMatchObject({ code: 'ERR_KEYS_GRANT_TOKEN' });
  });
});

test('Every use is in the audit log with its request, and no plaintext is', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const { keyId } = await manager.createKey({}, use);
  const named = { ...use, requestId: 'request-7' };
  const plaintext = Buffer.from('the very secret text');
  const { ciphertext } = await manager.operations.encrypt({ keyId, plaintext, context }, named);
  await manager.operations.decrypt({ ciphertext, keyId, context }, named);
  await expect(manager.operations.decrypt({ ciphertext, keyId, context: {} }, named)).rejects.toThrow();
  const log = readFileSync(keys.options.audit.path, 'utf8');
  const records = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(records.slice(-3)).toMatchObject([
    { action: 'Encrypt', result: 'success', request: 'request-7', context },
    { action: 'Decrypt', result: 'success', request: 'request-7' },
    { action: 'Decrypt', result: 'ERR_KEYS_CIPHERTEXT_INVALID', request: 'request-7', context: {} },
  ]);
  for (const form of ['latin1', 'hex', 'base64'] as const) expect(log).not.toContain(plaintext.toString(form));
});

test('Using a key never writes to the key store', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const { keyId } = await manager.createKey({}, use);
  const files = ['', '-wal', '.epoch'].map((end) => `${keys.options.storePath}${end}`);
  const before = files.map((file) => readFileSync(file));
  const { ciphertext } = await manager.operations.generateDataKey({ keyId, bytes: 32, context }, use);
  await manager.operations.decrypt({ ciphertext, keyId, context }, use);
  await manager.operations.encrypt({ keyId, plaintext: Buffer.from('x'), context }, use);
  await manager.settings.lastUsage(keyId, use);
  expect(files.map((file) => readFileSync(file))).toEqual(before);
});
