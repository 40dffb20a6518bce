/**
 * docs/KEYSTORE.md against the code: a store made now, and the frozen store of every version, are read by the naive reader, which was
 * written from the page alone; and the frozen ones open for ever.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { importMaterial } from '../../test/support/keys/import-key.ts';
import { TEST_USE as use, testPorts } from '../../test/support/keys/keys.ts';
import { hex, sha256, unhex } from '../../test/support/naive-crypto.ts';
import {
  naiveAudit,
  naiveBackup,
  naiveDek,
  naiveEpoch,
  naiveHead,
  naiveImportToken,
  naiveRead,
  naiveStore,
} from '../../test/support/keys/naive-keystore.ts';
import {
  BACKUP_PASSPHRASE,
  makeKeyStore,
  PASSPHRASE,
  storeOptions,
  type ImportFacts,
  type StoreFacts,
} from '../../test/support/keys/make-keystore.ts';
import { wrapByNode } from '../../test/support/keys/wrap-material.ts';
import { restoreBackup, verifyBackup } from './backup/restore.ts';
import { openKeyManager } from './key-manager.ts';
import { readKeys, verifyAudit } from './offline.ts';
import { SCHEMA_STEPS } from './stores/schema.ts';

const VECTORS = fileURLToPath(new URL('../../test/vectors/', import.meta.url));
const VERSIONS = SCHEMA_STEPS.map(({ to }) => to);

type Opened = { readonly folder: string; readonly facts: StoreFacts; readonly [Symbol.dispose]: () => void };

function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), 'sealgate-keystore-'));
}

const removing = (folder: string) => (): void => rmSync(folder, { recursive: true, force: true });

async function made(): Promise<Opened> {
  const folder = emptyFolder();
  return { folder, facts: await makeKeyStore(folder), [Symbol.dispose]: removing(folder) };
}

/** A copy of the frozen files, with the modes that git does not keep. */
function frozen(version: number): Opened {
  const folder = emptyFolder();
  cpSync(join(VECTORS, `keystore-v${version}`), folder, { recursive: true });
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o600);
  // Written by makeKeyStore.
  const facts = JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8')) as StoreFacts;
  return { folder, facts, [Symbol.dispose]: removing(folder) };
}

const stores = [
  { name: 'a store made now', open: made },
  ...VERSIONS.map((version) => ({ name: `the store of version ${version}`, open: async () => frozen(version) })),
];

test('There is a frozen store for every version of the schema', () => {
  const kept = readdirSync(VECTORS).filter((name) => name.startsWith('keystore-'));
  expect(kept).toEqual(VERSIONS.map((version) => `keystore-v${version}`));
});

describe.each(stores)('The naive reader reads $name', ({ open }) => {
  test.each(['key file', 'passphrase'])('by its %s: every row, the seal, every material and DEK', async (by) => {
    using opened = await open();
    const { folder, facts } = opened;
    const secret = by === 'key file' ? { keyFile: naiveRead(join(folder, 'root.key')) } : { passphrase: PASSPHRASE };
    const store = await naiveStore(join(folder, 'store.sqlite'), secret);
    // Of each of the keys that `managed` names there are two.
    const managed = facts.managed === undefined ? 0 : 4;
    const regions = facts.regions?.materials ?? 0;
    expect(store.materials.size).toBe(4 + managed + regions + (facts.imports?.materials.length ?? 0));
    for (const { materialId, material } of facts.imports?.materials ?? [])
      expect(hex(store.materials.get(materialId) ?? unhex(''))).toBe(material);
    for (const { wrapped, dek } of [...facts.deks, ...(facts.regions?.deks ?? [])])
      expect(hex(naiveDek(store, unhex(wrapped), facts.context))).toBe(dek);
    expect(hex(store.service('s3-upload-token', 1))).toBe(facts.serviceKey);
    for (const { epoch, key } of facts.managed?.epochs ?? [])
      expect(hex(store.service('s3-upload-token', epoch))).toBe(key);
    for (const { wrapped, dek } of facts.managed?.deks ?? [])
      expect(hex(naiveDek(store, unhex(wrapped), facts.context))).toBe(dek);
    expect(naiveDek(store, unhex(facts.escrow.wrapped), facts.context)).toHaveLength(32);
  });

  test('its epoch file, audit log and head', async () => {
    using opened = await open();
    const { folder } = opened;
    const store = await naiveStore(join(folder, 'store.sqlite'), { passphrase: PASSPHRASE });
    expect(naiveEpoch(naiveRead(join(folder, 'store.sqlite.epoch')), store)).toBe(store.epoch);
    const log = naiveRead(join(folder, 'audit.jsonl'));
    const records = naiveAudit(log, store);
    expect(records.map(({ action }) => action)).toEqual(expect.arrayContaining(['CreateKey', 'Decrypt', 'Backup']));
    const head = naiveHead(naiveRead(join(folder, 'audit.jsonl.head')), store);
    const lastLine = Buffer.from(log).toString('utf8').trimEnd().split('\n').at(-1) ?? '';
    expect({ ...head, hash: hex(head.hash) }).toEqual({
      seq: records.length,
      offset: log.length,
      hash: hex(sha256(new TextEncoder().encode(lastLine))),
    });
    expect({ ...store.auditHead, hash: hex(store.auditHead.hash) }).toEqual({ ...head, hash: hex(head.hash) });
  });

  test.each(['root', 'backup'] as const)('its backup, through the slots of the %s', async (by) => {
    using opened = await open();
    const { folder, facts } = opened;
    const passphrase = by === 'root' ? PASSPHRASE : BACKUP_PASSPHRASE;
    const { root, database, header } = await naiveBackup(naiveRead(join(folder, 'store.backup')), { passphrase }, by);
    writeFileSync(join(folder, 'from-backup'), database);
    const store = await naiveStore(join(folder, 'from-backup'), { root });
    expect([hex(store.storeId), store.epoch]).toEqual([header.storeId, header.epoch]);
    for (const { wrapped, dek } of facts.deks) expect(hex(naiveDek(store, unhex(wrapped), facts.context))).toBe(dek);
  });
});

test('A store of every version has the tables and indexes of one made now once its owner has opened it', async () => {
  const schemaOf = (folder: string): readonly unknown[] => {
    using database = new DatabaseSync(join(folder, 'store.sqlite'), { readOnly: true });
    return database.prepare('SELECT type, name, sql FROM sqlite_master ORDER BY name').all();
  };
  using newest = await made();
  const wanted = schemaOf(newest.folder);
  for (const version of VERSIONS) {
    using opened = frozen(version);
    await (await openKeyManager(storeOptions(opened.folder), testPorts)).close();
    expect(schemaOf(opened.folder), `version ${version}`).toEqual(wanted);
  }
});

/** As an operator would: the store opens, gives what it gave, and goes on. */
async function expectOpens(folder: string, facts: StoreFacts, accept: object = {}): Promise<void> {
  const manager = await openKeyManager({ ...storeOptions(folder), ...accept }, testPorts);
  try {
    const { keyIds, context, deks, escrow, serviceKey } = facts;
    for (const { wrapped, dek } of deks)
      expect((await manager.decrypt({ wrapped: unhex(wrapped), context }, use)).dek.export().toString('hex')).toBe(dek);
    expect(await manager.describeKey('alias/a', use)).toMatchObject({
      keyId: keyIds.a,
      description: 'of objects: ä€',
      state: 'enabled',
      createdAt: expect.stringMatching(/^2026-11-25T12:/u),
      materials: [{ state: 'deactivated' }, { state: 'deactivated' }, { state: 'active' }],
    });
    expect(await manager.describeKey(keyIds.b, use)).toMatchObject({ state: 'disabled', aliases: ['alias/b'] });
    const [held] = await manager.escrowed(escrow.owner);
    expect([hex(held?.dekId ?? unhex('')), hex(held?.wrapped ?? unhex('')), held?.context]).toEqual([
      escrow.dekId,
      escrow.wrapped,
      expect.objectContaining(context),
    ]);
    expect((await manager.serviceKey('s3-upload-token', 1)).key.export().toString('hex')).toBe(serviceKey);
    expect((await manager.rotateKey('alias/a', use)).materials).toHaveLength(4);
    await manager.enableKey('alias/b', use);
  } finally {
    await manager.close();
  }
  expect((await verifyAudit(storeOptions(folder))).problem).toBeUndefined();
}

test('What a key has since version 2 is read from a frozen store of it, and absent in one of version 1', async () => {
  const seen = [];
  for (const version of [1, 2]) {
    using opened = frozen(version);
    const { keyIds } = opened.facts;
    const manager = await openKeyManager(storeOptions(opened.folder), testPorts);
    const tags = await manager.settings.listTags({ keyId: keyIds.a, after: undefined, limit: 50 }, use);
    const { periodDays } = await manager.lifecycle.rotationStatus(keyIds.a, use);
    const rotations = await manager.lifecycle.rotations(
      { keyId: keyIds.a, all: false, after: undefined, limit: 9 },
      use,
    );
    const policy = await manager.settings.getPolicy(keyIds.b, use);
    const keys = await manager.listKeys(use);
    await manager.close();
    seen.push([
      tags.items,
      periodDays,
      rotations.items.map(({ type }) => type),
      policy.includes('key-default-1'),
      keys.length,
    ]);
  }
  const tags = [
    { key: 'empty', value: '' },
    { key: 'team', value: '€' },
  ];
  expect(seen).toEqual([
    [[], undefined, ['on-demand', 'on-demand'], true, 2],
    [tags, 2560, ['on-demand', 'on-demand'], false, 2],
  ]);
});

test('The grants of a store of version 3 are read from a frozen one, and an older one has none', async () => {
  for (const version of VERSIONS) {
    using opened = frozen(version);
    const manager = await openKeyManager(storeOptions(opened.folder), testPorts);
    const { items } = await manager.grants.list({ keyId: opened.facts.keyIds.a, after: undefined, limit: 9 }, use);
    const retirable = { retiring: 'arn:aws:iam::444455556666:root', after: undefined, limit: 9 };
    const seen = (await manager.grants.listRetirable(retirable, use)).items;
    await manager.close();
    expect([items.length, seen.length]).toEqual(version < 3 ? [0, 0] : [version < 9 ? 3 : 5, 1]);
    if (version < 3) continue;
    const sourceArn = 'arn:aws:dynamodb:eu-central-1:000000000000:table/of-users';
    const toService = items.filter(({ grantee }) => grantee === 'backup.example.com');
    expect(toService.map((grant) => [grant.retiring, grant.sourceArn])).toEqual(
      version < 9 ? [] : Array.from({ length: 2 }, () => ['backup.example.com', sourceArn]),
    );
    expect(items.filter((grant) => grant.sourceArn !== undefined)).toEqual(toService);
    expect(seen[0]).toMatchObject({
      grantee: 'arn:aws:iam::000000000000:user/bob',
      operations: ['CreateGrant', 'Encrypt'],
      constraint: { type: 'subset', context: { ä: '€' } },
    });
    expect(items.filter(({ name }) => name !== '').map(({ name }) => name)).toEqual(['first']);
  }
});

/** As an owner of the material would find them. */
async function expectImports(folder: string, facts: ImportFacts): Promise<void> {
  const { rotatedKey, materials, dek, deletedKey, deletedMaterial, lostDek, emptyKey } = facts;
  // Before the material that waits has expired.
  const now = (): number => Date.UTC(2026, 11, 24);
  const manager = await openKeyManager(storeOptions(folder), { ...testPorts, now });
  try {
    const { context } = JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8')) as StoreFacts; // by makeKeyStore
    const open = async ({ wrapped }: { readonly wrapped: string }): Promise<string> =>
      (await manager.decrypt({ wrapped: unhex(wrapped), context }, use)).dek.export().toString('hex');
    expect(await open(dek)).toBe(dek.dek);
    const asked = { keyId: rotatedKey, all: true, after: undefined, limit: 9 };
    const [first, second, third] = materials.map(({ materialId }) => ({ materialId }));
    expect((await manager.lifecycle.rotations(asked, use)).items).toMatchObject([
      { ...first, state: 'non-current', rotatedAt: undefined, imported: { isHere: true, description: 'the first' } },
      { ...second, state: 'current', type: 'on-demand', imported: { isHere: true, validTo: undefined } },
      { ...third, state: 'pending-rotation', imported: { isHere: true, description: 'it waits' } },
    ]);
    await manager.rotateKey(rotatedKey, use);
    for (const keyId of [deletedKey, emptyKey])
      expect(await manager.describeKey(keyId, use)).toMatchObject({ state: 'pending-import', origin: 'EXTERNAL' });
    await importMaterial(manager, deletedKey, unhex(deletedMaterial), use);
    expect(await open(lostDek)).toBe(lostDek.dek);
  } finally {
    await manager.close();
  }
}

test('What is imported since version 4 is read from a frozen store of it, and its import token by the naive reader', async () => {
  for (const version of VERSIONS) {
    using opened = frozen(version);
    const { imports } = opened.facts;
    expect(imports !== undefined).toBe(version >= 4);
    if (imports === undefined) continue;
    const store = await naiveStore(join(opened.folder, 'store.sqlite'), { passphrase: PASSPHRASE });
    const read = naiveImportToken(store, unhex(imports.token), imports.emptyKey);
    expect(read).toMatchObject({ algorithm: 4, wrappingKey: 1 });
    const privateKey = createPrivateKey({ key: Buffer.from(read.privateKey), format: 'der', type: 'pkcs8' });
    expect(hex(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }))).toBe(imports.publicKey);
    await expectImports(opened.folder, imports);
  }
});

test('An import token of a frozen store is taken as long as it is valid, whatever sealed it', async () => {
  for (const version of VERSIONS) {
    using opened = frozen(version);
    const { imports } = opened.facts;
    if (imports === undefined) continue;
    const [token, publicKey] = [unhex(imports.token), unhex(imports.publicKey)];
    const validTo = Number(Buffer.from(token).readBigUInt64BE(16));
    const manager = await openKeyManager(storeOptions(opened.folder), { ...testPorts, now: () => validTo - 1000 });
    const wrapped = wrapByNode('RSA_AES_KEY_WRAP_SHA_256', publicKey, new Uint8Array(32).fill(9));
    await manager.imports.importMaterial({ keyId: imports.emptyKey, token, wrapped, validTo: undefined }, use);
    expect((await manager.describeKey(imports.emptyKey, use)).state).toBe('enabled');
    await manager.close();
  }
});

test('Keys that no customer manages are read from a store of version 7, and an older one has none', async () => {
  const viaS3 = { ...use, via: 's3' } as const;
  for (const version of VERSIONS) {
    using opened = frozen(version);
    const { managed, context } = opened.facts;
    const options = storeOptions(opened.folder);
    const manager = await openKeyManager(options, testPorts);
    const seen = await manager.listKeys(use);
    const current = await manager.serviceKey('s3-upload-token');
    expect(managed !== undefined).toBe(version >= 7);
    if (managed === undefined) {
      expect(seen.filter(({ management }) => management.type !== 'customer')).toEqual([]);
      // An older store gets its own when it is first needed.
      expect(current.epoch).toBe(2);
      await manager.close();
      continue;
    }
    const { managedKey, deks, ownedKey, epochs } = managed;
    expect(seen.find(({ keyId }) => keyId === managedKey)).toMatchObject({
      aliases: ['alias/aws/s3'],
      management: { type: 'service', service: 's3' },
    });
    expect(seen.some(({ keyId }) => keyId === ownedKey)).toBe(false);
    for (const { wrapped, dek } of deks)
      expect((await manager.decrypt({ wrapped: unhex(wrapped), context }, viaS3)).dek.export().toString('hex')).toBe(
        dek,
      );
    for (const { epoch, key } of epochs)
      expect((await manager.serviceKey('s3-upload-token', epoch)).key.export().toString('hex')).toBe(key);
    expect(current).toMatchObject({ epoch: 3, keyArn: expect.stringContaining(ownedKey) as unknown });
    await manager.close();
    const every = await readKeys(options, testPorts.now, 'every');
    expect(every.find(({ keyId }) => keyId === ownedKey)).toMatchObject({
      management: { type: 'owned', purpose: 's3-upload-token' },
      materials: [{ state: 'deactivated' }, { state: 'active' }],
    });
  }
});

test('What became of materials is read from a store of version 5, and as far as it is known from an older one', async () => {
  for (const version of VERSIONS) {
    using opened = frozen(version);
    const { keyIds } = opened.facts;
    const manager = await openKeyManager(storeOptions(opened.folder), testPorts);
    const [first] = (await manager.describeKey(keyIds.a, use)).materials;
    const [held] = (await manager.describeKey(keyIds.b, use)).materials;
    await manager.close();
    const steps = first?.history.map(({ to, by, reason }) => [to, by, reason]);
    const alice = version < 5 ? undefined : 'arn:aws:iam::000000000000:user/alice';
    expect(steps).toEqual([
      ['active', alice, 'created'],
      ['deactivated', alice, 'rotated'],
    ]);
    expect(first?.history[0]?.at).toBe(first?.createdAt);
    const states = held?.history.map(({ to, reason, stillOpens }) => [to, reason, stillOpens]);
    const since5 = [
      ['suspended', 'looked into: ä€', false],
      ['active', 'nothing found', false],
      ['compromised', 'found after all', true],
    ];
    expect(states).toEqual([['active', 'created', false], ...(version < 5 ? [] : since5)]);
    expect(held).toMatchObject({ state: version < 5 ? 'active' : 'compromised', stillOpens: version >= 5 });
  }
});

test('The keys of two regions are read from a frozen store of version 6, and none were before', async () => {
  for (const version of VERSIONS) {
    using opened = frozen(version);
    const { regions, context } = opened.facts;
    expect(regions !== undefined).toBe(version >= 6);
    if (regions === undefined) continue;
    const { keyId, otherRegion, otherKey, deks } = regions;
    const manager = await openKeyManager(storeOptions(opened.folder), testPorts);
    const there = manager.inRegion(otherRegion);
    for (const { wrapped, dek } of deks) {
      const opens = { ciphertext: unhex(wrapped), keyId: undefined, context };
      for (const { operations } of [manager, there ?? manager])
        expect(hex((await operations.decrypt(opens, use)).plaintext)).toBe(dek);
    }
    expect(await there?.describeKey(keyId, use)).toMatchObject({
      description: 'the replica',
      multiRegion: { type: 'replica', primary: { region: 'eu-central-1' }, replicas: [{ region: otherRegion }] },
    });
    expect(await there?.describeKey('alias/a', use)).toMatchObject({ keyId: otherKey });
    expect(await manager.describeKey('alias/a', use)).toMatchObject({ keyId: opened.facts.keyIds.a });
    const asked = { keyId, after: undefined, limit: 9 };
    expect((await there?.grants.list(asked, use))?.items).toHaveLength(1);
    expect((await manager.grants.list(asked, use)).items).toEqual([]);
    await manager.close();
  }
});

test('A reader of a store of version 1 leaves it of version 1', async () => {
  using opened = frozen(1);
  const path = storeOptions(opened.folder).storePath;
  const before = readFileSync(path);
  expect(await readKeys(storeOptions(opened.folder), Date.now)).toHaveLength(2);
  expect(readFileSync(path)).toEqual(before);
});

describe.each(VERSIONS)('The frozen store of version %i', (version) => {
  test('opens, gives what it gave, and goes on', async () => {
    using opened = frozen(version);
    await expectOpens(opened.folder, opened.facts);
    await (await openKeyManager(storeOptions(opened.folder), testPorts)).close();
  });

  test('verifies and restores from its backup, by each secret', async () => {
    using opened = frozen(version);
    const { folder, facts } = opened;
    const backupPath = join(folder, 'store.backup');
    for (const name of ['passphrase', 'backup-passphrase'])
      await verifyBackup(backupPath, [{ type: 'passphrase-file', path: join(folder, name) }]);
    renameSync(join(folder, 'store.sqlite'), join(folder, 'lost'));
    await restoreBackup({ backupPath, secrets: [], store: storeOptions(folder) }, testPorts);
    await expectOpens(folder, facts, { acceptRollback: true });
  });
});
