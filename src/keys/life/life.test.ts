/** What the end of a period does, at the key manager; over the wire it is test/wire/kms/key-life.test.ts. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { importMaterial } from '../../../test/support/keys/import-key.ts';
import { rule, START, timedKeys, type TimedKeys } from '../../../test/support/keys/key-life.ts';
import { keyFolder, TEST_USE as use, testPorts } from '../../../test/support/keys/keys.ts';
import type { KeyManager } from '../key-manager.ts';
import { DAY_MS } from '../limits.ts';

const NIST = { profile: 'nist' } as const;
const plaintext = Buffer.from('sealed');
const mac = { message: Buffer.from('m'), algorithm: 'HMAC_SHA_256' } as const;
const code = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  );
const seal = (manager: KeyManager, keyId: string): Promise<{ readonly ciphertext: Uint8Array }> =>
  manager.operations.encrypt({ keyId, plaintext, context: {} }, use);
const open = (manager: KeyManager, ciphertext: Uint8Array): Promise<unknown> =>
  code(manager.operations.decrypt({ ciphertext, keyId: undefined, context: {} }, use));
const versions = async (manager: KeyManager, keyId: string): Promise<readonly string[]> =>
  (await manager.describeKey(keyId, use)).materials.map(({ version, state }) => `${version} ${state}`);
const warned = ({ audit }: TimedKeys): readonly unknown[] => audit('KeyLifeWarning').map(({ detail }) => detail);

test('By default a key never refuses: the end of its periods is a warning, once a day for each material and reason', async () => {
  await using store = await timedKeys();
  const manager = await store.open({});
  const { keyId, arn } = await manager.createKey({}, use);
  const { ciphertext } = await seal(manager, keyId);
  store.clock.day = 729;
  await seal(manager, keyId);
  expect(store.warnings).toEqual([]);
  store.clock.day = 731;
  for (let time = 0; time < 5; time++) await seal(manager, keyId);
  const endedAt = '2028-01-01T00:00:00.000Z';
  const facts = { endedAt, profile: 'aws' };
  expect(store.warnings).toMatchObject([{ keyArn: arn, reason: 'end of originator period', outcome: 'used', facts }]);
  expect(warned(store)).toEqual([{ reason: 'end of originator period', outcome: 'used', ...facts }]);
  store.clock.day = 732;
  await seal(manager, keyId);
  expect(store.warnings).toHaveLength(2);
  store.clock.day = 5000;
  expect(await open(manager, ciphertext)).toBe('done');
  expect(store.warnings.at(-1)).toMatchObject({ reason: 'end of recipient period', outcome: 'used' });
  expect(await versions(manager, keyId)).toEqual(['1 active']);
});

test('A warning stands in the trail before the use it is about, with who it was', async () => {
  await using store = await timedKeys();
  const manager = await store.open({});
  const { keyId, arn } = await manager.createKey({}, use);
  store.clock.day = 731;
  await seal(manager, keyId);
  expect(store.audit().slice(-2)).toMatchObject([
    { action: 'KeyLifeWarning', key: arn, principal: use.principal, decision: 'allow' },
    { action: 'Encrypt', key: arn, result: 'success', detail: { bytes: plaintext.length } },
  ]);
});

test('Under nist a key that can be rotated is, by the first use after the end and by it alone', async () => {
  await using store = await timedKeys();
  const manager = await store.open(NIST);
  const { keyId } = await manager.createKey({}, use);
  const { ciphertext } = await seal(manager, keyId);
  store.clock.day = 731;
  const many = await Promise.all(Array.from({ length: 20 }, () => seal(manager, keyId)));
  expect(await versions(manager, keyId)).toEqual(['1 deactivated', '2 active']);
  for (const each of [...many, { ciphertext }]) expect(await open(manager, each.ciphertext)).toBe('done');
  expect(store.audit('RotateKey')).toMatchObject([
    { result: 'started', why: 'end of originator period', detail: { endedAt: '2028-01-01T00:00:00.000Z' } },
    { result: 'success', principal: 'sealgate' },
  ]);
  // Nothing was refused, so nothing says so.
  expect(store.audit().filter(({ result }) => result === 'ERR_KEYS_PERIOD_OVER')).toEqual([]);
  const { items } = await manager.lifecycle.rotations({ keyId, all: false, limit: 10, after: undefined }, use);
  expect(items).toMatchObject([{ type: 'automatic', state: 'current' }]);
});

test.each(['generateDataKey', 'withoutPlaintext', 'pair', 'reEncrypt'] as const)(
  'Under nist %s rotates too, and is answered under the new material',
  async (how) => {
    await using store = await timedKeys();
    const manager = await store.open(NIST);
    const { keyId } = await manager.createKey({}, use);
    const { wrapped } = await manager.generateDataKey({ keyId, context: {} }, use);
    store.clock.day = 731;
    const { operations } = manager;
    const request = { keyId, context: {} };
    if (how === 'generateDataKey') await manager.generateDataKey(request, use);
    else if (how === 'withoutPlaintext')
      await operations.generateDataKeyWithoutPlaintext({ ...request, bytes: 32 }, use);
    else if (how === 'pair') await operations.generateDataKeyPair({ ...request, spec: 'ECC_NIST_P256' }, use);
    else {
      const moved = { wrapped, sourceContext: {}, destinationKeyId: keyId, destinationContext: {} };
      await manager.reEncrypt(moved, use);
    }
    expect(await versions(manager, keyId)).toEqual(['1 deactivated', '2 active']);
  },
);

test('Under nist a key that nobody uses is rotated by the schedule; not while it is disabled', async () => {
  await using store = await timedKeys();
  const manager = await store.open(NIST);
  const { keyId, arn } = await manager.createKey({}, use);
  await manager.disableKey(keyId, use);
  store.clock.day = 731;
  expect((await manager.runDue({ destroy: true })).rotated).toEqual([]);
  await manager.enableKey(keyId, use);
  expect((await manager.runDue({ destroy: true })).rotated).toEqual([arn]);
  expect((await manager.runDue({ destroy: true })).rotated).toEqual([]);
  expect(await versions(manager, keyId)).toEqual(['1 deactivated', '2 active']);
});

test('A dry run changes nothing', async () => {
  await using store = await timedKeys();
  const manager = await store.open(NIST);
  const { keyId } = await manager.createKey({}, use);
  store.clock.day = 731;
  const asked = manager.operations.encrypt({ keyId, plaintext, context: {}, dryRun: true }, use);
  expect(await code(asked)).toBe('ERR_KEYS_DRY_RUN');
  expect(await versions(manager, keyId)).toEqual(['1 active']);
});

test('A dry run is told nothing of periods: the warning is for the use that comes after it', async () => {
  await using store = await timedKeys();
  const manager = await store.open({});
  const { keyId } = await manager.createKey({}, use);
  const signs = await manager.createKey({ spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' }, use);
  const macs = await manager.createKey({ spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' }, use);
  const { ciphertext } = await seal(manager, keyId);
  store.clock.day = 5000;
  const message = Buffer.from('m');
  const signature = { algorithm: 'ECDSA_SHA_256', messageType: 'RAW', message } as const;
  const protecting = (dryRun: boolean): readonly Promise<unknown>[] => [
    manager.operations.encrypt({ keyId, plaintext, context: {}, dryRun }, use),
    manager.operations.generateDataKey({ keyId, bytes: 32, context: {}, dryRun }, use),
    manager.signatures.sign({ keyId: signs.keyId, ...signature, dryRun }, use),
    manager.macs.generate({ keyId: macs.keyId, ...mac, dryRun }, use),
    manager.operations.decrypt({ ciphertext, keyId: undefined, context: {}, dryRun }, use),
  ];
  for (const asked of protecting(true)) expect(await code(asked)).toBe('ERR_KEYS_DRY_RUN');
  expect([store.warnings, warned(store)]).toEqual([[], []]);
  for (const asked of protecting(false)) expect(await code(asked)).toBe('done');
  expect(store.warnings.map(({ reason }) => reason).sort()).toEqual([
    ...Array<string>(3).fill('end of originator period'),
    'end of recipient period',
  ]);
  expect(warned(store)).toHaveLength(4);
});

test('Under nist what cannot be rotated refuses to protect and says why, and goes on processing', async () => {
  await using store = await timedKeys();
  const manager = await store.open(NIST);
  const { keyId, arn } = await manager.createKey({ spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' }, use);
  const made = await manager.macs.generate({ keyId, ...mac }, use);
  store.clock.day = 731;
  const refused = manager.macs.generate({ keyId, ...mac }, use);
  await expect(refused).rejects.toMatchObject({
    code: 'ERR_KEYS_PERIOD_OVER',
    message: `${arn} protects nothing more with this key material (end of originator period, 2028-01-01T00:00:00.000Z), by the key life profile nist.`,
  });
  expect(await code(manager.macs.generate({ keyId, ...mac }, use))).toBe('ERR_KEYS_PERIOD_OVER');
  await manager.macs.verify({ keyId, ...mac, mac: made.mac }, use);
  expect(store.warnings).toMatchObject([{ reason: 'end of originator period', outcome: 'refused' }]);
  expect(store.audit('GenerateMac').map(({ result }) => result)).toEqual([
    'success',
    'ERR_KEYS_PERIOD_OVER',
    'ERR_KEYS_PERIOD_OVER',
  ]);
});

test('Imported material is its importer’s to replace: it refuses, until new material is imported and rotated to', async () => {
  await using store = await timedKeys();
  const manager = await store.open({ ...NIST, rules: [rule({ weakWrapping: 'warn' })] });
  const { keyId } = await manager.createKey({ origin: 'EXTERNAL' }, use);
  await importMaterial(manager, keyId, randomBytes(32), use);
  const { ciphertext } = await seal(manager, keyId);
  store.clock.day = 731;
  expect(await code(seal(manager, keyId))).toBe('ERR_KEYS_PERIOD_OVER');
  expect((await manager.runDue({ destroy: true })).rotated).toEqual([]);
  expect(await open(manager, ciphertext)).toBe('done');
  await importMaterial(manager, keyId, randomBytes(32), use, { type: 'new' });
  await manager.lifecycle.rotateOnDemand(keyId, use);
  expect(await code(seal(manager, keyId))).toBe('done');
});

test('The recipient end denies where the config says so, cached or not, and destroys nothing', async () => {
  await using store = await timedKeys();
  const first = await store.open({ ...NIST, recipientEnd: 'deny' });
  const { keyId } = await first.createKey({}, use);
  const { ciphertext } = await seal(first, keyId);
  const context = Object.freeze({});
  const { wrapped } = await first.generateDataKey({ keyId, context }, use);
  await first.decrypt({ wrapped, context }, use);
  store.clock.day = 1824;
  expect(await open(first, ciphertext)).toBe('done');
  await first.decrypt({ wrapped, context }, use);
  expect(first.decryptNow({ wrapped, context }, use)).toBeDefined();
  store.clock.day = 1826;
  expect(await open(first, ciphertext)).toBe('ERR_KEYS_PERIOD_OVER');
  expect(first.decryptNow({ wrapped, context }, use)).toBeUndefined();
  expect(await code(first.decrypt({ wrapped, context }, use))).toBe('ERR_KEYS_PERIOD_OVER');
  expect((await first.runDue({ destroy: true })).destroyed).toEqual([]);
  await first.close();
  // An operator's word, with its reason, opens it again.
  const reason = 'legal hold 17';
  const second = await store.open({ ...NIST, recipientEnd: 'deny', rules: [rule({ recipientEnd: 'warn', reason })] });
  expect(await open(second, ciphertext)).toBe('done');
  expect(warned(store).at(-1)).toMatchObject({ reason: 'end of recipient period', rule: 1, because: reason });
});

test('The profile and each rule, with its reason, are in the trail of every start', async () => {
  await using store = await timedKeys();
  const reason = 'contract 12, section 3';
  const rules = [
    rule({ keys: ['alias/a*'], types: ['wrapping'], originatorDays: 90, recipientDays: 'unlimited', reason }),
  ];
  await (await store.open({})).close();
  expect([...store.audit('KeyLifeProfile'), ...store.audit('KeyLifeRule')]).toEqual([]);
  await (await store.open({ ...NIST, rules })).close();
  expect(store.audit('KeyLifeProfile')).toMatchObject([{ detail: { profile: 'nist', recipientEnd: 'warn' } }]);
  const detail = {
    rule: 1,
    keys: 'alias/a*',
    types: 'wrapping',
    originatorDays: 90,
    recipientDays: 'unlimited',
    reason,
  };
  expect(store.audit('KeyLifeRule')).toMatchObject([{ detail, decision: 'allow' }]);
});

test('A key comes under a rule by its alias, and leaves it with the alias, at once', async () => {
  await using store = await timedKeys();
  const rules = [rule({ keys: ['alias/strict-*'], profile: 'nist' })];
  const manager = await store.open({ rules });
  const { keyId } = await manager.createKey({ spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' }, use);
  store.clock.day = 731;
  const asked = (): Promise<unknown> => code(manager.macs.generate({ keyId, ...mac }, use));
  expect(await asked()).toBe('done');
  await manager.createAlias({ aliasName: 'alias/strict-macs', keyId }, use);
  expect(await asked()).toBe('ERR_KEYS_PERIOD_OVER');
  await manager.deleteAlias('alias/strict-macs', use);
  expect(await asked()).toBe('done');
});

test('What a state forbids, no profile allows; and a suspended material is not rotated away', async () => {
  await using store = await timedKeys();
  const manager = await store.open(NIST);
  const { keyId } = await manager.createKey({}, use);
  await manager.materials.suspend({ keyId, reason: 'looked into' }, use);
  store.clock.day = 731;
  expect(await code(seal(manager, keyId))).toBe('ERR_KEYS_DISABLED');
  expect((await manager.runDue({ destroy: true })).rotated).toEqual([]);
});

test('Agreeing on a secret goes by the recipient period, as it may be for old data', async () => {
  await using store = await timedKeys();
  const spec = { spec: 'ECC_NIST_P256', usage: 'KEY_AGREEMENT' } as const;
  const manager = await store.open({
    ...NIST,
    recipientEnd: 'deny',
    rules: [rule({ recipientDays: 1000, types: ['agreement'] })],
  });
  const { keyId } = await manager.createKey(spec, use);
  const { publicKey } = await manager.pairs.publicKey(keyId, use);
  const agreed = (): Promise<unknown> => code(manager.pairs.deriveSharedSecret({ keyId, publicKey }, use));
  store.clock.day = 731;
  expect(await agreed()).toBe('done');
  expect(store.warnings).toMatchObject([{ reason: 'end of originator period', outcome: 'used' }]);
  store.clock.day = 1001;
  expect(await agreed()).toBe('ERR_KEYS_PERIOD_OVER');
});

test.each(['warn', 'deny'] as const)(
  'A recipient end that was first seen by who does not wait is told by the use that follows: %s',
  async (recipientEnd) => {
    await using store = await timedKeys();
    const manager = await store.open({ ...NIST, recipientEnd });
    const { keyId } = await manager.createKey({}, use);
    const context = Object.freeze({});
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    await manager.decrypt({ wrapped, context }, use);
    store.clock.day = 1826;
    // It is no longer cached.
    expect(manager.decryptNow({ wrapped, context }, use)).toBeUndefined();
    expect(await code(manager.decrypt({ wrapped, context }, use))).toBe(
      recipientEnd === 'deny' ? 'ERR_KEYS_PERIOD_OVER' : 'done',
    );
    const detail = { reason: 'end of recipient period', outcome: recipientEnd === 'deny' ? 'refused' : 'used' };
    expect(store.audit('KeyLifeWarning')).toMatchObject([{ detail }]);
  },
);

test('A use whose rotation fails is on record as what it failed of', async () => {
  await using folder = await keyFolder();
  const state = { days: 0, isBroken: false };
  const random: typeof testPorts.random = (bytes) => {
    if (state.isBroken) throw new Error('no random bytes');
    return testPorts.random(bytes);
  };
  const life = { profile: 'nist', recipientEnd: 'warn', rules: [] } as const;
  const manager = await folder.open({ life }, { now: () => START + state.days * DAY_MS, random });
  const { keyId } = await manager.createKey({}, use);
  state.days = 731;
  state.isBroken = true;
  await expect(seal(manager, keyId)).rejects.toThrow('no random bytes');
  const records = readFileSync(folder.options.audit.path, 'utf8').trimEnd().split('\n');
  expect(records.at(-1)).toContain('"action":"Encrypt"');
  expect(records.at(-1)).toContain('"result":"failure"');
});
