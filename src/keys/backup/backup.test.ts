import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, testPorts, type KeyFolder } from '../../../test/support/keys/keys.ts';
import type { WrappedDataKey } from '../uses/data-keys.ts';
import { createKeyFile, createKeyStore, openKeyManager } from '../key-manager.ts';
import type { KeyManagerOptions, UnsealSecret } from '../options.ts';
import { restoreBackup, verifyBackup } from './restore.ts';

const context = { a: 'b' };
const ACCEPT = { acceptRollback: true, acceptAuditGap: true } as const;

type Drill = { readonly keyId: string; readonly made: readonly WrappedDataKey[]; readonly backup: string };

/** A store with two keys and several materials, backed up with a passphrase and a key file of its own. */
async function backedUp(keys: KeyFolder): Promise<Drill> {
  writeFileSync(keys.path('phrase'), 'a passphrase for the backup\n', { mode: 0o600 });
  createKeyFile(keys.path('backup.key'), testPorts.random);
  const manager = await keys.open();
  const { keyId } = await manager.createKey({ alias: 'alias/a' }, use);
  await manager.createKey({ alias: 'alias/b' }, use);
  const made: WrappedDataKey[] = [];
  for (let round = 0; round < 3; round++) {
    made.push(await manager.generateDataKey({ keyId, context }, use));
    await manager.rotateKey(keyId, use);
  }
  await manager.escrow({ dekId: new Uint8Array(16), owner: 'db', wrapped: new Uint8Array(9), context }, use);
  const backup = keys.path('store.backup');
  const request = { path: backup, passphraseFile: keys.path('phrase'), keyFile: keys.path('backup.key') };
  const summary = await manager.backup(request, use);
  expect(summary).toMatchObject({ path: backup, keys: 2, materials: 5, bytes: statSync(backup).size });
  await manager.close();
  return { keyId, made, backup };
}

const secrets = (keys: KeyFolder): Record<string, UnsealSecret> => ({
  'the store’s own key file': { type: 'key-file', path: keys.path('root.key') },
  'the backup’s passphrase': { type: 'passphrase-file', path: keys.path('phrase') },
  'the backup’s key file': { type: 'key-file', path: keys.path('backup.key') },
});

/** The same settings on a machine that has nothing but the backup and one secret. */
function elsewhere(keys: KeyFolder, secret: UnsealSecret): KeyManagerOptions {
  const audit = { path: keys.path('new-audit.log'), durability: 'write' } as const;
  return { ...keys.options, storePath: keys.path('restored.sqlite'), unseal: [secret], audit };
}

async function expectEverythingOpens(options: KeyManagerOptions, drill: Drill, accept: object): Promise<void> {
  const manager = await openKeyManager({ ...options, ...accept }, testPorts);
  try {
    for (const { wrapped, dek } of drill.made)
      expect((await manager.decrypt({ wrapped, context }, use)).dek.equals(dek)).toBe(true);
    expect((await manager.listAliases(use)).map(({ aliasName }) => aliasName)).toEqual([
      'alias/a',
      'alias/aws/rds',
      'alias/aws/s3',
      'alias/b',
    ]);
    expect(await manager.escrowed('db')).toHaveLength(1);
    await manager.rotateKey('alias/a', use);
  } finally {
    await manager.close();
  }
}

describe('the restore drill', () => {
  test.each(['the store’s own key file', 'the backup’s passphrase', 'the backup’s key file'])(
    'With %s alone everything is verified, restored and opens',
    async (name) => {
      await using keys = await keyFolder();
      const drill = await backedUp(keys);
      const secret = secrets(keys)[name] ?? expect.fail('no such secret');
      expect(await verifyBackup(drill.backup, [secret])).toMatchObject({ keys: 2, materials: 5 });
      const options = elsewhere(keys, secret);
      await restoreBackup({ backupPath: drill.backup, secrets: [], store: options }, testPorts);
      const untold = openKeyManager(options, testPorts);
      await expect(untold).rejects.toMatchObject({ code: 'ERR_KEYS_EPOCH_UNREADABLE' });
      await expectEverythingOpens(options, drill, ACCEPT);
      await expectEverythingOpens(options, drill, {});
    },
  );

  test('A backup opened with its passphrase unseals with a new key file from then on', async () => {
    await using keys = await keyFolder();
    const drill = await backedUp(keys);
    createKeyFile(keys.path('new-root.key'), testPorts.random);
    const options = elsewhere(keys, { type: 'key-file', path: keys.path('new-root.key') });
    const passphrase: UnsealSecret = { type: 'passphrase-file', path: keys.path('phrase') };
    await restoreBackup({ backupPath: drill.backup, secrets: [passphrase], store: options }, testPorts);
    await expectEverythingOpens(options, drill, ACCEPT);
  });

  test('Restored in place after the store was lost: current if nothing was changed since, refused if something was', async () => {
    await using keys = await keyFolder();
    const drill = await backedUp(keys);
    copyFileSync(keys.options.storePath, keys.path('kept'));
    rmSync(keys.options.storePath);
    await restoreBackup({ backupPath: drill.backup, secrets: [], store: keys.options }, testPorts);
    await (await keys.open()).close();
    const manager = await keys.open();
    await manager.createKey({}, use);
    await manager.close();
    rmSync(keys.options.storePath);
    await restoreBackup({ backupPath: drill.backup, secrets: [], store: keys.options }, testPorts);
    await expect(keys.open()).rejects.toMatchObject({ code: 'ERR_KEYS_STORE_ROLLED_BACK' });
    await (await keys.open({ acceptRollback: true })).close();
  });
});

test('On a machine with a config, the backup and its passphrase alone, the key file that the config names is made', async () => {
  await using keys = await keyFolder();
  const drill = await backedUp(keys);
  const options = elsewhere(keys, { type: 'key-file', path: keys.path('made-by-restore.key') });
  const restored = await restoreBackup(
    { backupPath: drill.backup, secrets: [{ type: 'passphrase-file', path: keys.path('phrase') }], store: options },
    testPorts,
  );
  expect(restored.madeKeyFiles).toEqual([keys.path('made-by-restore.key')]);
  await expectEverythingOpens(options, drill, ACCEPT);
});

describe('refusals', () => {
  test('Whatever the backup is called, no file that was there is lost', async () => {
    const at = (folder: KeyFolder, name: string): KeyManagerOptions => ({
      ...folder.options,
      storePath: folder.path(name),
    });
    await using keys = await keyFolder();
    for (const ending of ['store', 'new', 'restoring', 'lock', 'epoch']) {
      const options = at(keys, `keys.${ending}`);
      await createKeyStore(options, testPorts);
      const before = readdirSync(keys.folder).map((name) => [name, readFileSync(keys.path(name)).length]);
      const manager = await openKeyManager(
        { ...options, audit: { path: keys.path(`audit.${ending}`), durability: 'write' } },
        testPorts,
      );
      await manager.backup({ path: keys.path('keys') }, use);
      await manager.close();
      for (const [name] of before) expect(existsSync(keys.path(String(name))), String(name)).toBe(true);
      rmSync(keys.path('keys'));
      rmSync(options.storePath);
      rmSync(`${options.storePath}.epoch`);
    }
  });

  test('Neither a store nor a backup is written over, and a live store is not restored onto', async () => {
    await using keys = await keyFolder();
    const drill = await backedUp(keys);
    const before = readFileSync(keys.options.storePath);
    const restoring = restoreBackup({ backupPath: drill.backup, secrets: [], store: keys.options }, testPorts);
    await expect(restoring).rejects.toMatchObject({ code: 'ERR_KEYS_STORE_EXISTS' });
    expect(readFileSync(keys.options.storePath)).toEqual(before);
    const manager = await keys.open();
    await expect(manager.backup({ path: drill.backup }, use)).rejects.toMatchObject({ code: 'ERR_KEYS_BACKUP_WRITE' });
    const live = restoreBackup({ backupPath: drill.backup, secrets: [], store: keys.options }, testPorts);
    await expect(live).rejects.toMatchObject({ code: 'ERR_KEYS_STORE_IN_USE' });
  });

  test('A backup with any region flipped, or cut, does not verify and leaves no store', async () => {
    await using keys = await keyFolder();
    const drill = await backedUp(keys);
    const whole = readFileSync(drill.backup);
    const secret: UnsealSecret = { type: 'key-file', path: keys.path('root.key') };
    const codes = /^ERR_KEYS_(BACKUP_INVALID|UNSEAL_FAILED|SLOT_PARAMETERS)$/;
    const expectRefused = async (bytes: Uint8Array): Promise<void> => {
      writeFileSync(keys.path('bad.backup'), bytes);
      await expect(verifyBackup(keys.path('bad.backup'), [secret])).rejects.toMatchObject({
        code: expect.stringMatching(codes) as unknown,
      });
    };
    for (let at = 0; at < whole.length; at += at < 3000 ? 97 : 9973) {
      const bad = Buffer.from(whole);
      bad[at] = (bad[at] ?? 0) ^ 1;
      await expectRefused(bad);
    }
    for (const length of [0, 11, 12, 500, whole.length - 1]) await expectRefused(whole.subarray(0, length));
    const options = elsewhere(keys, secret);
    const restoring = restoreBackup({ backupPath: keys.path('bad.backup'), secrets: [], store: options }, testPorts);
    await expect(restoring).rejects.toMatchObject({ code: 'ERR_KEYS_BACKUP_INVALID' });
    expect(existsSync(options.storePath)).toBe(false);
  });

  test('A foreign key file opens no backup', async () => {
    await using keys = await keyFolder();
    await using other = await keyFolder();
    const drill = await backedUp(keys);
    const verifying = verifyBackup(drill.backup, [{ type: 'key-file', path: other.path('root.key') }]);
    await expect(verifying).rejects.toMatchObject({ code: 'ERR_KEYS_UNSEAL_FAILED' });
  });

  test('A backup without secrets of its own opens with the store’s slots', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    await manager.createKey({}, use);
    await manager.backup({ path: keys.path('plain.backup') }, use);
    expect(await verifyBackup(keys.path('plain.backup'), keys.options.unseal)).toMatchObject({ keys: 1, materials: 1 });
    expect(existsSync(keys.path('plain.backup.store'))).toBe(false);
    expect(statSync(keys.path('plain.backup')).mode & 0o077).toBe(0);
  });
});
