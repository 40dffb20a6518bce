import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../../test/support/keys/keys.ts';
import type { KeyManager } from '../key-manager.ts';
import { MATERIAL_STATES, MATERIAL_TRANSITIONS, type MaterialState } from './key-states.ts';
import { MAX_REACTIVATIONS } from '../limits.ts';
import { moveMaterial } from './material-history.ts';
import { verifyAudit } from '../offline.ts';
import { readFileSync } from 'node:fs';

const context = Object.freeze({ purpose: 'test' });
const reason = 'incident 4711';
const code = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  );

/** Records of the audit log. */
const records = ({ options }: KeyFolder): readonly Record<string, unknown>[] =>
  readFileSync(options.audit.path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Moves a new key's material to each state that there is. */
const WAYS: Readonly<Record<string, (manager: KeyManager, keyId: string) => Promise<unknown>>> = {
  active: async () => undefined,
  suspended: ({ materials }, keyId) => materials.suspend({ keyId, reason }, use),
  deactivated: ({ materials }, keyId) => materials.deactivate({ keyId, reason }, use),
  compromised: ({ materials }, keyId) => materials.markCompromised({ keyId, reason, stillOpens: false }, use),
  'compromised, still opens': ({ materials }, keyId) =>
    materials.markCompromised({ keyId, reason, stillOpens: true }, use),
};

type Standing = 'active' | 'suspended' | 'deactivated' | 'compromised' | 'compromised, still opens';
/** What protects, what opens, and the key's state as callers see it. */
const ALLOWED: readonly (readonly [Standing, string, string, string])[] = [
  ['active', 'done', 'done', 'enabled'],
  ['suspended', 'ERR_KEYS_DISABLED', 'ERR_KEYS_DISABLED', 'disabled'],
  ['deactivated', 'ERR_KEYS_INVALID_STATE', 'done', 'enabled'],
  ['compromised', 'ERR_KEYS_DISABLED', 'ERR_KEYS_DISABLED', 'disabled'],
  ['compromised, still opens', 'ERR_KEYS_INVALID_STATE', 'done', 'enabled'],
];

describe('what a state allows', () => {
  test.each(ALLOWED)(
    '%s: protecting is %s, opening %s, and callers see it %s',
    async (standing, protect, open, shown) => {
      await using keys = await keyFolder();
      const manager = await keys.open();
      const { keyId } = await manager.createKey({}, use);
      const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
      // Cached, and the cache must not outlive the state.
      await manager.decrypt({ wrapped, context }, use);
      const { ciphertext } = await manager.operations.encrypt({ keyId, plaintext: Buffer.from('x'), context }, use);
      await WAYS[standing]?.(manager, keyId);
      const protects = [
        () => manager.generateDataKey({ keyId, context }, use),
        () => manager.operations.encrypt({ keyId, plaintext: Buffer.from('x'), context }, use),
        () => manager.operations.generateDataKeyWithoutPlaintext({ keyId, bytes: 32, context }, use),
      ];
      const opens = [
        () => manager.decrypt({ wrapped, context }, use),
        () => manager.operations.decrypt({ ciphertext, keyId: undefined, context }, use),
      ];
      for (const each of protects) expect(await code(each())).toBe(protect);
      for (const each of opens) expect(await code(each())).toBe(open);
      expect(manager.decryptNow({ wrapped, context }, use) === undefined).toBe(open !== 'done');
      const description = await manager.describeKey(keyId, use);
      expect([description.state, description.enabled]).toEqual([shown, shown === 'enabled']);
      await manager.close();
      // And all the same to whoever opens the store next.
      const again = await keys.open();
      expect(await code(again.generateDataKey({ keyId, context }, use))).toBe(protect);
      expect(await code(again.decrypt({ wrapped, context }, use))).toBe(open);
      expect(await again.describeKey(keyId, use)).toEqual(description);
    },
  );

  test('MACs and signatures of a key that is deactivated verify, and none are made', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const mac = await manager.createKey({ spec: 'HMAC_256' }, use);
    const asked = { keyId: mac.keyId, message: Buffer.from('m'), algorithm: 'HMAC_SHA_256' } as const;
    const made = await manager.macs.generate(asked, use);
    await manager.materials.deactivate({ keyId: mac.keyId, reason }, use);
    expect(await code(manager.macs.generate(asked, use))).toBe('ERR_KEYS_INVALID_STATE');
    expect(await code(manager.macs.verify({ ...asked, mac: made.mac }, use))).toBe('done');
    const pair = await manager.createKey({ spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' }, use);
    const message = Buffer.from('m');
    const signs = { keyId: pair.keyId, message, messageType: 'RAW', algorithm: 'ECDSA_SHA_256' } as const;
    const { signature } = await manager.signatures.sign(signs, use);
    await manager.materials.deactivate({ keyId: pair.keyId, reason }, use);
    expect(await code(manager.signatures.sign(signs, use))).toBe('ERR_KEYS_INVALID_STATE');
    expect(await code(manager.signatures.verify({ ...signs, signature }, use))).toBe('done');
  });
});

describe('transitions', () => {
  const facts = { at: '2026-01-01T00:00:00.000Z', by: undefined, reason };
  const pairs = MATERIAL_STATES.flatMap((from) => MATERIAL_STATES.map((to) => [from, to] as const));
  // SP 800-57 part 1 rev. 5, figure 3, written out once more.
  const KNOWN: readonly string[] = [
    'pre-activation active',
    'pre-activation compromised',
    'pre-activation destroyed',
    'active suspended',
    'active deactivated',
    'active compromised',
    'active destroyed',
    'suspended active',
    'suspended deactivated',
    'suspended compromised',
    'suspended destroyed',
    'deactivated compromised',
    'deactivated destroyed',
    'compromised destroyed',
  ];

  test.each(pairs)('From %s to %s: only where the standard has it', (from, to) => {
    const standing = { state: from, stateSince: '', stateReason: '', stillOpens: false, history: [] };
    const move = (): MaterialState => moveMaterial({ materialId: new Uint8Array(32), ...standing }, to, facts).state;
    if (KNOWN.includes(`${from} ${to}`)) expect(move()).toBe(to);
    else expect(move).toThrow(expect.objectContaining({ code: 'ERR_KEYS_INVALID_STATE' }));
    expect((MATERIAL_TRANSITIONS[from] as readonly MaterialState[]).includes(to)).toBe(KNOWN.includes(`${from} ${to}`));
  });

  test('Each is on record with time, actor and reason: in the material, and in the audit log', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId, arn } = await manager.createKey({}, use);
    await manager.materials.suspend({ keyId, reason: 'looked into' }, use);
    await manager.materials.reactivate({ keyId, reason: 'nothing found' }, use);
    await manager.materials.markCompromised({ keyId, reason: 'found', stillOpens: true }, use);
    const { materials } = await manager.materials.markCompromised({ keyId, reason: 'read', stillOpens: false }, use);
    expect(materials[0]?.history.map(({ to, by, reason: why, stillOpens }) => [to, by, why, stillOpens])).toEqual([
      ['active', use.principal, 'created', false],
      ['suspended', use.principal, 'looked into', false],
      ['active', use.principal, 'nothing found', false],
      ['compromised', use.principal, 'found', true],
      ['compromised', use.principal, 'read', false],
    ]);
    const told = records(keys).filter(({ action, result }) => /Material/u.test(String(action)) && result === 'success');
    expect(told.map(({ action, key, detail }) => [action, key, detail])).toEqual([
      ['SuspendKeyMaterial', arn, { from: 'active', to: 'suspended', reason: 'looked into' }],
      ['ReactivateKeyMaterial', arn, { from: 'suspended', to: 'active', reason: 'nothing found' }],
      ['MarkKeyMaterialCompromised', arn, { from: 'active', to: 'compromised', reason: 'found', stillOpens: 'yes' }],
      ['MarkKeyMaterialCompromised', arn, { from: 'compromised', to: 'compromised', reason: 'read' }],
    ]);
    await manager.close();
    expect((await verifyAudit(keys.options)).problem).toBeUndefined();
  });

  test('Nothing comes back from deactivated or compromised, and a refusal changes nothing', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    await manager.materials.deactivate({ keyId, reason }, use);
    for (const action of ['reactivate', 'suspend', 'deactivate'] as const)
      expect(await code(manager.materials[action]({ keyId, reason }, use))).toBe('ERR_KEYS_INVALID_STATE');
    await manager.materials.markCompromised({ keyId, reason, stillOpens: false }, use);
    expect(await code(manager.materials.reactivate({ keyId, reason }, use))).toBe('ERR_KEYS_INVALID_STATE');
    const again = manager.materials.markCompromised({ keyId, reason, stillOpens: false }, use);
    expect(await code(again)).toBe('ERR_KEYS_INVALID_STATE');
    expect((await manager.describeKey(keyId, use)).materials[0]?.history).toHaveLength(3);
  });

  test.each(['', ' ', 'two\nlines', 'x'.repeat(501), '\ud800'])('A reason such as %j is refused', async (bad) => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    expect(await code(manager.materials.suspend({ keyId, reason: bad }, use))).toBe('ERR_KEYS_INVALID_REQUEST');
  });

  test('A material is held back and taken back at most 100 times', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    for (let round = 0; round < MAX_REACTIVATIONS; round++) {
      await manager.materials.suspend({ keyId, reason }, use);
      await manager.materials.reactivate({ keyId, reason }, use);
    }
    await manager.materials.suspend({ keyId, reason }, use);
    expect(await code(manager.materials.reactivate({ keyId, reason }, use))).toBe('ERR_KEYS_LIMIT');
  });
});

describe('beside the key’s own state', () => {
  test('EnableKey takes back no material that is held back; rotation replaces a compromised one, and not a suspended one', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
    await manager.materials.suspend({ keyId, reason }, use);
    expect(await code(manager.enableKey(keyId, use))).toBe('ERR_KEYS_INVALID_STATE');
    expect(await code(manager.rotateKey(keyId, use))).toBe('ERR_KEYS_DISABLED');
    await manager.materials.markCompromised({ keyId, reason, stillOpens: false }, use);
    expect(await code(manager.enableKey(keyId, use))).toBe('ERR_KEYS_INVALID_STATE');
    // Whoever disables it as well must not be in the way of a new material.
    await manager.disableKey(keyId, use);
    const rotated = await manager.rotateKey(keyId, use);
    expect(rotated.materials.map(({ state }) => state)).toEqual(['compromised', 'active']);
    expect(rotated.state).toBe('disabled');
    expect((await manager.enableKey(keyId, use)).state).toBe('enabled');
    expect(await code(manager.generateDataKey({ keyId, context }, use))).toBe('done');
    expect(await code(manager.decrypt({ wrapped, context }, use))).toBe('ERR_KEYS_INVALID_STATE');
    await manager.materials.markCompromised({ keyId, material: '1', reason, stillOpens: true }, use);
    expect(await code(manager.decrypt({ wrapped, context }, use))).toBe('done');
  });

  test('An automatic rotation waits until a suspended material is back', async () => {
    await using keys = await keyFolder();
    let now = Date.UTC(2026, 0, 1);
    const manager = await keys.open({}, { now: () => now });
    const { keyId, arn } = await manager.createKey({}, use);
    await manager.lifecycle.enableRotation({ keyId, periodDays: 90 }, use);
    await manager.materials.suspend({ keyId, reason }, use);
    now += 91 * 24 * 60 * 60_000;
    expect((await manager.runDue({ destroy: true })).rotated).toEqual([]);
    await manager.materials.reactivate({ keyId, reason }, use);
    expect((await manager.runDue({ destroy: true })).rotated).toEqual([arn]);
  });

  test('A material is named by its id or its version, and no other is touched', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    await manager.rotateKey(keyId, use);
    const { materials } = await manager.rotateKey(keyId, use);
    await manager.materials.markCompromised({ keyId, material: '1', reason, stillOpens: false }, use);
    const second = materials[1]?.materialId ?? '';
    const after = await manager.materials.markCompromised({ keyId, material: second, reason, stillOpens: false }, use);
    expect(after.materials.map(({ state }) => state)).toEqual(['compromised', 'compromised', 'active']);
    for (const material of ['4', '0', second.slice(0, 16), 'f'.repeat(64)])
      expect(await code(manager.materials.suspend({ keyId, material, reason }, use))).toBe('ERR_KEYS_NOT_FOUND');
  });

  test('A key pending deletion can be marked as compromised, and is destroyed when a caller scheduled it', async () => {
    await using keys = await keyFolder();
    let now = Date.UTC(2026, 0, 1);
    const manager = await keys.open({}, { now: () => now });
    const { keyId, arn } = await manager.createKey({}, use);
    await manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, use);
    expect(await code(manager.materials.suspend({ keyId, reason }, use))).toBe('ERR_KEYS_INVALID_STATE');
    await manager.materials.markCompromised({ keyId, reason, stillOpens: false }, use);
    now += 8 * 24 * 60 * 60_000;
    expect((await manager.runDue({ destroy: true })).destroyed).toEqual([arn]);
  });
});
