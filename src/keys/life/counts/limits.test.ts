/** Limits on what a material protects: counted in memory, had back from the audit log whatever became of the process or its files. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rule, timedKeys, type TimedKeys } from '../../../../test/support/keys/key-life.ts';
import { TEST_USE as use, testPorts } from '../../../../test/support/keys/keys.ts';
import { openKeyManager, type KeyManager } from '../../key-manager.ts';
import type { KeyManagerOptions } from '../../options.ts';

const message = { message: Buffer.from('12345678'), algorithm: 'HMAC_SHA_256' } as const;
const MAC = { spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' } as const;
const life = (maxOperations?: number, maxBytes?: number): NonNullable<KeyManagerOptions['life']> => ({
  profile: 'nist',
  recipientEnd: 'warn',
  rules: [rule({ maxOperations, maxBytes })],
});
const code = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  );
const sign = (manager: KeyManager, keyId: string): Promise<unknown> =>
  code(manager.macs.generate({ keyId, ...message }, use));

/** How often it still protects. */
async function left(manager: KeyManager, keyId: string): Promise<number> {
  let times = 0;
  let answer = await sign(manager, keyId);
  for (; answer === 'done'; times++) answer = await sign(manager, keyId);
  expect(answer).toBe('ERR_KEYS_PERIOD_OVER');
  return times;
}

/** The `seq` that a file's first line names; 0: there is none. */
const firstSeq = (path: string): number =>
  existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8').split('\n')[0] ?? '') as { seq: number }).seq : 0;

/** What a process that is killed at this instant leaves on the disk, opened: how often the key still protects. */
async function leftOfKilled({ keys }: TimedKeys, options: NonNullable<KeyManagerOptions['life']>, keyId: string) {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-killed-'));
  const path = (name: string): string => join(folder, name);
  try {
    for (const name of readdirSync(keys.folder)) if (!name.endsWith('.lock')) copyFileSync(keys.path(name), path(name));
    const places = {
      storePath: path('keys.sqlite'),
      unseal: [{ type: 'key-file', path: path('root.key') }] as const,
      audit: { ...keys.options.audit, path: path('audit.log') },
    };
    const manager = await openKeyManager({ ...keys.options, ...places, life: options }, testPorts);
    try {
      return await left(manager, keyId);
    } finally {
      await manager.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('what counts', () => {
  test('A key protects as often as its limit says, also where all ask at once, and goes on processing', async () => {
    await using store = await timedKeys();
    const manager = await store.open(life(5));
    const { keyId, arn } = await manager.createKey(MAC, use);
    const { mac } = await manager.macs.generate({ keyId, ...message }, use);
    const all = await Promise.all(Array.from({ length: 20 }, () => sign(manager, keyId)));
    expect(all.filter((each) => each === 'done')).toHaveLength(4);
    await expect(manager.macs.generate({ keyId, ...message }, use)).rejects.toMatchObject({
      code: 'ERR_KEYS_PERIOD_OVER',
      message: `${arn} protects nothing more with this key material (operation limit of 5, 5 used), by the key life profile nist.`,
    });
    await manager.macs.verify({ keyId, ...message, mac }, use);
    const because = { reason: 'operation limit', outcome: 'refused', limit: 5, used: 5, because: 'for a test' };
    expect(store.audit('KeyLifeWarning')).toMatchObject([{ detail: because }]);
  });

  test('Verifying, dry runs and refused uses do not; a use is as many bytes as it protects', async () => {
    await using store = await timedKeys();
    const manager = await store.open(life(undefined, 20));
    const { keyId } = await manager.createKey(MAC, use);
    const { mac } = await manager.macs.generate({ keyId, ...message }, use);
    for (let times = 0; times < 5; times++) {
      await manager.macs.verify({ keyId, ...message, mac }, use);
      expect(await code(manager.macs.generate({ keyId, ...message, dryRun: true }, use))).toBe('ERR_KEYS_DRY_RUN');
      const wrong = { ...message, algorithm: 'HMAC_SHA_512' } as const;
      expect(await code(manager.macs.generate({ keyId, ...wrong }, use))).toBe('ERR_KEYS_KEY_USAGE');
    }
    expect(await sign(manager, keyId)).toBe('done');
    // Sixteen of twenty: eight more are too many, four are not.
    expect(await sign(manager, keyId)).toBe('ERR_KEYS_PERIOD_OVER');
    const short = { ...message, message: Buffer.from('1234') };
    expect(await code(manager.macs.generate({ keyId, ...short }, use))).toBe('done');
    expect(await code(manager.macs.generate({ keyId, ...short }, use))).toBe('ERR_KEYS_PERIOD_OVER');
  });

  test('A symmetric key has new material at its limit, and what is more than that may hold is refused without one', async () => {
    await using store = await timedKeys();
    const manager = await store.open(life(3, 100));
    const { keyId } = await manager.createKey({}, use);
    for (let times = 0; times < 7; times++) await manager.generateDataKey({ keyId, context: {} }, use);
    const count = async (): Promise<number> => (await manager.describeKey(keyId, use)).materials.length;
    expect(await count()).toBe(3);
    const large = { keyId, plaintext: Buffer.alloc(101), context: {} };
    expect(await code(manager.operations.encrypt(large, use))).toBe('ERR_KEYS_PERIOD_OVER');
    expect(await count()).toBe(3);
  });

  test('A symmetric key has new material also where the next use alone is beyond its limit of bytes', async () => {
    await using store = await timedKeys();
    const manager = await store.open(life(undefined, 100));
    const { keyId } = await manager.createKey({}, use);
    // 32 bytes each: three fit.
    for (let times = 0; times < 7; times++) await manager.generateDataKey({ keyId, context: {} }, use);
    expect((await manager.describeKey(keyId, use)).materials).toHaveLength(3);
    expect(store.audit('RotateKey')).toMatchObject(
      [1, 2].flatMap(() => ['started', 'success'].map((result) => ({ result, why: 'byte limit' }))),
    );
    expect(store.audit().filter(({ result }) => result === 'ERR_KEYS_PERIOD_OVER')).toEqual([]);
  });

  test('By the profile aws a limit is a warning', async () => {
    await using store = await timedKeys();
    const manager = await store.open({ ...life(2), profile: 'aws' });
    const { keyId } = await manager.createKey(MAC, use);
    for (let times = 0; times < 5; times++) expect(await sign(manager, keyId)).toBe('done');
    expect(store.warnings).toMatchObject([{ reason: 'operation limit', outcome: 'used' }]);
  });

  test('Using keys writes to no file but those of the audit log', async () => {
    await using store = await timedKeys();
    const manager = await store.open(life(100));
    const { keyId } = await manager.createKey(MAC, use);
    const before = readFileSync(store.keys.options.storePath);
    const log = readFileSync(`${store.keys.options.storePath}-wal`);
    for (let times = 0; times < 20; times++) await sign(manager, keyId);
    expect(readFileSync(store.keys.options.storePath)).toEqual(before);
    expect(readFileSync(`${store.keys.options.storePath}-wal`)).toEqual(log);
  });
});

describe('after a restart', () => {
  /** Three of ten are used, then it is as `change` leaves it. */
  async function restarted(change: (path: string) => void, more: Partial<KeyManagerOptions> = {}): Promise<number> {
    await using store = await timedKeys();
    const first = await store.open(life(10));
    const { keyId } = await first.createKey(MAC, use);
    for (let times = 0; times < 3; times++) await sign(first, keyId);
    await first.close();
    change(store.keys.options.audit.path);
    return await left(await store.open(life(10), more), keyId);
  }

  test('uses before it count', async () => {
    expect(await restarted(() => undefined)).toBe(7);
  });

  test('they do without their file, and where it is torn', async () => {
    expect(await restarted((path) => void rmSync(`${path}.uses`))).toBe(7);
    expect(await restarted((path) => void truncateSync(`${path}.uses`, 100))).toBe(7);
  });

  test('a file that says less is not believed', async () => {
    const fewer = (path: string): void => {
      const text = readFileSync(`${path}.uses`, 'utf8');
      expect(text).toContain(',3,24]');
      writeFileSync(`${path}.uses`, text.replace(',3,24]', ',0,0]'));
    };
    expect(await restarted(fewer)).toBe(7);
  });

  test('uses of a time when no limit was set count too', async () => {
    await using store = await timedKeys();
    const first = await store.open({});
    const { keyId } = await first.createKey(MAC, use);
    for (let times = 0; times < 3; times++) await sign(first, keyId);
    await first.close();
    expect(await left(await store.open(life(10)), keyId)).toBe(7);
  });

  test.each(['stay', 'are moved away'])('they do where files of the trail were rotated and %s', async (what) => {
    await using store = await timedKeys();
    const audit = { ...store.keys.options.audit, rotateAtBytes: 1500 };
    const first = await store.open(life(100), { audit });
    const { keyId } = await first.createKey(MAC, use);
    for (let times = 0; times < 60; times++) await sign(first, keyId);
    const rotated = (): readonly string[] => readdirSync(store.keys.folder).filter((name) => /\.\d{16}$/.test(name));
    expect(rotated().length).toBeGreaterThan(10);
    const uses = `${audit.path}.uses`;
    if (what === 'are moved away') {
      // As a process that is killed leaves it, which wrote the counts when it last rotated.
      const before = firstSeq(audit.path) - 1;
      await expect.poll(() => firstSeq(uses)).toBeGreaterThanOrEqual(before);
      for (const name of rotated()) rmSync(store.keys.path(name));
      expect(await leftOfKilled(store, life(100), keyId)).toBeLessThanOrEqual(40);
    }
    await first.close();
    if (what === 'stay') rmSync(uses);
    expect(await left(await store.open(life(100), { audit }), keyId)).toBe(40);
  });

  test('so do encapsulated secrets', async () => {
    await using store = await timedKeys();
    const first = await store.open(life(3));
    const { keyId } = await first.createKey({ spec: 'ML_KEM_512' }, use);
    for (let times = 0; times < 3; times++) await first.pairs.encapsulate({ keyId }, use);
    await first.close();
    rmSync(`${store.keys.options.audit.path}.uses`);
    const second = await store.open(life(3));
    expect(await code(second.pairs.encapsulate({ keyId }, use))).toBe('ERR_KEYS_PERIOD_OVER');
  });

  test('an older file is caught up with, whatever it counted', async () => {
    await using store = await timedKeys();
    const first = await store.open(life(10));
    const { keyId } = await first.createKey(MAC, use);
    await sign(first, keyId);
    await first.close();
    const file = `${store.keys.options.audit.path}.uses`;
    const kept = readFileSync(file);
    const second = await store.open(life(10));
    await sign(second, keyId);
    await second.close();
    writeFileSync(file, kept);
    expect(await left(await store.open(life(10)), keyId)).toBe(8);
  });

  test('a killed process has used what it answered', async () => {
    await using store = await timedKeys();
    const first = await store.open(life(10));
    const { keyId } = await first.createKey(MAC, use);
    for (let times = 0; times < 4; times++) {
      expect(await leftOfKilled(store, life(10), keyId)).toBe(10 - times);
      await sign(first, keyId);
    }
  });
});

describe('where records are missing', () => {
  test('each may have been a use of what was there, and of nothing that came later', async () => {
    await using store = await timedKeys();
    const first = await store.open(life(50));
    const { keyId } = await first.createKey(MAC, use);
    for (let times = 0; times < 3; times++) await sign(first, keyId);
    const { keyId: wraps } = await first.createKey({}, use);
    await first.close();
    const records = store.audit().length;
    rmSync(store.keys.options.audit.path);
    rmSync(`${store.keys.options.audit.path}.uses`);
    store.clock.day = 1;
    const second = await store.open(life(50), { acceptAuditGap: true });
    store.clock.day = 2;
    const { keyId: later } = await second.createKey(MAC, use);
    expect(await left(second, keyId)).toBe(50 - records);
    expect(await left(second, later)).toBe(50);
    await second.close();
    // The log that is there says so by itself.
    rmSync(`${store.keys.options.audit.path}.uses`);
    const third = await store.open(life(100));
    expect(await left(third, keyId)).toBe(50);
    expect(await left(third, later)).toBe(50);
    // What can be rotated goes on.
    for (let times = 0; times < 60; times++) await third.generateDataKey({ keyId: wraps, context: {} }, use);
  });

  test('a clock that was set back since makes no material for each use', async () => {
    await using store = await timedKeys();
    store.clock.day = 5;
    const first = await store.open(life(5));
    const { keyId } = await first.createKey({}, use);
    for (let times = 0; times < 4; times++) await first.generateDataKey({ keyId, context: {} }, use);
    await first.close();
    rmSync(store.keys.options.audit.path);
    rmSync(`${store.keys.options.audit.path}.uses`);
    store.clock.day = 6;
    const second = await store.open(life(5), { acceptAuditGap: true });
    const made = async (): Promise<unknown> => code(second.generateDataKey({ keyId, context: {} }, use));
    const materials = async (): Promise<number> => (await second.describeKey(keyId, use)).materials.length;
    store.clock.day = 5.5;
    // A new material could not be told from those that the missing records may be about.
    for (let times = 0; times < 3; times++) expect(await made()).toBe('ERR_KEYS_PERIOD_OVER');
    expect(await materials()).toBe(1);
    store.clock.day = 7;
    expect(await made()).toBe('done');
    expect(await materials()).toBe(2);
  });

  test('the end of a log that was lost counts, as far as it was known', async () => {
    await using store = await timedKeys();
    const first = await store.open(life(20));
    const { keyId } = await first.createKey(MAC, use);
    const size = readFileSync(store.keys.options.audit.path).length;
    for (let times = 0; times < 6; times++) await sign(first, keyId);
    await first.close();
    truncateSync(store.keys.options.audit.path, size);
    const second = await store.open(life(20), { acceptAuditGap: true });
    // Six uses, and the checkpoint of the end, which may have been one.
    expect(await left(second, keyId)).toBe(20 - 7);
  });
});
