import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, testPorts, type KeyFolder } from '../../../test/support/keys/keys.ts';
import { createKeyStore, openKeyManager } from '../key-manager.ts';
import { unsealStore } from './open-store.ts';
import { latestVersion, SCHEMA_STEPS, SEALED_TABLES } from './schema.ts';

const REFUSED = /^ERR_KEYS_STORE_(TAMPERED|DAMAGED|VERSION)$|^ERR_KEYS_UNSEAL_FAILED$|^ERR_KEYS_SLOT_PARAMETERS$/;

/** A closed store with something in every table. */
async function filledStore(keys: KeyFolder): Promise<void> {
  const manager = await keys.open();
  await manager.createKey({ alias: 'alias/a', description: 'one' }, use);
  await manager.rotateKey('alias/a', use);
  await manager.createKey({ alias: 'alias/b' }, use);
  await manager.disableKey('alias/b', use);
  await manager.escrow({ dekId: new Uint8Array(16), owner: 'db', wrapped: new Uint8Array(10), context: {} }, use);
  await manager.close();
}

async function openingCode(keys: KeyFolder): Promise<string> {
  try {
    const manager = await keys.open();
    await manager.close();
    return 'opened';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

function withDatabase(keys: KeyFolder, change: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(keys.options.storePath, { enableForeignKeyConstraints: false });
  change(database);
  database.close();
}

describe('tampering', () => {
  test.each([
    ['a disabled key enabled', `UPDATE keys SET state = 'enabled' WHERE state = 'disabled'`],
    [
      'a key’s current material set back',
      `UPDATE keys SET current_material = (SELECT material_id FROM materials WHERE version = 1 AND key_id = keys.key_id)`,
    ],
    [
      'an alias pointed at another key',
      `UPDATE aliases SET key_id = (SELECT key_id FROM keys WHERE state = 'disabled')`,
    ],
    ['an alias removed', `DELETE FROM aliases WHERE alias_name = 'alias/a'`],
    ['a material removed', `DELETE FROM materials WHERE version = 2`],
    ['a material’s state changed', `UPDATE materials SET state = 'active'`],
    ['a material’s bytes replaced', `UPDATE materials SET wrapped = (SELECT wrapped FROM materials WHERE version = 2)`],
    ['a canary replaced', `UPDATE materials SET canary = zeroblob(100)`],
    ['a slot removed', `DELETE FROM slots`],
    ['a slot relabelled', `UPDATE slots SET label = 'x'`],
    ['an escrow record removed', `DELETE FROM escrow`],
    ['an escrow record changed', `UPDATE escrow SET owner = 'other'`],
    ['a service epoch added', `INSERT INTO service_epochs VALUES ('s3-upload-token', 9, 'now', zeroblob(32))`],
    [
      'a genuine row copied under another name',
      `INSERT INTO aliases SELECT 'alias/c', key_id, created_at, mac, updated_at FROM aliases WHERE alias_name = 'alias/a'`,
    ],
    ['the epoch raised', `UPDATE store SET epoch = epoch + 1`],
    ['the audit head forgotten', `UPDATE store SET audit_seq = 0, audit_offset = 0`],
    ['the seal cleared', `UPDATE store SET seal = zeroblob(32)`],
    ['the store’s row removed', `DELETE FROM store`],
    ['the store id changed', `UPDATE store SET store_id = zeroblob(16)`],
  ])('%s is refused at open', async (_title, sql) => {
    await using keys = await keyFolder();
    await filledStore(keys);
    withDatabase(keys, (database) => database.exec(sql));
    expect(await openingCode(keys)).toMatch(REFUSED);
  });

  test('A byte flipped in any column of any table is refused at open', async () => {
    await using keys = await keyFolder();
    await filledStore(keys);
    const original = keys.path('original');
    copyFileSync(keys.options.storePath, original);
    let tried = 0;
    for (const { table, rowid, column, type } of cells(keys)) {
      copyFileSync(original, keys.options.storePath);
      withDatabase(keys, (database) => {
        const value = database.prepare(`SELECT ${column} AS v FROM ${table} WHERE rowid = ?`).get(rowid)?.['v'];
        database.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(flipped(value, type), rowid);
      });
      expect(await openingCode(keys), `${table}.${column}`).toMatch(REFUSED);
      tried += 1;
    }
    expect(tried).toBeGreaterThan(40);
  });

  test('A byte flipped anywhere in the file is refused, or changes nothing', async () => {
    await using keys = await keyFolder();
    await filledStore(keys);
    const before = await snapshot(keys);
    const original = readFileSync(keys.options.storePath);
    const audit = readFileSync(keys.options.audit.path);
    for (let at = 13; at < original.length; at += 977) {
      const bad = Buffer.from(original);
      bad[at] = (bad[at] ?? 0) ^ 0x10;
      writeFileSync(keys.options.storePath, bad);
      const code = await openingCode(keys);
      if (code === 'opened') expect(await snapshot(keys)).toEqual(before);
      else expect(code).toMatch(REFUSED);
      writeFileSync(keys.options.audit.path, audit);
      rmSync(`${keys.options.audit.path}.head`, { force: true });
    }
  });

  test.each([0, 1, 99, 4096, 20_000])('A store cut to %i bytes is refused', async (length) => {
    await using keys = await keyFolder();
    await filledStore(keys);
    truncateSync(keys.options.storePath, length);
    expect(await openingCode(keys)).toMatch(REFUSED);
  });

  test('An old row put back, genuine as it is, is refused', async () => {
    await using keys = await keyFolder();
    await filledStore(keys);
    const select = `SELECT * FROM keys WHERE state = 'disabled'`;
    let old: Record<string, unknown> | undefined;
    withDatabase(keys, (database) => (old = database.prepare(select).get()));
    const manager = await keys.open();
    await manager.enableKey('alias/b', use);
    await manager.close();
    withDatabase(keys, (database) =>
      database.prepare(`UPDATE keys SET state = ?, state_since = ?, mac = ? WHERE key_id = ?`).run(
        // Written by the store itself a moment ago.
        ...(['state', 'state_since', 'mac', 'key_id'].map((column) => old?.[column]) as string[]),
      ),
    );
    expect(await openingCode(keys)).toBe('ERR_KEYS_STORE_TAMPERED');
  });
});

type Cell = { readonly table: string; readonly rowid: number; readonly column: string; readonly type: string };

function cells(keys: KeyFolder): Cell[] {
  const found: Cell[] = [];
  withDatabase(keys, (database) => {
    for (const table of [...Object.keys(SEALED_TABLES), 'store']) {
      const columns = database.prepare(`PRAGMA table_info(${table})`).all();
      for (const { rowid } of database.prepare(`SELECT rowid AS "rowid" FROM ${table}`).all()) {
        const named = columns
          .filter(({ name }) => name !== 'id')
          .map(({ name, type }) => ({ column: String(name), type: String(type) }));
        found.push(...named.map((each) => ({ table, rowid: Number(rowid), ...each })));
      }
    }
  });
  return found;
}

/** Something else of the column's type; where nothing stands, something. */
function flipped(value: unknown, type: string): string | number | Uint8Array {
  if (value === null) return type === 'INTEGER' ? 365 : 'x';
  if (typeof value === 'number') return value + 10;
  if (typeof value === 'string')
    return value === '' ? 'x' : String.fromCharCode(value.charCodeAt(0) ^ 1) + value.slice(1);
  if (!(value instanceof Uint8Array)) throw new TypeError('no other types are stored');
  const copy = value.slice();
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}

async function snapshot(keys: KeyFolder): Promise<unknown> {
  const manager = await keys.open();
  const all = [await manager.listKeys(use), await manager.listAliases(use), await manager.escrowed('db')];
  await manager.close();
  return all;
}

describe('rollback', () => {
  test('An older copy of the store is refused, until it is accepted; then the newer one is refused', async () => {
    await using keys = await keyFolder();
    await filledStore(keys);
    copyFileSync(keys.options.storePath, keys.path('older'));
    const manager = await keys.open();
    await manager.createKey({ alias: 'alias/late' }, use);
    await manager.close();
    renameSync(keys.options.storePath, keys.path('newer'));
    copyFileSync(keys.path('older'), keys.options.storePath);
    expect(await openingCode(keys)).toBe('ERR_KEYS_STORE_ROLLED_BACK');
    await (await keys.open({ acceptRollback: true })).close();
    expect(await openingCode(keys)).toBe('opened');
    copyFileSync(keys.path('newer'), keys.options.storePath);
    expect(await openingCode(keys)).toBe('ERR_KEYS_STORE_ROLLED_BACK');
  });

  test('A missing, forged or foreign epoch file is refused, until accepted', async () => {
    await using keys = await keyFolder();
    await using other = await keyFolder();
    await filledStore(keys);
    const path = `${keys.options.storePath}.epoch`;
    const genuine = readFileSync(path);
    const forged = Buffer.from(genuine);
    forged[31] = 0;
    for (const content of [
      undefined,
      forged,
      genuine.subarray(0, 63),
      readFileSync(`${other.options.storePath}.epoch`),
    ]) {
      if (content === undefined) rmSync(path);
      else writeFileSync(path, content);
      expect(await openingCode(keys)).toBe('ERR_KEYS_EPOCH_UNREADABLE');
    }
    await (await keys.open({ acceptRollback: true })).close();
    expect(await openingCode(keys)).toBe('opened');
  });

  test('A crash between commit and epoch file leaves a store that opens', async () => {
    await using keys = await keyFolder();
    await filledStore(keys);
    const path = `${keys.options.storePath}.epoch`;
    const before = readFileSync(path);
    const manager = await keys.open();
    await manager.createKey({}, use);
    await manager.close();
    const after = readFileSync(path);
    writeFileSync(path, before);
    expect(await openingCode(keys)).toBe('opened');
    expect(readFileSync(path)).toEqual(after);
  });
});

describe('files', () => {
  test('A missing store is an error, never a new empty one', async () => {
    await using keys = await keyFolder();
    rmSync(keys.options.storePath);
    expect(await openingCode(keys)).toBe('ERR_KEYS_STORE_MISSING');
    expect(existsSync(keys.options.storePath)).toBe(false);
  });

  test('Making a store refuses where a store or an epoch file is', async () => {
    await using keys = await keyFolder();
    await expect(createKeyStore(keys.options, testPorts)).rejects.toMatchObject({ code: 'ERR_KEYS_STORE_EXISTS' });
    rmSync(keys.options.storePath);
    await expect(createKeyStore(keys.options, testPorts)).rejects.toMatchObject({ code: 'ERR_KEYS_STORE_EXISTS' });
  });

  test('Store, epoch file and audit log are readable by their owner alone', async () => {
    await using keys = await keyFolder();
    await filledStore(keys);
    const paths = [
      keys.options.storePath,
      `${keys.options.storePath}.epoch`,
      keys.options.audit.path,
      `${keys.options.audit.path}.head`,
    ];
    for (const path of paths) expect(statSync(path).mode & 0o077).toBe(0);
  });

  test('No key bytes and no secret of the key file lie in the store', async () => {
    await using keys = await keyFolder();
    const made: Uint8Array[] = [];
    const random = (bytes: number): Uint8Array => {
      const fresh = testPorts.random(bytes);
      if (bytes === 32) made.push(fresh.slice());
      return fresh;
    };
    const manager = await keys.open({}, { random });
    const { keyId } = await manager.createKey({}, use);
    await manager.rotateKey(keyId, use);
    await manager.close();
    const store = readFileSync(keys.options.storePath);
    expect(made).toHaveLength(2);
    for (const secret of [...made, readFileSync(keys.path('root.key')).subarray(24, 56)])
      expect(store.includes(secret)).toBe(false);
  });

  test('Another file at the path is told from a damaged store', async () => {
    await using keys = await keyFolder();
    rmSync(keys.options.storePath);
    withDatabase(keys, (database) => database.exec('CREATE TABLE t (x)'));
    expect(await openingCode(keys)).toBe('ERR_KEYS_STORE_VERSION');
    writeFileSync(keys.options.storePath, 'this is no database at all, but a text of some length');
    expect(await openingCode(keys)).toBe('ERR_KEYS_STORE_DAMAGED');
  });

  test('The right store with the wrong key file is refused', async () => {
    await using keys = await keyFolder();
    await using other = await keyFolder();
    const wrong = openKeyManager({ ...keys.options, unseal: other.options.unseal }, testPorts);
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_KEYS_UNSEAL_FAILED' });
  });
});

describe('schema steps', () => {
  const latest = latestVersion(SCHEMA_STEPS);
  const next = [
    ...SCHEMA_STEPS,
    { to: latest + 1, sql: 'ALTER TABLE keys ADD COLUMN rup_end TEXT; CREATE TABLE later (x INTEGER) STRICT' },
  ];

  test('A later step runs once, is sealed, and leaves keys as they were; an older release then refuses the store', async () => {
    await using keys = await keyFolder();
    await filledStore(keys);
    const before = await snapshot(keys);
    for (let round = 0; round < 2; round++) {
      const store = await unsealStore(keys.options, 'owner', undefined, next);
      expect(store.loaded.keys).toHaveLength(2);
      store.database.migrate(next);
      store.database.close();
    }
    expect(await openingCode(keys)).toBe('ERR_KEYS_STORE_VERSION');
    withDatabase(keys, (database) =>
      expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: latest + 1 }),
    );
    expect(before).toBeDefined();
  });

  test('A version claimed without its step is refused', async () => {
    await using keys = await keyFolder();
    await filledStore(keys);
    withDatabase(keys, (database) => database.exec(`PRAGMA user_version = ${latest + 1}`));
    await expect(unsealStore(keys.options, 'owner', undefined, next)).rejects.toMatchObject({
      code: 'ERR_KEYS_STORE_TAMPERED',
    });
  });

  test('A reader of an older store changes nothing', async () => {
    await using keys = await keyFolder();
    await filledStore(keys);
    (await unsealStore(keys.options, 'reader', undefined, next)).database.close();
    expect(await openingCode(keys)).toBe('opened');
  });
});
