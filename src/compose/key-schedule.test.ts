import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../test/support/keys/keys.ts';
import { DAY_MS } from '../keys/limits.ts';
import { KeySchedule } from './key-schedule.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);

/** A key pending deletion, one that rotates, and a schedule over clocks that the test moves. */
async function scheduled() {
  const keys = await keyFolder();
  const time = { wall: START, monotonic: 0 };
  const manager = await keys.open({}, { now: () => time.wall });
  const doomed = await manager.createKey({}, use);
  await manager.lifecycle.scheduleDeletion({ keyId: doomed.keyId, days: 7 }, use);
  const rotating = await manager.createKey({}, use);
  await manager.lifecycle.enableRotation({ keyId: rotating.keyId, periodDays: 90 }, use);
  const said: string[] = [];
  const say = (_fields: object, text?: string): void => void said.push(text ?? '');
  const log = { debug: say, info: say, warn: say, error: say }; // the schedule writes fields and a text
  const schedule = new KeySchedule((allow) => manager.runDue(allow), log, {
    wall: () => time.wall,
    monotonic: () => time.monotonic,
  });
  const pass = (ms: number): void => {
    time.wall += ms;
    time.monotonic += ms;
  };
  const alive = async (): Promise<boolean> => (await manager.listKeys(use)).some(({ keyId }) => keyId === doomed.keyId);
  const materials = async (): Promise<number> => (await manager.describeKey(rotating.keyId, use)).materials.length;
  return {
    manager,
    time,
    schedule,
    said,
    pass,
    alive,
    materials,
    [Symbol.asyncDispose]: () => keys[Symbol.asyncDispose](),
  };
}

/** Minutes as they pass, a round in each. */
async function minutes(count: number, { pass, schedule }: Awaited<ReturnType<typeof scheduled>>): Promise<void> {
  for (let minute = 0; minute < count; minute += 1) {
    pass(MINUTE);
    await schedule.run();
  }
}

test('A key whose time is over is destroyed, and one that is due is rotated, and both are said', async () => {
  await using s = await scheduled();
  s.pass(91 * DAY_MS);
  await s.schedule.run();
  expect([await s.alive(), await s.materials()]).toEqual([false, 2]);
  expect(s.said).toEqual(['key rotated, as was due', 'key destroyed: its waiting period is over']);
});

test('A clock that leaps forward destroys nothing, and nothing either for ten minutes after; it may rotate', async () => {
  await using s = await scheduled();
  await minutes(11, s);
  s.time.wall += 3650 * DAY_MS;
  await s.schedule.run();
  expect([await s.alive(), await s.materials()]).toEqual([true, 2]);
  await minutes(9, s);
  expect(await s.alive()).toBe(true);
  // Put right in time: the key lives, since its day has not come.
  s.time.wall -= 3650 * DAY_MS;
  await minutes(30, s);
  expect(await s.alive()).toBe(true);
  expect(s.said.filter((text) => text.startsWith('the clock was moved'))).toHaveLength(2);
});

test('Nothing is destroyed in the first ten minutes after a start', async () => {
  await using s = await scheduled();
  // As it is where the day came while nothing ran.
  s.time.wall += 8 * DAY_MS;
  const late = new KeySchedule(
    (allow) => s.manager.runDue(allow),
    { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    { wall: () => s.time.wall, monotonic: () => s.time.monotonic },
  );
  for (let minute = 0; minute < 9; minute += 1) {
    s.pass(MINUTE);
    await late.run();
  }
  expect(await s.alive()).toBe(true);
  s.pass(MINUTE);
  await late.run();
  expect(await s.alive()).toBe(false);
});

test('A clock corrected a little is no leap', async () => {
  await using s = await scheduled();
  await minutes(11, s);
  s.time.wall += 90_000;
  s.pass(8 * DAY_MS);
  await s.schedule.run();
  expect(await s.alive()).toBe(false);
});

test('A round that fails is said, and the next one is made', async () => {
  await using s = await scheduled();
  await s.manager.close();
  await s.schedule.run();
  await s.schedule.run();
  expect(s.said).toEqual(Array(2).fill('what is due of keys could not be done'));
});

test('A key whose change fails keeps no other waiting, and is tried again', async () => {
  await using keys = await keyFolder();
  const { ids, late } = await withDueRotations(keys, 3);
  const refused = expect.stringContaining(ids[1] ?? '') as string;
  inStore(
    keys.options.storePath,
    `CREATE TRIGGER refuse BEFORE INSERT ON materials WHEN NEW.key_id = '${ids[1] ?? ''}' BEGIN SELECT RAISE(ABORT, 'no'); END`,
  );
  const manager = await keys.open({}, { now: () => late });
  const said: unknown[] = [];
  const log = { debug: nothing, info: nothing, warn: nothing, error: (fields: object) => said.push(fields) };
  await new KeySchedule((allow) => manager.runDue(allow), log, { wall: () => late, monotonic: () => late }).run();
  expect(said).toEqual([{ key: refused, err: expect.any(Error) as Error }]);
  const materials = await Promise.all(
    ids.map(async (keyId) => (await manager.describeKey(keyId, use)).materials.length),
  );
  expect(materials).toEqual([2, 1, 2]);
  await manager.close();
  inStore(keys.options.storePath, 'DROP TRIGGER refuse');
  const again = await keys.open({}, { now: () => late });
  expect(await again.runDue({ destroy: true })).toEqual({ rotated: [refused], destroyed: [], expired: [], failed: [] });
});

const nothing = (): void => undefined;

/** The store is nobody's when this returns. */
async function withDueRotations(keys: KeyFolder, count: number): Promise<{ ids: readonly string[]; late: number }> {
  const manager = await keys.open({}, { now: () => START });
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1) {
    const { keyId } = await manager.createKey({}, use);
    await manager.lifecycle.enableRotation({ keyId, periodDays: 90 }, use);
    ids.push(keyId);
  }
  await manager.close();
  return { ids, late: START + 91 * DAY_MS };
}

function inStore(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}
