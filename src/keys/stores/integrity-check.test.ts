/** SQLite's check of a store's file, in place and on a thread of its own. */
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../../test/support/keys/keys.ts';
import { CHECK_BESIDE_BYTES } from '../limits.ts';
import { startCheck } from './integrity-check.ts';

const SIZES = [
  { where: 'in place', besideBytes: Number.MAX_SAFE_INTEGER },
  { where: 'on a thread', besideBytes: 0 },
];

/** A table of somebody else's in the store, so that it is as large as one with many grants. */
function pad(path: string, bytes: number): void {
  using database = new DatabaseSync(path);
  database.exec('CREATE TABLE pad (bytes BLOB)');
  for (let at = 0; at < bytes; at += 1024 * 1024) database.exec('INSERT INTO pad VALUES (zeroblob(1048576))');
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

/** Another page says of itself what no page can be. */
function damagePad(path: string): void {
  const page = rootOf(path, 'pad');
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(100, 0xff), 0, 100, page);
  closeSync(file);
}

function rootOf(path: string, table: string): number {
  using database = new DatabaseSync(path, { readOnly: true });
  const root = database.prepare('SELECT rootpage FROM sqlite_master WHERE name = ?').get(table)?.['rootpage'];
  const size = database.prepare('PRAGMA page_size').get()?.['page_size'];
  return (Number(root) - 1) * Number(size);
}

async function store(bytes: number): Promise<KeyFolder> {
  const keys = await keyFolder();
  const manager = await keys.open();
  await manager.createKey({ alias: 'alias/a' }, use);
  await manager.close();
  pad(keys.options.storePath, bytes);
  return keys;
}

test.each(SIZES)('A sound file passes $where, a damaged one does not', async ({ besideBytes }) => {
  await using keys = await store(1);
  const { storePath } = keys.options;
  const check = async (): Promise<void> => {
    using database = new DatabaseSync(storePath, { readOnly: true });
    await startCheck(storePath, database, { besideBytes });
  };
  await check();
  damagePad(storePath);
  await expect(check()).rejects.toMatchObject({
    code: 'ERR_KEYS_STORE_DAMAGED',
    message: expect.stringMatching(/integrity check|cannot be read/u) as unknown,
  });
});

test('Where the thread says nothing the file is checked all the same', async () => {
  await using keys = await store(1);
  const { storePath } = keys.options;
  const check = async (): Promise<void> => {
    using database = new DatabaseSync(storePath, { readOnly: true });
    await startCheck(storePath, database, { besideBytes: 0, program: new URL('./no-such-file.ts', import.meta.url) });
  };
  await check();
  damagePad(storePath);
  await expect(check()).rejects.toMatchObject({ code: 'ERR_KEYS_STORE_DAMAGED' });
});

test('A large store opens where it is sound, and not where a page that no row is read from is damaged', async () => {
  await using keys = await store(CHECK_BESIDE_BYTES);
  const { storePath } = keys.options;
  expect(statSync(storePath).size).toBeGreaterThan(CHECK_BESIDE_BYTES);
  const manager = await keys.open();
  expect((await manager.describeKey('alias/a', use)).state).toBe('enabled');
  await manager.close();
  damagePad(storePath);
  await expect(keys.open()).rejects.toMatchObject({ code: 'ERR_KEYS_STORE_DAMAGED' });
});
