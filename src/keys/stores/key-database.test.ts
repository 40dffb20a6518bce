import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { keyFolder, TEST_USE as use } from '../../../test/support/keys/keys.ts';
import { readKeys } from '../offline.ts';
import { unsealStore } from './open-store.ts';

test('What was written is read back from the disk: a key whose bytes changed on the way is not acknowledged', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  await manager.createKey({}, use);
  const wal = `${keys.options.storePath}-wal`;
  const before = statSync(wal).size;
  const original = Object.getOwnPropertyDescriptor(DatabaseSync.prototype, 'exec')?.value as DatabaseSync['exec'];
  const exec = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql: string) {
    original.call(this, sql);
    if (sql === 'COMMIT') flipFrom(wal, before);
  });
  const { code } = await manager.createKey({}, use).then(
    () => ({ code: 'acknowledged' }),
    (error: unknown) => error as { code: string },
  );
  exec.mockRestore();
  expect(code).toMatch(/^ERR_KEYS_STORE_(TAMPERED|DAMAGED|WRITE)$/);
  await expect(manager.createKey({}, use)).rejects.toMatchObject({ code: 'ERR_KEYS_STORE_WRITE' });
});

/** Changes the content of every page that the WAL got after its first `from` bytes (https://sqlite.org/fileformat2.html#walformat). */
function flipFrom(wal: string, from: number): void {
  const bytes = readFileSync(wal);
  for (let frame = from; frame < bytes.length; frame += 24 + 4096)
    for (let at = frame + 24 + 1000; at < frame + 24 + 4096; at++) bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(wal, bytes, { flag: 'r+' });
}

test('A store that something else has changed is not written over', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  await manager.createKey({}, use);
  // As if the owner's lock had not held: a second writer, with the root.
  const other = await unsealStore(keys.options, 'owner');
  other.database.commit([], other.database.header.auditHead);
  other.database.close();
  await expect(manager.createKey({}, use)).rejects.toMatchObject({ code: 'ERR_KEYS_STORE_WRITE' });
  await manager.close().catch(() => undefined);
  await (await keys.open()).close();
  expect(await readKeys(keys.options, Date.now)).toHaveLength(1);
});
