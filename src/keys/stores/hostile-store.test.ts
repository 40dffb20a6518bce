/** Stores that somebody wrote who has no key: whatever stands in one, it is refused by an error of ours, or is as it was. */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeysError } from '../errors.ts';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../../test/support/keys/keys.ts';

const REFUSED = /^ERR_KEYS_STORE_(?:TAMPERED|DAMAGED|VERSION)$|^ERR_KEYS_UNSEAL_FAILED$|^ERR_KEYS_SLOT_PARAMETERS$/u;

async function filled(keys: KeyFolder): Promise<void> {
  const manager = await keys.open();
  const { keyId } = await manager.createKey(
    { alias: 'alias/a', description: 'one', tags: [{ key: 't', value: 'v' }] },
    use,
  );
  await manager.rotateKey(keyId, use);
  await manager.createKey({ spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' }, use);
  await manager.grants.create({ keyId, grantee: use.principal, operations: ['Encrypt'] }, use);
  await manager.escrow({ dekId: new Uint8Array(16), owner: 'db', wrapped: new Uint8Array(10), context: {} }, use);
  await manager.close();
}

type Held = { readonly keys: string; readonly grants: readonly string[] };

/** What a store holds; or the code why it does not open, or why its grants are not believed. */
async function held(keys: KeyFolder): Promise<Held | string> {
  try {
    const manager = await keys.open();
    try {
      const all = await manager.listKeys(use);
      const pages = all.map(({ keyId }) => manager.grants.list({ keyId, limit: 10, after: undefined }, use));
      const grants = (await Promise.all(pages)).flatMap(({ items }) => items.map((grant) => JSON.stringify(grant)));
      return { keys: JSON.stringify([all, await manager.listAliases(use), await manager.escrowed('db')]), grants };
    } finally {
      await manager.close();
    }
  } catch (error) {
    if (error instanceof KeysError) return error.code;
    throw error;
  }
}

/** Refused; or nothing is otherwise. A grant that nobody finds any more gives nothing to anybody: backups find that it is missing. */
function expectHarmless(what: unknown, after: Held | string, good: Held): void {
  if (typeof after === 'string') return expect([what, after]).toEqual([what, expect.stringMatching(REFUSED)]);
  expect([what, after.keys]).toEqual([what, good.keys]);
  for (const grant of after.grants) expect([what, good.grants]).toEqual([what, expect.arrayContaining([grant])]);
}

/** Runs `damage` on a copy of a good store and says what became of it. */
async function afterDamage(keys: KeyFolder, damage: (path: string) => void): Promise<Held | string> {
  const { storePath, audit } = keys.options;
  for (const path of [storePath, audit.path]) copyFileSync(`${path}.good`, path);
  for (const path of [`${storePath}-wal`, `${storePath}-shm`, `${audit.path}.head`]) rmSync(path, { force: true });
  damage(storePath);
  return held(keys);
}

async function goodStore(keys: KeyFolder): Promise<Held> {
  await filled(keys);
  const { storePath, audit } = keys.options;
  for (const path of [storePath, audit.path]) copyFileSync(path, `${path}.good`);
  const good = await afterDamage(keys, () => undefined);
  if (typeof good === 'string') throw new Error(good);
  expect(good.grants).toHaveLength(1);
  return good;
}

type Cell = { readonly table: string; readonly nth: number; readonly column: string };

function cellsOf(path: string): readonly Cell[] {
  const database = new DatabaseSync(path, { readOnly: true });
  const cells = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all()
    .flatMap(({ name }) => {
      const table = String(name);
      const columns = database
        .prepare(`PRAGMA table_info(${table})`)
        .all()
        .map((column) => String(column['name']));
      const rows = database.prepare(`SELECT * FROM ${table}`).all();
      return rows.flatMap((_row, nth) => columns.map((column) => ({ table, nth, column })));
    });
  database.close();
  return cells;
}

/** The first column of every table tells its rows apart. */
function rowOf(database: DatabaseSync, table: string, nth: number): { key: string; value: SQLOutputValue } {
  const row = database.prepare(`SELECT * FROM ${table} LIMIT 1 OFFSET ?`).get(nth) ?? {};
  const [[key, value] = ['', null]] = Object.entries(row);
  return { key, value };
}

test('Any value of any type in any column of any row', async () => {
  await using keys = await keyFolder();
  const good = await goodStore(keys);
  const cells = cellsOf(`${keys.options.storePath}.good`);
  const value = fc.oneof(
    fc.constant(null),
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.json(),
    fc.uint8Array({ maxLength: 100 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...cells), value, async ({ table, nth, column }, to) => {
      const after = await afterDamage(keys, (path) => {
        const open = new DatabaseSync(path, { enableForeignKeyConstraints: false });
        try {
          // What SQLite does not take at all is no damage.
          const { key, value: which } = rowOf(open, table, nth);
          open.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`).run(to, which);
        } catch {
          return;
        } finally {
          open.close();
        }
      });
      expectHarmless(`${table}.${column}`, after, good);
    }),
    { numRuns: 150 },
  );
});

test('Any bytes at any place of the file', async () => {
  await using keys = await keyFolder();
  const good = await goodStore(keys);
  const original = readFileSync(`${keys.options.storePath}.good`);
  const place = fc.oneof(fc.nat(original.length), fc.nat(200));
  await fc.assert(
    fc.asyncProperty(place, fc.uint8Array({ minLength: 1, maxLength: 600 }), fc.nat(600), async (at, bytes, gone) => {
      const damaged = Buffer.concat([original.subarray(0, at), bytes, original.subarray(at + gone)]);
      const after = await afterDamage(keys, (path) => writeFileSync(path, damaged));
      expectHarmless('the file', after, good);
    }),
    { numRuns: 100 },
  );
});
