import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use } from '../../test/support/keys/keys.ts';
import type { EncryptionContext } from '../envelope/encryption-context.ts';
import { wrapKey } from '../envelope/wrapped-key.ts';
import { takeKey } from '../crypto/key-types.ts';
import type { WrappedDataKey } from './uses/data-keys.ts';
import type { AuthorizationQuestion } from './options.ts';

const context: EncryptionContext = { 'aws:s3:arn': 'arn:aws:s3:::b/k' };
const same = (a: WrappedDataKey['dek'], b: WrappedDataKey['dek']): boolean => a.equals(b);

describe('keys', () => {
  test('A key is found by its id, its ARN, its alias and its alias ARN', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const key = await manager.createKey({ alias: 'alias/team/a', description: 'first' }, use);
    expect(key.arn).toBe(`arn:aws:kms:eu-central-1:000000000000:key/${key.keyId}`);
    const names = [key.keyId, key.arn, 'alias/team/a', 'arn:aws:kms:eu-central-1:000000000000:alias/team/a'];
    for (const name of names) expect(await manager.describeKey(name, use)).toEqual(key);
    for (const name of names) expect(await manager.resolveKey(name)).toBe(key.arn);
    expect(await manager.listKeys(use)).toEqual([key]);
  });

  test.each([
    ['no-such-form', 'ERR_KEYS_INVALID_ID'],
    ['alias/', 'ERR_KEYS_INVALID_ID'],
    ['alias/nobody', 'ERR_KEYS_NOT_FOUND'],
    ['134f2428-cec1-4b25-a1ae-9048164dba47', 'ERR_KEYS_NOT_FOUND'],
    ['arn:aws:kms:us-east-1:000000000000:key/134f2428-cec1-4b25-a1ae-9048164dba47', 'ERR_KEYS_NOT_FOUND'],
    ['arn:aws:kms:eu-central-1:000000000000:secret/x', 'ERR_KEYS_INVALID_ARN'],
    ['arn:aws:kms', 'ERR_KEYS_INVALID_ARN'],
  ])('The key name %s is refused with %s', async (name, code) => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    await expect(manager.describeKey(name, use)).rejects.toMatchObject({ code });
    await expect(manager.generateDataKey({ keyId: name, context }, use)).rejects.toMatchObject({ code });
  });

  test('Any text as a key name gives a KeysError and nothing else', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    await fc.assert(
      fc.asyncProperty(fc.string(), async (name) => {
        await expect(manager.resolveKey(name)).rejects.toMatchObject({ name: 'KeysError' });
      }),
      { numRuns: 100 },
    );
  });

  test('Keys, aliases, states and materials are the same after reopening', async () => {
    await using keys = await keyFolder();
    const first = await keys.open();
    await first.createKey({ alias: 'alias/a' }, use);
    await first.rotateKey('alias/a', use);
    await first.createKey({ alias: 'alias/b' }, use);
    await first.disableKey('alias/b', use);
    const before = [await first.listKeys(use), await first.listAliases(use)];
    await first.close();
    const second = await keys.open();
    expect([await second.listKeys(use), await second.listAliases(use)]).toEqual(before);
  });

  test('An alias can be moved and removed, and a taken name is refused', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const a = await manager.createKey({ alias: 'alias/x' }, use);
    const b = await manager.createKey({}, use);
    await expect(manager.createAlias({ aliasName: 'alias/x', keyId: b.keyId }, use)).rejects.toMatchObject({
      code: 'ERR_KEYS_ALIAS_EXISTS',
    });
    await expect(manager.createKey({ alias: 'alias/x' }, use)).rejects.toMatchObject({ code: 'ERR_KEYS_ALIAS_EXISTS' });
    await expect(manager.createAlias({ aliasName: 'alias/aws/s3', keyId: b.keyId }, use)).rejects.toMatchObject({
      code: 'ERR_KEYS_INVALID_REQUEST',
    });
    await manager.updateAlias({ aliasName: 'alias/x', keyId: b.keyId }, use);
    expect((await manager.describeKey('alias/x', use)).keyId).toBe(b.keyId);
    await manager.deleteAlias('alias/x', use);
    await expect(manager.describeKey('alias/x', use)).rejects.toMatchObject({ code: 'ERR_KEYS_NOT_FOUND' });
    expect((await manager.describeKey(a.keyId, use)).aliases).toEqual([]);
  });

  test('Two aliases asked for at once under one name: one is made, the other refused', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const key = await manager.createKey({}, use);
    const attempt = (): Promise<unknown> => manager.createAlias({ aliasName: 'alias/one', keyId: key.keyId }, use);
    const results = await Promise.allSettled([attempt(), attempt(), attempt()]);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });

  test('A second owner is refused while the first lives', async () => {
    await using keys = await keyFolder();
    const first = await keys.open();
    await expect(keys.open()).rejects.toMatchObject({ code: 'ERR_KEYS_STORE_IN_USE' });
    await first.close();
    await keys.open();
  });

  test('After closing every method is refused', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    await manager.close();
    await expect(manager.createKey({}, use)).rejects.toMatchObject({ code: 'ERR_KEYS_CLOSED' });
    await expect(manager.ready()).rejects.toMatchObject({ code: 'ERR_KEYS_CLOSED' });
  });
});

describe('data keys', () => {
  test('A data key opens with its context and no other', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const pairs = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(pairs, pairs, async (right, other) => {
        const made = await manager.generateDataKey({ keyId, context: right }, use);
        const opened = await manager.decrypt({ wrapped: made.wrapped, context: { ...right } }, use);
        expect(same(opened.dek, made.dek)).toBe(true);
        fc.pre(JSON.stringify(Object.entries(right).sort()) !== JSON.stringify(Object.entries(other).sort()));
        const wrong = manager.decrypt({ wrapped: made.wrapped, context: other }, use);
        await expect(wrong).rejects.toMatchObject({ code: 'ERR_KEYS_CIPHERTEXT_INVALID' });
      }),
      { numRuns: 60 },
    );
  });

  test('Concatenated context is not the same context', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const { wrapped } = await manager.generateDataKey({ keyId, context: { a: 'bc' } }, use);
    await manager.decrypt({ wrapped, context: { a: 'bc' } }, use);
    await expect(manager.decrypt({ wrapped, context: { ab: 'c' } }, use)).rejects.toMatchObject({
      code: 'ERR_KEYS_CIPHERTEXT_INVALID',
    });
  });

  test('A wrapped key with any byte flipped does not open', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    for (let at = 0; at < wrapped.length; at++) {
      const bad = wrapped.slice();
      bad[at] = (bad[at] ?? 0) ^ 0x01;
      const code = expect.stringMatching(/^ERR_KEYS_(CIPHERTEXT_INVALID|NOT_FOUND)$/) as unknown;
      await expect(manager.decrypt({ wrapped: bad, context }, use)).rejects.toMatchObject({ code });
    }
    for (const length of [0, 1, 20, wrapped.length - 1]) {
      const cut = manager.decrypt({ wrapped: wrapped.slice(0, length), context }, use);
      await expect(cut).rejects.toMatchObject({ code: 'ERR_KEYS_CIPHERTEXT_INVALID' });
    }
  });

  test('After rotation old data keys open and new ones carry the new material', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const made: WrappedDataKey[] = [];
    for (let round = 0; round < 4; round++) {
      made.push(await manager.generateDataKey({ keyId, context }, use));
      await manager.rotateKey(keyId, use);
    }
    const refs = made.map(({ wrapped }) => Buffer.from(wrapped.subarray(21, 29)).toString('hex'));
    expect(new Set(refs).size).toBe(4);
    const key = await manager.describeKey(keyId, use);
    expect(key.materials.map(({ state }) => state)).toEqual([
      'deactivated',
      'deactivated',
      'deactivated',
      'deactivated',
      'active',
    ]);
    await manager.close();
    const again = await keys.open();
    for (const { wrapped, dek } of made)
      expect(same((await again.decrypt({ wrapped, context }, use)).dek, dek)).toBe(true);
  });

  test('A request that names another key than the one that wrapped is refused', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const a = await manager.createKey({}, use);
    const b = await manager.createKey({}, use);
    const { wrapped } = await manager.generateDataKey({ keyId: a.keyId, context }, use);
    await manager.decrypt({ wrapped, context, keyId: a.arn }, use);
    await expect(manager.decrypt({ wrapped, context, keyId: b.arn }, use)).rejects.toMatchObject({
      code: 'ERR_KEYS_INCORRECT_KEY',
    });
  });

  test('ReEncrypt keeps the data key under another key and context', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const a = await manager.createKey({}, use);
    const b = await manager.createKey({}, use);
    const made = await manager.generateDataKey({ keyId: a.keyId, context }, use);
    const request = {
      wrapped: made.wrapped,
      sourceContext: context,
      destinationKeyId: b.keyId,
      destinationContext: { moved: 'yes' },
    };
    const moved = await manager.reEncrypt(request, use);
    expect(moved.keyArn).toBe(b.arn);
    await manager.disableKey(a.keyId, use);
    expect(
      same((await manager.decrypt({ wrapped: moved.wrapped, context: { moved: 'yes' } }, use)).dek, made.dek),
    ).toBe(true);
    await expect(manager.reEncrypt(request, use)).rejects.toMatchObject({ code: 'ERR_KEYS_DISABLED' });
  });

  test('A wrapped text that is no data key is not opened as one', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    const forged = wrapKey(
      {
        kek: takeKey('Kek', new Uint8Array(32)),
        keyUuid: wrapped.slice(5, 21),
        materialId: Buffer.concat([wrapped.slice(21, 29), new Uint8Array(24)]),
        plaintext: new Uint8Array(33),
        context,
      },
      (bytes) => new Uint8Array(bytes),
    );
    await expect(manager.decrypt({ wrapped: forged, context }, use)).rejects.toMatchObject({
      code: 'ERR_KEYS_CIPHERTEXT_INVALID',
    });
  });

  test('Many callers at once each get their own data key', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const one = async (n: number): Promise<boolean> => {
      const mine = { n: String(n) };
      const made = await manager.generateDataKey({ keyId, context: mine }, use);
      if (n % 50 === 0) await manager.rotateKey(keyId, use);
      return same((await manager.decrypt({ wrapped: made.wrapped, context: mine }, use)).dek, made.dek);
    };
    expect((await Promise.all(Array.from({ length: 300 }, (_, n) => one(n)))).every(Boolean)).toBe(true);
  });

  test('Who is denied gets nothing, cached or not, and the denial is recorded', async () => {
    await using keys = await keyFolder();
    const asked: AuthorizationQuestion[] = [];
    const authorizer = {
      decide: (question: AuthorizationQuestion) => {
        asked.push(question);
        return { allow: question.principal !== 'mallory', why: 'test rule' };
      },
    };
    const manager = await keys.open({}, { authorizer });
    const { keyId } = await manager.createKey({}, use);
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    await manager.decrypt({ wrapped, context }, use);
    const denied = manager.decrypt({ wrapped, context }, { ...use, principal: 'mallory' });
    await expect(denied).rejects.toMatchObject({ code: 'ERR_KEYS_ACCESS_DENIED' });
    expect(asked.at(-1)).toMatchObject({ principal: 'mallory', action: 'Decrypt', keyId });
    const last = readFileSync(keys.options.audit.path, 'utf8').trimEnd().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({
      principal: 'mallory',
      decision: 'deny',
      why: 'test rule',
      result: 'ERR_KEYS_ACCESS_DENIED',
    });
  });
});

describe('disabling', () => {
  test('A disabled key neither wraps nor opens from the moment the call returns, and does again once enabled', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    await manager.decrypt({ wrapped, context }, use);
    await manager.disableKey(keyId, use);
    await expect(manager.decrypt({ wrapped, context }, use)).rejects.toMatchObject({ code: 'ERR_KEYS_DISABLED' });
    await expect(manager.generateDataKey({ keyId, context }, use)).rejects.toMatchObject({ code: 'ERR_KEYS_DISABLED' });
    await expect(manager.rotateKey(keyId, use)).rejects.toMatchObject({ code: 'ERR_KEYS_DISABLED' });
    await expect(manager.resolveKey(keyId)).rejects.toMatchObject({ code: 'ERR_KEYS_DISABLED' });
    await manager.enableKey(keyId, use);
    await manager.decrypt({ wrapped, context }, use);
  });

  test('No use asked for after disabling has resolved succeeds, under load', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    let disabled = false;
    let late = 0;
    const worker = async (): Promise<void> => {
      for (;;) {
        const askedAfter = disabled;
        try {
          await manager.decrypt({ wrapped, context }, use);
          if (askedAfter) late += 1;
        } catch {
          return;
        }
      }
    };
    const workers = Array.from({ length: 20 }, worker);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await manager.disableKey(keyId, use);
    disabled = true;
    await Promise.all(workers);
    expect(late).toBe(0);
  });
});

describe('service keys and escrow', () => {
  test('A service key is the same after reopening, and differs by purpose; unknown epochs are refused', async () => {
    await using keys = await keyFolder();
    const first = await keys.open();
    const token = await first.serviceKey('s3-upload-token');
    // The first that is not the root’s.
    expect(token.epoch).toBe(2);
    await first.close();
    const second = await keys.open();
    expect((await second.serviceKey('s3-upload-token', 2)).key.equals(token.key)).toBe(true);
    expect((await second.serviceKey('other')).key.equals(token.key)).toBe(false);
    for (const epoch of [0, 3, 1.5]) {
      await expect(second.serviceKey('s3-upload-token', epoch)).rejects.toMatchObject({ code: 'ERR_KEYS_NOT_FOUND' });
    }
  });

  test('Escrow keeps records across reopening, takes the same twice, and refuses another under the same id', async () => {
    await using keys = await keyFolder();
    const first = await keys.open();
    const record = {
      dekId: new Uint8Array(16).fill(7),
      owner: 'db-1',
      wrapped: new Uint8Array(137).fill(1),
      context: { db: '1' },
    };
    await first.escrow(record, use);
    await first.escrow({ ...record }, use);
    await expect(first.escrow({ ...record, owner: 'db-2' }, use)).rejects.toMatchObject({
      code: 'ERR_KEYS_ESCROW_CONFLICT',
    });
    await expect(first.escrow({ ...record, dekId: new Uint8Array(3) }, use)).rejects.toMatchObject({
      code: 'ERR_KEYS_INVALID_REQUEST',
    });
    await first.close();
    const second = await keys.open();
    const [held, ...others] = await second.escrowed('db-1');
    expect(others).toEqual([]);
    expect({ ...held, context: { ...held?.context } }).toEqual(record);
    expect(await second.escrowed('db-2')).toEqual([]);
  });
});
