/** Import of key material, at the key manager: restarts, other stores, backups, and what is left where. The rest is tested over the wire. */
import { DatabaseSync } from 'node:sqlite';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { importMaterial, importRequest } from '../../../test/support/keys/import-key.ts';
import { keyFolder, TEST_USE as use, testPorts, type KeyFolder } from '../../../test/support/keys/keys.ts';
import { restoreBackup, verifyBackup } from '../backup/restore.ts';
import type { KeyManager } from '../key-manager.ts';
import { readKeys, verifyAudit } from '../offline.ts';

const context = { purpose: 'import' };
const EXTERNAL = { origin: 'EXTERNAL' } as const;

/** Everything in the folder but its secrets. */
function bytesOf({ folder }: KeyFolder): Buffer {
  const names = readdirSync(folder).filter((name) => !name.endsWith('.key'));
  return Buffer.concat(names.map((name) => readFileSync(`${folder}/${name}`)));
}

/** Every file but the audit log and its head: bytes, and when they were last changed (nanoseconds). */
function storeFiles({ folder }: KeyFolder): readonly unknown[] {
  const names = readdirSync(folder).filter((name) => !name.startsWith('audit.log'));
  return names.map((name) => {
    const path = `${folder}/${name}`;
    return [name, readFileSync(path, 'base64'), statSync(path, { bigint: true }).mtimeNs];
  });
}

function auditOf(keys: KeyFolder): readonly Record<string, unknown>[] {
  const lines = readFileSync(keys.options.audit.path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('A token outlives the process that gave it, and nothing is written to the store for it', async () => {
  await using keys = await keyFolder();
  const first = await keys.open();
  const { keyId } = await first.createKey(EXTERNAL, use);
  const before = storeFiles(keys);
  const material = randomBytes(32);
  const request = await importRequest(first, keyId, material, use);
  expect(storeFiles(keys)).toEqual(before);
  await first.close();
  const second = await keys.open();
  await second.imports.importMaterial(request, use);
  const { wrapped, dek } = await second.generateDataKey({ keyId, context }, use);
  await second.close();
  const third = await keys.open();
  expect((await third.decrypt({ wrapped, context }, use)).dek.equals(dek)).toBe(true);
});

test('A token of another store opens nothing here', async () => {
  await using here = await keyFolder();
  await using there = await keyFolder();
  const [ours, theirs] = [await here.open(), await there.open()];
  const { keyId } = await ours.createKey(EXTERNAL, use);
  const other = await theirs.createKey(EXTERNAL, use);
  const request = await importRequest(theirs, other.keyId, randomBytes(32), use);
  await expect(ours.imports.importMaterial({ ...request, keyId }, use)).rejects.toMatchObject({
    code: 'ERR_KEYS_IMPORT_TOKEN',
  });
});

test('Imported material lies in the store, its copies and its log sealed, and deleted material not at all', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const { keyId } = await manager.createKey(EXTERNAL, use);
  const material = randomBytes(32);
  await importMaterial(manager, keyId, material, use);
  const rows = (): readonly Record<string, unknown>[] => {
    const database = new DatabaseSync(keys.options.storePath, { readOnly: true });
    try {
      return database.prepare('SELECT wrapped, canary FROM materials').all();
    } finally {
      database.close();
    }
  };
  const [row] = rows();
  const sealed = Buffer.from(row?.['wrapped'] as Uint8Array);
  expect(sealed).toHaveLength(32 + 28);
  expect(bytesOf(keys).includes(sealed)).toBe(true);
  await manager.imports.deleteMaterial({ keyId }, use);
  expect(rows()).toEqual([{ wrapped: new Uint8Array(), canary: new Uint8Array() }]);
  expect(bytesOf(keys).includes(sealed)).toBe(false);
  for (const form of ['latin1', 'hex', 'base64'] as const)
    expect(bytesOf(keys).includes(Buffer.from(material.toString(form), 'latin1'))).toBe(false);
});

test('Every step is in the audit log, with the material’s id and never its bytes', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const { keyId, arn } = await manager.createKey(EXTERNAL, use);
  const validTo = Date.now() + 60_000;
  const materialId = await importMaterial(manager, keyId, randomBytes(32), use, { validTo });
  const wrong = await importRequest(manager, keyId, randomBytes(32), use);
  await expect(manager.imports.importMaterial(wrong, use)).rejects.toMatchObject({
    code: 'ERR_KEYS_INCORRECT_MATERIAL',
  });
  await manager.imports.deleteMaterial({ keyId }, use);
  await manager.close();
  const seen = auditOf(keys).filter(({ action }) => /Import/u.test(String(action)));
  const parameters = { key: arn, detail: { algorithm: 'RSA_AES_KEY_WRAP_SHA_256', wrappingKey: 'RSA_2048' } };
  const detail = { importType: 'new', validTo: new Date(validTo).toISOString() };
  expect(seen.map(({ action, result }) => [action, result])).toEqual([
    ['GetParametersForImport', 'success'],
    ['ImportKeyMaterial', 'started'],
    ['ImportKeyMaterial', 'success'],
    ['GetParametersForImport', 'success'],
    ['ImportKeyMaterial', 'ERR_KEYS_INCORRECT_MATERIAL'],
    ['DeleteImportedKeyMaterial', 'started'],
    ['DeleteImportedKeyMaterial', 'success'],
  ]);
  expect(seen[0]).toMatchObject(parameters);
  expect(seen[2]).toMatchObject({ key: arn, material: materialId, detail });
  expect(seen[6]).toMatchObject({ key: arn, material: materialId });
  expect((await verifyAudit(keys.options)).problem).toBeUndefined();
});

async function expectImports(manager: KeyManager, keyIds: readonly string[], wrapped: Uint8Array): Promise<void> {
  const [used = '', deleted = '', empty = ''] = keyIds;
  await manager.decrypt({ wrapped, context }, use);
  expect((await manager.describeKey(used, use)).expiration).toMatchObject({ type: 'at' });
  for (const keyId of [deleted, empty])
    expect(await manager.describeKey(keyId, use)).toMatchObject({ state: 'pending-import', origin: 'EXTERNAL' });
  const { items } = await manager.lifecycle.rotations({ keyId: used, all: true, after: undefined, limit: 9 }, use);
  expect(items).toMatchObject([
    { state: 'non-current', imported: { isHere: true, validTo: undefined, description: 'first' } },
    { state: 'current', imported: { isHere: true, validTo: expect.any(String), description: undefined } },
    { state: 'pending-rotation', imported: { isHere: true } },
  ]);
}

test('Backup, its verification and the restored store have imported material, and what is to be imported', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const [used, deleted, empty] = [
    await manager.createKey(EXTERNAL, use),
    await manager.createKey(EXTERNAL, use),
    await manager.createKey({ ...EXTERNAL, spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' }, use),
  ];
  await importMaterial(manager, used.keyId, randomBytes(32), use, { description: 'first' });
  const { wrapped } = await manager.generateDataKey({ keyId: used.keyId, context }, use);
  const validTo = Date.now() + 3_600_000;
  await importMaterial(manager, used.keyId, randomBytes(32), use, { type: 'new', validTo });
  await manager.rotateKey(used.keyId, use);
  await importMaterial(manager, used.keyId, randomBytes(32), use, { type: 'new' });
  const again = randomBytes(32);
  await importMaterial(manager, deleted.keyId, again, use);
  const lost = await manager.generateDataKey({ keyId: deleted.keyId, context }, use);
  await manager.imports.deleteMaterial({ keyId: deleted.keyId }, use);
  const keyIds = [used.keyId, deleted.keyId, empty.keyId];
  await expectImports(manager, keyIds, wrapped);
  const path = keys.path('backup');
  expect(await manager.backup({ path }, use)).toMatchObject({ keys: 3, materials: 4 });
  await manager.close();
  expect((await readKeys(keys.options, Date.now)).map(({ state }) => state).sort()).toEqual([
    'enabled',
    'pending-import',
    'pending-import',
  ]);
  const secrets = [{ type: 'key-file', path: keys.path('root.key') }] as const;
  expect(await verifyBackup(path, secrets)).toMatchObject({ keys: 3, materials: 4 });
  const audit = { path: keys.path('new-audit.log'), durability: 'write' } as const;
  const store = { ...keys.options, storePath: keys.path('restored.sqlite'), audit };
  await restoreBackup({ backupPath: path, secrets, store }, testPorts);
  const restored = await keys.open({ ...store, acceptRollback: true, acceptAuditGap: true });
  await expectImports(restored, keyIds, wrapped);
  await importMaterial(restored, deleted.keyId, again, use);
  expect((await restored.decrypt({ wrapped: lost.wrapped, context }, use)).dek.equals(lost.dek)).toBe(true);
});

test('Material that has expired is of no use to a process that starts later, and gone after its first round', async () => {
  await using keys = await keyFolder();
  const clock = { ms: 0 };
  const now = (): number => Date.now() + clock.ms;
  const first = await keys.open({}, { now });
  const { keyId, arn } = await first.createKey(EXTERNAL, use);
  const material = randomBytes(32);
  await importMaterial(first, keyId, material, use, { validTo: now() + 60_000 });
  const { wrapped } = await first.generateDataKey({ keyId, context }, use);
  expect(first.decryptNow({ wrapped, context }, use)).toBeUndefined();
  await first.decrypt({ wrapped, context }, use);
  clock.ms += 61_000;
  expect(first.decryptNow({ wrapped, context }, use)).toBeUndefined();
  await expect(first.decrypt({ wrapped, context }, use)).rejects.toMatchObject({ code: 'ERR_KEYS_INVALID_STATE' });
  await first.close();
  const second = await keys.open({}, { now });
  await expect(second.decrypt({ wrapped, context }, use)).rejects.toMatchObject({ code: 'ERR_KEYS_INVALID_STATE' });
  await expect(second.generateDataKey({ keyId, context }, use)).rejects.toMatchObject({
    code: 'ERR_KEYS_INVALID_STATE',
  });
  // Where nothing may be destroyed, nothing is.
  expect(await second.runDue({ destroy: false })).toMatchObject({ expired: [] });
  expect(await second.runDue({ destroy: true })).toMatchObject({ expired: [arn] });
  await importMaterial(second, keyId, material, use);
  await second.decrypt({ wrapped, context }, use);
  await second.close();
  const [expiry] = auditOf(keys).filter(
    ({ action, result }) => action === 'DeleteExpiredKeyMaterial' && result === 'success',
  );
  expect(expiry).toMatchObject({ principal: 'sealgate', key: arn, why: 'scheduled' });
});

test('What was found compromised while it waited is never rotated to, and the key does without it, whatever becomes of its bytes', async () => {
  await using keys = await keyFolder();
  const clock = { ms: 0 };
  const now = (): number => Date.now() + clock.ms;
  const manager = await keys.open({}, { now });
  const { keyId } = await manager.createKey(EXTERNAL, use);
  const first = await importMaterial(manager, keyId, randomBytes(32), use);
  const leaked = randomBytes(32);
  const waiting = await importMaterial(manager, keyId, leaked, use, { type: 'new', validTo: now() + 60_000 });
  const found = { keyId, material: waiting, reason: 'seen in a log', stillOpens: false };
  await manager.materials.markCompromised(found, use);
  await expect(manager.lifecycle.rotateOnDemand(keyId, use)).rejects.toMatchObject({ code: 'ERR_KEYS_INVALID_STATE' });
  const states = async (): Promise<unknown> => {
    const { items } = await manager.lifecycle.rotations({ keyId, all: true, after: undefined, limit: 10 }, use);
    return items.map(({ materialId, state, rotatedAt }) => [materialId, state, rotatedAt]);
  };
  expect(await states()).toEqual([
    [first, 'current', undefined],
    [waiting, 'non-current', undefined],
  ]);
  clock.ms += 61_000;
  const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
  await manager.runDue({ destroy: true });
  await manager.imports.deleteMaterial({ keyId, materialId: waiting }, use);
  await manager.decrypt({ wrapped, context }, use);
  // Known for what it is, also without its bytes.
  await expect(importMaterial(manager, keyId, leaked, use, { type: 'new' })).rejects.toMatchObject({
    code: 'ERR_KEYS_INCORRECT_MATERIAL',
  });
  await manager.close();
  const again = await keys.open({}, { now });
  await again.decrypt({ wrapped, context }, use);
  const next = await importMaterial(again, keyId, randomBytes(32), use, { type: 'new' });
  await again.lifecycle.rotateOnDemand(keyId, use);
  const { items } = await again.lifecycle.rotations({ keyId, all: false, after: undefined, limit: 10 }, use);
  expect(items).toMatchObject([{ materialId: next, state: 'current', type: 'on-demand' }]);
});
