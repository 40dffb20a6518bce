import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use } from '../../../test/support/keys/keys.ts';
import type { AccessOptions } from '../access/options.ts';
import { readKeyReport } from '../admin/key-report.ts';
import type { KeyManager } from '../key-manager.ts';
import { DAY_MS } from '../limits.ts';

const ACCESS: AccessOptions = {
  identities: [],
  unlistedStorageCallers: 'nothing',
  organizationPolicies: [],
  defaultKeyPolicy: undefined,
  grantsCrossAccounts: false,
};
const START = Date.UTC(2026, 0, 1);
const iso = (days: number): string => new Date(START + days * DAY_MS).toISOString();
const code = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  );

/** A store whose clock the test moves, by days. */
async function timed() {
  const keys = await keyFolder();
  const clock = { day: 0 };
  const open = (): Promise<KeyManager> => keys.open({}, { now: () => START + clock.day * DAY_MS });
  return { keys, clock, open, [Symbol.asyncDispose]: () => keys[Symbol.asyncDispose]() };
}

const sealed = (manager: KeyManager, keyId: string): Promise<{ readonly ciphertext: Uint8Array }> =>
  manager.operations.encrypt({ keyId, plaintext: Buffer.from('x'), context: {} }, use);
const opened = (manager: KeyManager, ciphertext: Uint8Array): Promise<unknown> =>
  code(manager.operations.decrypt({ ciphertext, keyId: undefined, context: {} }, use));

describe('deletion', () => {
  test('A key pending deletion does nothing, can be had back disabled, and then goes on as before', async () => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId, arn } = await manager.createKey({}, use);
    const { ciphertext } = await sealed(manager, keyId);
    expect(await code(manager.lifecycle.cancelDeletion(keyId, use))).toBe('ERR_KEYS_INVALID_STATE');
    expect(await manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, use)).toEqual({
      ...{ arn, state: 'pending-deletion' },
      deletionDate: iso(7),
    });
    expect(await manager.describeKey(keyId, use)).toMatchObject({
      state: 'pending-deletion',
      enabled: false,
      deletionDate: iso(7),
    });
    const refused = manager.operations.encrypt({ keyId, plaintext: Buffer.from('x'), context: {} }, use);
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_KEYS_INVALID_STATE',
      message: `${arn} is pending deletion.`,
    });
    expect(await opened(manager, ciphertext)).toBe('ERR_KEYS_INVALID_STATE');
    for (const change of [
      () => manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, use),
      () => manager.enableKey(keyId, use),
      () => manager.disableKey(keyId, use),
      () => manager.createAlias({ aliasName: 'alias/a', keyId }, use),
      () => manager.rotateKey(keyId, use),
      () => manager.lifecycle.enableRotation({ keyId, periodDays: 90 }, use),
    ])
      expect(await code(change())).toBe('ERR_KEYS_INVALID_STATE');
    expect(await manager.lifecycle.cancelDeletion(keyId, use)).toEqual({ arn });
    expect(await manager.describeKey(keyId, use)).toMatchObject({ state: 'disabled', deletionDate: undefined });
    expect(await opened(manager, ciphertext)).toBe('ERR_KEYS_DISABLED');
    await manager.enableKey(keyId, use);
    expect(await opened(manager, ciphertext)).toBe('done');
  });

  test('A cached DEK of a key pending deletion is gone before the call returns', async () => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId } = await manager.createKey({}, use);
    const { wrapped } = await manager.generateDataKey({ keyId, context: {} }, use);
    await manager.decrypt({ wrapped, context: {} }, use);
    await manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, use);
    expect(await code(manager.decrypt({ wrapped, context: {} }, use))).toBe('ERR_KEYS_INVALID_STATE');
  });

  test.each([6, 31, 7.5, -1, Number.NaN])('A waiting period of %s days is refused', async (days) => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId } = await manager.createKey({}, use);
    expect(await code(manager.lifecycle.scheduleDeletion({ keyId, days }, use))).toBe('ERR_KEYS_INVALID_REQUEST');
  });

  test('Nothing is destroyed before its day, without leave, or unless it was scheduled; then it is, for ever', async () => {
    await using store = await timed();
    const manager = await store.open();
    const kept = await manager.createKey({ alias: 'alias/kept' }, use);
    const { keyId, arn } = await manager.createKey({ alias: 'alias/gone' }, use);
    await manager.rotateKey(keyId, use);
    const { ciphertext } = await sealed(manager, keyId);
    await manager.disableKey(kept.keyId, use);
    await manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, use);
    store.clock.day = 6.9;
    expect(await manager.runDue({ destroy: true })).toEqual({ rotated: [], destroyed: [], expired: [], failed: [] });
    store.clock.day = 4000;
    expect(await manager.runDue({ destroy: false })).toEqual({ rotated: [], destroyed: [], expired: [], failed: [] });
    expect(await code(manager.describeKey(keyId, use))).toBe('done');
    expect(await manager.runDue({ destroy: true })).toEqual({ rotated: [], destroyed: [arn], expired: [], failed: [] });
    expect(await manager.runDue({ destroy: true })).toEqual({ rotated: [], destroyed: [], expired: [], failed: [] });
    for (const name of [keyId, arn, 'alias/gone'])
      expect(await code(manager.describeKey(name, use))).toBe('ERR_KEYS_NOT_FOUND');
    expect(await code(manager.lifecycle.cancelDeletion(keyId, use))).toBe('ERR_KEYS_NOT_FOUND');
    expect(await opened(manager, ciphertext)).toBe('ERR_KEYS_CIPHERTEXT_UNKNOWN_KEY');
    expect((await manager.listKeys(use)).map((key) => key.keyId)).toEqual([kept.keyId]);
    expect((await manager.listAliases(use)).map(({ aliasName }) => aliasName)).toEqual([
      'alias/aws/rds',
      'alias/aws/s3',
      'alias/kept',
    ]);
    await manager.close();
    const nothing = { rules: [], callers: [] };
    const reading = { ...store.keys.options, access: ACCESS };
    const report = await readKeyReport(reading, nothing, () => Date.parse(iso(4000)));
    expect(report.keys.map((key) => key.keyId)).toEqual([kept.keyId]);
    const destroyed = { to: 'destroyed', reason: 'deleted', by: 'sealgate' };
    expect(report.destroyed).toMatchObject([
      {
        ...{ arn, spec: 'SYMMETRIC_DEFAULT', destroyedAt: iso(4000) },
        materials: [
          { version: 1, history: [{ to: 'active' }, { to: 'deactivated' }, destroyed] },
          { version: 2, history: [{ to: 'active' }, { to: 'deactivated' }, destroyed] },
        ],
      },
    ]);
    const again = await store.open();
    expect((await again.listKeys(use)).map((key) => key.keyId)).toEqual([kept.keyId]);
    expect((await again.settings.keyPage({ after: undefined, limit: 10 }, use)).items).toHaveLength(1);
  });

  test('Of a destroyed key no material is left in any file of the store', async () => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId } = await manager.createKey({}, use);
    const wrapped = await materialBytes(store.keys.options.storePath, keyId);
    const holds = (): string[] =>
      readdirSync(store.keys.folder).filter((name) => readFileSync(store.keys.path(name)).includes(wrapped));
    expect(holds()).not.toEqual([]);
    await manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, use);
    store.clock.day = 7;
    await manager.runDue({ destroy: true });
    expect(holds()).toEqual([]);
  });

  test('What the schedule did stands in the audit log: that it began, and that it was done', async () => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId, arn } = await manager.createKey({}, use);
    await manager.lifecycle.scheduleDeletion({ keyId, days: 30 }, use);
    store.clock.day = 30;
    await manager.runDue({ destroy: true });
    const lines = readFileSync(store.keys.options.audit.path, 'utf8').trim().split('\n');
    expect(lines.slice(-4).map((line) => JSON.parse(line) as unknown)).toMatchObject([
      {
        action: 'ScheduleKeyDeletion',
        key: arn,
        result: 'started',
        principal: use.principal,
        detail: { deletionDate: iso(30) },
      },
      { action: 'ScheduleKeyDeletion', key: arn, result: 'success' },
      { action: 'DeleteKey', key: arn, result: 'started', principal: 'sealgate', why: 'scheduled' },
      { action: 'DeleteKey', key: arn, result: 'success', detail: { deletionDate: iso(30), materials: 1 } },
    ]);
  });
});

/** The sealed material as the store holds it. */
async function materialBytes(storePath: string, keyId: string): Promise<Uint8Array> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(storePath, { readOnly: true });
  try {
    // A BLOB column of a STRICT table.
    return database.prepare('SELECT wrapped FROM materials WHERE key_id = ?').get(keyId)?.['wrapped'] as Uint8Array;
  } finally {
    database.close();
  }
}

describe('automatic rotation', () => {
  test('comes when its period is over and every period after; nothing else moves it', async () => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId, arn } = await manager.createKey({}, use);
    const { ciphertext } = await sealed(manager, keyId);
    expect(await manager.lifecycle.rotationStatus(keyId, use)).toEqual({
      keyId,
      enabled: false,
      periodDays: undefined,
      nextAt: undefined,
    });
    await manager.lifecycle.enableRotation({ keyId, periodDays: 90 }, use);
    const status = { keyId, enabled: true, periodDays: 90 };
    expect(await manager.lifecycle.rotationStatus(keyId, use)).toEqual({ ...status, nextAt: iso(90) });
    await manager.lifecycle.rotateOnDemand(keyId, use);
    expect(await manager.lifecycle.rotationStatus(keyId, use)).toEqual({ ...status, nextAt: iso(90) });
    store.clock.day = 89.9;
    expect((await manager.runDue({ destroy: true })).rotated).toEqual([]);
    store.clock.day = 90.5;
    expect((await manager.runDue({ destroy: true })).rotated).toEqual([arn]);
    expect((await manager.runDue({ destroy: true })).rotated).toEqual([]);
    expect(await manager.lifecycle.rotationStatus(keyId, use)).toEqual({ ...status, nextAt: iso(180.5) });
    expect(await opened(manager, ciphertext)).toBe('done');
    await manager.close();
    const again = await store.open();
    const listed = await again.lifecycle.rotations({ keyId, all: true, after: undefined, limit: 10 }, use);
    expect(listed.items).toMatchObject([
      { state: 'non-current', rotatedAt: undefined, type: undefined },
      { state: 'non-current', rotatedAt: iso(0), type: 'on-demand' },
      { state: 'current', rotatedAt: iso(90.5), type: 'automatic' },
    ]);
    const pages = await again.lifecycle.rotations({ keyId, all: false, after: undefined, limit: 1 }, use);
    expect(pages).toMatchObject({ items: [{ type: 'on-demand' }], more: true });
    const rest = await again.lifecycle.rotations(
      { keyId, all: false, after: pages.items[0]?.materialId, limit: 1 },
      use,
    );
    expect(rest).toMatchObject({ items: [{ type: 'automatic' }], more: false });
  });

  test('waits while the key is disabled or pending deletion, and is made up for afterwards', async () => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId, arn } = await manager.createKey({}, use);
    await manager.lifecycle.enableRotation({ keyId, periodDays: 90 }, use);
    await manager.disableKey(keyId, use);
    store.clock.day = 100;
    expect((await manager.runDue({ destroy: true })).rotated).toEqual([]);
    expect(await manager.lifecycle.rotationStatus(keyId, use)).toMatchObject({ enabled: true, nextAt: iso(90) });
    await manager.lifecycle.scheduleDeletion({ keyId, days: 30 }, use);
    expect(await manager.lifecycle.rotationStatus(keyId, use)).toMatchObject({ enabled: false, nextAt: undefined });
    await manager.lifecycle.cancelDeletion(keyId, use);
    await manager.enableKey(keyId, use);
    expect((await manager.runDue({ destroy: true })).rotated).toEqual([arn]);
  });

  test('Turned off it never comes; turned on again its period begins anew', async () => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId } = await manager.createKey({}, use);
    await manager.lifecycle.enableRotation({ keyId, periodDays: 90 }, use);
    await manager.lifecycle.disableRotation(keyId, use);
    store.clock.day = 400;
    expect((await manager.runDue({ destroy: true })).rotated).toEqual([]);
    await manager.lifecycle.enableRotation({ keyId, periodDays: 2560 }, use);
    expect(await manager.lifecycle.rotationStatus(keyId, use)).toMatchObject({ periodDays: 2560, nextAt: iso(2960) });
  });

  test.each([89, 2561, 90.5])('A period of %s days is refused', async (periodDays) => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId } = await manager.createKey({}, use);
    expect(await code(manager.lifecycle.enableRotation({ keyId, periodDays }, use))).toBe('ERR_KEYS_INVALID_REQUEST');
  });

  test('A disabled key refuses to have it turned on or off', async () => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId } = await manager.createKey({}, use);
    await manager.disableKey(keyId, use);
    expect(await code(manager.lifecycle.enableRotation({ keyId, periodDays: 90 }, use))).toBe('ERR_KEYS_DISABLED');
    expect(await code(manager.lifecycle.disableRotation(keyId, use))).toBe('ERR_KEYS_DISABLED');
  });
});

describe('rotation on demand', () => {
  test('is made 25 times a key; automatic ones do not count', async () => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId } = await manager.createKey({}, use);
    await manager.lifecycle.enableRotation({ keyId, periodDays: 90 }, use);
    store.clock.day = 90;
    await manager.runDue({ destroy: true });
    for (let count = 0; count < 25; count += 1) await manager.lifecycle.rotateOnDemand(keyId, use);
    expect(await code(manager.lifecycle.rotateOnDemand(keyId, use))).toBe('ERR_KEYS_LIMIT');
    expect((await manager.describeKey(keyId, use)).materials).toHaveLength(27);
  });

  test('conflicts with an automatic one that is due within 20 minutes', async () => {
    await using store = await timed();
    const manager = await store.open();
    const { keyId } = await manager.createKey({}, use);
    await manager.lifecycle.enableRotation({ keyId, periodDays: 90 }, use);
    store.clock.day = 90 - 19 / (24 * 60);
    expect(await code(manager.lifecycle.rotateOnDemand(keyId, use))).toBe('ERR_KEYS_CONFLICT');
    store.clock.day = 90 - 21 / (24 * 60);
    expect(await code(manager.lifecycle.rotateOnDemand(keyId, use))).toBe('done');
    store.clock.day = 91;
    expect(await code(manager.lifecycle.rotateOnDemand(keyId, use))).toBe('done');
  });
});

test('An alias of a key has its own limit, and says when it was moved', async () => {
  await using store = await timed();
  const manager = await store.open();
  const [a, b] = [await manager.createKey({}, use), await manager.createKey({}, use)];
  for (let at = 0; at < 50; at += 1) await manager.createAlias({ aliasName: `alias/n${at}`, keyId: a.keyId }, use);
  expect(await code(manager.createAlias({ aliasName: 'alias/one-more', keyId: a.keyId }, use))).toBe('ERR_KEYS_LIMIT');
  store.clock.day = 1;
  expect(await manager.updateAlias({ aliasName: 'alias/n0', keyId: b.keyId }, use)).toMatchObject({
    createdAt: iso(0),
    updatedAt: iso(1),
  });
  await manager.lifecycle.scheduleDeletion({ keyId: b.keyId, days: 7 }, use);
  // From a key pending deletion an alias may be taken away, to one it may not be given.
  expect(await code(manager.updateAlias({ aliasName: 'alias/n1', keyId: b.keyId }, use))).toBe(
    'ERR_KEYS_INVALID_STATE',
  );
  expect(await code(manager.updateAlias({ aliasName: 'alias/n0', keyId: a.keyId }, use))).toBe('done');
});

test('While the keys of a large store are looked through for what is due, everything else has its turn', async () => {
  await using store = await timed();
  const manager = await store.open();
  for (let at = 0; at < 600; at += 1) await manager.createKey({}, use);
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  const run = manager.runDue({ destroy: true });
  setImmediate(turn);
  expect(await run).toMatchObject({ rotated: [], failed: [] });
  isOver = true;
  // Twice through 600 keys.
  expect(turns).toBeGreaterThanOrEqual(3);
});
