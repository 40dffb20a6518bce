import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../../test/support/keys/keys.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import type { DecryptRequest } from './data-keys.ts';
import type { KeyManager } from '../key-manager.ts';
import { verifyAudit } from '../offline.ts';

const context: EncryptionContext = Object.freeze({ table: 'people', column: 'number' });

/** A data key that was made and has been opened once. */
async function opened(manager: KeyManager, held: EncryptionContext = context): Promise<DecryptRequest> {
  const { keyId } = await manager.createKey({}, use);
  const { wrapped } = await manager.generateDataKey({ keyId, context: held }, use);
  const request = { wrapped, context: held, keyId };
  await manager.decrypt(request, use);
  return request;
}

const records = ({ options }: KeyFolder): readonly unknown[] =>
  readFileSync(options.audit.path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

describe('decryptNow', () => {
  test('gives the same key as decrypt, and its record is in the file when it returns', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const request = await opened(manager);
    const before = records(keys).length;
    const now = manager.decryptNow(request, { ...use, resource: 'a row' });
    const after = records(keys);
    expect(after).toHaveLength(before + 1);
    expect(after.at(-1)).toMatchObject({ action: 'Decrypt', resource: 'a row', context, result: 'success' });
    const { dek, keyArn } = await manager.decrypt(request, use);
    expect(now?.dek.equals(dek)).toBe(true);
    expect(now?.keyArn).toBe(keyArn);
  });

  test('between uses that wait, the chain of records stays whole', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const request = await opened(manager);
    const waiting = Array.from({ length: 20 }, (_, index) => {
      if (index % 2 === 0) expect(manager.decryptNow(request, use)).toBeDefined();
      return manager.decrypt(request, use);
    });
    await Promise.all(waiting);
    await manager.close();
    expect(await verifyAudit(keys.options)).toMatchObject({ problem: undefined, unfinishedBytes: 0 });
  });

  test('gives the key of the same bytes in the same context, whichever array and object they come in', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const request = await opened(manager);
    const { dek } = await manager.decrypt(request, use);
    const other = { ...request, wrapped: Uint8Array.from(request.wrapped), context: Object.freeze({ ...context }) };
    expect(manager.decryptNow(other, use)?.dek.equals(dek)).toBe(true);
  });

  test('gives and records nothing for what decrypt has not opened, or not in this form', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const loose = await opened(manager, { table: 'people' });
    const request = await opened(manager);
    const { wrapped, keyId } = request;
    const before = records(keys).length;
    expect(manager.decryptNow(loose, use)).toBeUndefined();
    expect(manager.decryptNow({ ...request, context: { ...context } }, use)).toBeUndefined();
    expect(manager.decryptNow({ ...request, context: Object.freeze({ table: 'people' }) }, use)).toBeUndefined();
    expect(manager.decryptNow({ ...request, wrapped: wrapped.subarray(1) }, use)).toBeUndefined();
    expect(manager.decryptNow({ ...request, context: Object.freeze({ a: '\ud800' }) }, use)).toBeUndefined();
    expect(manager.decryptNow({ ...request, keyId: 'alias/nobody' }, use)).toBeUndefined();
    expect(manager.decryptNow({ ...request, keyId: loose.keyId ?? '' }, use)).toBeUndefined();
    wrapped[wrapped.length - 1] = (wrapped.at(-1) ?? 0) ^ 1;
    expect(manager.decryptNow({ wrapped, context, ...(keyId !== undefined && { keyId }) }, use)).toBeUndefined();
    expect(records(keys)).toHaveLength(before);
  });

  test('gives nothing from the moment the key is disabled, and to nobody who may not', async () => {
    await using keys = await keyFolder();
    const authorizer = {
      decide: ({ principal }: { principal: string }) => ({ allow: principal !== 'm', why: 'rule' }),
    };
    const manager = await keys.open({}, { authorizer });
    const request = await opened(manager);
    expect(manager.decryptNow(request, { ...use, principal: 'm' })).toBeUndefined();
    expect(manager.decryptNow(request, use)).toBeDefined();
    await manager.disableKey(request.keyId ?? '', use);
    expect(manager.decryptNow(request, use)).toBeUndefined();
    await manager.enableKey(request.keyId ?? '', use);
    // The cache was emptied: the key is unwrapped again first.
    expect(manager.decryptNow(request, use)).toBeUndefined();
    await manager.decrypt(request, use);
    expect(manager.decryptNow(request, use)).toBeDefined();
  });

  test('counts as a use of the cached key', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open({ cache: { maxUses: 3 } });
    const request = await opened(manager);
    expect(manager.decryptNow(request, use)).toBeDefined();
    expect(manager.decryptNow(request, use)).toBeDefined();
    expect(manager.decryptNow(request, use)).toBeUndefined();
  });

  test('gives nothing where records are synced before the answer leaves', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open({ audit: { ...keys.options.audit, durability: 'fsync' } });
    const request = await opened(manager);
    const before = records(keys).length;
    expect(manager.decryptNow(request, use)).toBeUndefined();
    expect(records(keys)).toHaveLength(before);
  });

  test('after closing it is refused', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const request = await opened(manager);
    await manager.close();
    expect(() => manager.decryptNow(request, use)).toThrow(expect.objectContaining({ code: 'ERR_KEYS_CLOSED' }));
  });
});
