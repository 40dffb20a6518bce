import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../../test/support/keys/keys.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import type { KeyManager } from '../key-manager.ts';
import { verifyAudit } from '../offline.ts';
import type { DecryptUse } from './data-keys.ts';

/** Uses of three columns' data keys by one caller, each opened once; under one key. */
async function columns(manager: KeyManager): Promise<readonly DecryptUse[]> {
  const { keyId } = await manager.createKey({}, use);
  const made: DecryptUse[] = [];
  for (const name of ['name', 'mail', 'born']) {
    const context: EncryptionContext = Object.freeze({ column: name });
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    await manager.decrypt({ wrapped, context, keyId }, use);
    made.push({ request: { wrapped, context, keyId }, use: Object.freeze({ ...use, resource: name }) });
  }
  return made;
}

type Line = { readonly action: string; readonly resource: string; readonly result: string };
const records = ({ options }: KeyFolder): readonly Line[] =>
  readFileSync(options.audit.path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

const had = (manager: KeyManager, asked: readonly DecryptUse[]): readonly boolean[] =>
  manager.decryptEachNow(asked).map((key) => key !== undefined);

describe('decryptEachNow', () => {
  test('gives the same keys as decrypt, and a record of each use, in order, is in the file when it returns', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const asked = await columns(manager);
    for (let times = 0; times < 3; times++) {
      const before = records(keys).length;
      const now = manager.decryptEachNow(asked);
      const after = records(keys).slice(before);
      expect(after).toMatchObject(
        ['name', 'mail', 'born'].map((resource) => ({ action: 'Decrypt', resource, result: 'success' })),
      );
      for (const [index, { request }] of asked.entries()) {
        const { dek } = await manager.decrypt(request, use);
        expect(now[index]?.dek.equals(dek)).toBe(true);
      }
    }
    await manager.close();
    expect(await verifyAudit(keys.options)).toMatchObject({ problem: undefined, unfinishedBytes: 0 });
  });

  test('says of each use what decryptNow says of it alone', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const asked = await columns(manager);
    const words = (lines: readonly Line[]): readonly object[] =>
      lines.map((line) => ({ ...line, seq: 0, time: '', prevHash: '', mac: '' }));
    const start = records(keys).length;
    manager.decryptEachNow(asked);
    for (const { request, use: each } of asked) manager.decryptNow(request, each);
    const said = words(records(keys).slice(start));
    expect(said).toHaveLength(6);
    expect(said.slice(3)).toEqual(said.slice(0, 3));
  });

  test('writes their records in one write', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const asked = await columns(manager);
    let writes = 0;
    manager.auditFeed.onWritten(() => (writes += 1));
    manager.decryptEachNow(asked);
    expect(writes).toBe(1);
    expect(manager.decryptEachNow([])).toEqual([]);
    expect(writes).toBe(1);
  });

  test('gives and records the others where one is not known, is refused, or is of another key', async () => {
    await using keys = await keyFolder();
    const authorizer = {
      decide: ({ principal }: { principal: string }) => ({ allow: principal !== 'm', why: 'rule' }),
    };
    const manager = await keys.open({}, { authorizer });
    const [first, second, third] = await columns(manager);
    if (first === undefined || second === undefined || third === undefined) throw new TypeError('three were made');
    const other = await manager.createKey({}, use);
    const { request } = second;
    const odd: readonly DecryptUse[] = [
      { ...second, request: { ...request, context: { ...request.context } } },
      { ...second, use: { ...second.use, principal: 'm' } },
      { ...second, request: { ...request, keyId: other.keyId } },
    ];
    for (const each of odd) {
      const before = records(keys).length;
      expect(had(manager, [first, each, third])).toEqual([true, false, true]);
      expect(
        records(keys)
          .slice(before)
          .map(({ resource }) => resource),
      ).toEqual(['name', 'born']);
      expect(had(manager, [each])).toEqual([false]);
      expect(records(keys)).toHaveLength(before + 2);
    }
  });

  test('gives nothing from the moment the key is disabled', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const asked = await columns(manager);
    expect(had(manager, asked)).toEqual([true, true, true]);
    await manager.disableKey(asked[0]?.request.keyId ?? '', use);
    expect(had(manager, asked)).toEqual([false, false, false]);
  });

  test('counts as a use of each cached key, twice where it is asked for twice', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open({ cache: { maxUses: 3 } });
    const [first, second] = await columns(manager);
    if (first === undefined || second === undefined) throw new TypeError('three were made');
    expect(had(manager, [first, second, first, first])).toEqual([true, true, true, false]);
    expect(had(manager, [second, second])).toEqual([true, false]);
  });

  test('gives nothing where records are synced before the answer leaves', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open({ audit: { ...keys.options.audit, durability: 'fsync' } });
    const asked = await columns(manager);
    const before = records(keys).length;
    expect(had(manager, asked)).toEqual([false, false, false]);
    expect(records(keys)).toHaveLength(before);
  });

  test('where the records cannot be written it is refused whole, and goes on when they can be again', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const asked = await columns(manager);
    const before = records(keys).length;
    const release = manager.auditFeed.hold(() => 'a sink is behind');
    expect(() => manager.decryptEachNow(asked)).toThrow(
      expect.objectContaining({ code: 'ERR_KEYS_AUDIT_UNAVAILABLE' }),
    );
    expect(records(keys)).toHaveLength(before);
    release();
    expect(had(manager, asked)).toEqual([true, true, true]);
    expect(records(keys)).toHaveLength(before + 3);
  });

  test('after closing it is refused', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const asked = await columns(manager);
    await manager.close();
    expect(() => manager.decryptEachNow(asked)).toThrow(expect.objectContaining({ code: 'ERR_KEYS_CLOSED' }));
  });
});
