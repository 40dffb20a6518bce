/** Keys that we own: made when first needed, rotated, seen by an operator alone, and the one of upload tokens. */
import { describe, expect, test } from 'vitest';
import { allow, document } from '../../../test/support/keys/access.ts';
import { keyFolder, TEST_USE as operator, type KeyFolder } from '../../../test/support/keys/keys.ts';
import { wrapKey } from '../../envelope/wrapped-key.ts';
import { uuidToBytes } from '../arn.ts';
import type { AccessOptions } from '../access/options.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeyManager } from '../key-manager.ts';
import { readKeyReport, type ReportedKey } from '../admin/key-report.ts';
import { DAY_MS } from '../limits.ts';
import { takeKey } from '../../crypto/key-types.ts';
import { readKeys, verifyAudit } from '../offline.ts';

const PURPOSE = 's3-upload-token';
const viaKms: KeyUse = { principal: 'arn:aws:iam::000000000000:user/admin', via: 'kms', resource: 'test' };
const ACCESS: AccessOptions = {
  identities: [{ arn: viaKms.principal, policies: [{ name: 'all', document: document(allow()) }] }],
  organizationPolicies: [],
  unlistedStorageCallers: 'use-keys',
  grantsCrossAccounts: false,
};

const idOf = ({ keyArn = '' }: { readonly keyArn?: string | undefined }): string =>
  keyArn.slice(keyArn.lastIndexOf('/') + 1);
const codeOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'done',
    (error: unknown) => (error as { code?: unknown }).code,
  );

async function reported({ options }: KeyFolder): Promise<readonly ReportedKey[]> {
  const { keys } = await readKeyReport({ ...options, access: ACCESS }, { rules: [], callers: [] }, Date.now);
  return keys;
}

describe('Service keys', () => {
  test('are of an owned key from the first need on; what the root gave before goes on opening', async () => {
    await using keys = await keyFolder({ access: ACCESS });
    const manager = await keys.open();
    const before = await manager.serviceKey(PURPOSE, 1);
    expect(before.keyArn).toBeUndefined();
    const made = await Promise.all(Array.from({ length: 9 }, async () => manager.serviceKey(PURPOSE)));
    expect(new Set(made.map(({ keyArn }) => keyArn)).size).toBe(1);
    expect(made.every(({ epoch, key }) => epoch === 2 && !key.equals(before.key))).toBe(true);
    expect((await manager.serviceKey(PURPOSE, 1)).key.equals(before.key)).toBe(true);
    expect(await codeOf(manager.serviceKey(PURPOSE, 3))).toBe('ERR_KEYS_NOT_FOUND');
    // What lives for a day has a key of the root’s for good.
    expect(await manager.serviceKey('import-token')).toMatchObject({ epoch: 1, keyArn: undefined });
    await manager.close();
    const again = await keys.open();
    expect((await again.serviceKey(PURPOSE)).key.equals(made[0]?.key ?? before.key)).toBe(true);
    expect((await verifyAudit(keys.options)).problem).toBeUndefined();
  });

  test('get a new epoch every year, over restarts, and older ones open', async () => {
    await using keys = await keyFolder();
    const first = await keys.open();
    const epochs = [await first.serviceKey(PURPOSE, 1), await first.serviceKey(PURPOSE)];
    await first.close();
    for (const year of [1, 2]) {
      const later = await keys.open({}, { now: () => Date.now() + (365 * year + 1) * DAY_MS });
      expect((await later.runDue({ destroy: true })).rotated).toHaveLength(1);
      epochs.push(await later.serviceKey(PURPOSE));
      for (const { epoch, key } of epochs) expect((await later.serviceKey(PURPOSE, epoch)).key.equals(key)).toBe(true);
      await later.close();
    }
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
  });

  test('stop and come back with the state of their material', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const made = await manager.serviceKey(PURPOSE);
    const keyId = idOf(made);
    await manager.materials.suspend({ keyId, reason: 'looked into' }, operator);
    expect(await codeOf(manager.serviceKey(PURPOSE))).toBe('ERR_KEYS_DISABLED');
    expect(await codeOf(manager.serviceKey(PURPOSE, made.epoch))).toBe('ERR_KEYS_DISABLED');
    await manager.materials.markCompromised({ keyId, reason: 'found', stillOpens: false }, operator);
    await manager.rotateKey(keyId, operator);
    expect((await manager.serviceKey(PURPOSE)).epoch).toBe(made.epoch + 1);
    expect(await codeOf(manager.serviceKey(PURPOSE, made.epoch))).toBe('ERR_KEYS_INVALID_STATE');
    await manager.materials.markCompromised({ keyId, material: '1', reason: 'needed', stillOpens: true }, operator);
    expect((await manager.serviceKey(PURPOSE, made.epoch)).key.equals(made.key)).toBe(true);
  });
});

describe('Callers', () => {
  /** By id, ARN and whatever may be asked of a key. */
  function questions(manager: KeyManager, keyId: string): Readonly<Record<string, () => Promise<unknown>>> {
    const { settings, lifecycle, grants, operations } = manager;
    const context = {};
    return {
      describe: () => manager.describeKey(keyId, viaKms),
      policy: () => settings.getPolicy(keyId, viaKms),
      policies: () => settings.checkPolicies(keyId, viaKms),
      tags: () => settings.listTags({ keyId, after: undefined, limit: 9 }, viaKms),
      usage: () => settings.lastUsage(keyId, viaKms),
      aliases: () => settings.aliasPage({ keyId, after: undefined, limit: 9 }, viaKms),
      rotation: () => lifecycle.rotationStatus(keyId, viaKms),
      disable: () => manager.disableKey(keyId, viaKms),
      deletion: () => lifecycle.scheduleDeletion({ keyId, days: 7 }, viaKms),
      grant: () => grants.create({ keyId, grantee: viaKms.principal, operations: ['Decrypt'] }, viaKms),
      alias: () => manager.createAlias({ aliasName: 'alias/mine', keyId }, viaKms),
      putPolicy: () => settings.putPolicy({ keyId, policy: document(allow({ Principal: '*' })) }, viaKms),
      encrypt: () => operations.encrypt({ keyId, plaintext: Uint8Array.of(1), context }, viaKms),
      dataKey: () => operations.generateDataKey({ keyId, bytes: 32, context }, viaKms),
      inProcess: () => manager.generateDataKey({ keyId, context }, { ...viaKms, via: 's3' }),
      // To policies and materials an operator comes by command, and these are no commands.
      operatorUse: () => manager.generateDataKey({ keyId, context }, operator),
    };
  }

  test('find no key that we own, whoever they are and whatever they ask', async () => {
    await using keys = await keyFolder({ access: ACCESS });
    const manager = await keys.open();
    const { keyArn = '' } = await manager.serviceKey(PURPOSE);
    const keyId = idOf({ keyArn });
    for (const name of [keyId, keyArn])
      for (const [asked, answer] of Object.entries(questions(manager, name)))
        expect([asked, await codeOf(answer())]).toEqual([asked, 'ERR_KEYS_NOT_FOUND']);
    expect(await manager.listKeys(viaKms)).toEqual([]);
    expect((await manager.settings.keyPage({ after: undefined, limit: 100 }, viaKms)).items).toEqual([]);
    const { items } = await manager.settings.aliasPage({ after: undefined, limit: 100 }, viaKms);
    expect(items.map(({ targetKeyId }) => targetKeyId)).toEqual([undefined, undefined]);
  });

  test('are told of a ciphertext that names one what they are told of one of nobody’s', async () => {
    await using keys = await keyFolder({ access: ACCESS });
    const manager = await keys.open();
    const keyUuid = uuidToBytes(idOf(await manager.serviceKey(PURPOSE)));
    const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(7);
    const forged = {
      kek: takeKey('Kek', random(32)),
      keyUuid,
      materialId: random(32),
      plaintext: random(32),
      context: {},
    };
    const ciphertext = wrapKey(forged, random);
    const asked = { ciphertext, keyId: undefined, context: {} };
    expect(await codeOf(manager.operations.decrypt(asked, viaKms))).toBe('ERR_KEYS_CIPHERTEXT_UNKNOWN_KEY');
    const inProcess = manager.decrypt({ wrapped: ciphertext, context: {} }, { ...viaKms, via: 's3' });
    expect(await codeOf(inProcess)).toBe('ERR_KEYS_NOT_FOUND');
  });
});

describe('An operator', () => {
  test('sees them in the report alone, marked, with nobody who may use them, and describes one by its id', async () => {
    await using keys = await keyFolder({ access: ACCESS });
    const manager = await keys.open();
    const keyId = idOf(await manager.serviceKey(PURPOSE));
    expect(await manager.listKeys(operator)).toEqual([]);
    expect(await readKeys(keys.options, Date.now)).toEqual([]);
    const [key, ...others] = await reported(keys);
    expect(others).toEqual([]);
    expect(key).toMatchObject({ keyId, management: { type: 'owned', purpose: PURPOSE }, users: [], grants: [] });
    expect(key?.due.map(({ what }) => what)).toContain('rotation');
    expect(await manager.describeKey(keyId, operator)).toMatchObject({
      management: { type: 'owned', purpose: PURPOSE },
    });
  });

  test('does to the material what its life asks for, and nothing else', async () => {
    await using keys = await keyFolder({ access: ACCESS });
    const manager = await keys.open();
    const keyId = idOf(await manager.serviceKey(PURPOSE));
    for (const refused of [
      () => manager.disableKey(keyId, operator),
      () => manager.enableKey(keyId, operator),
      () => manager.createAlias({ aliasName: 'alias/mine', keyId }, operator),
      () => manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, operator),
      () => manager.lifecycle.disableRotation(keyId, operator),
    ])
      expect(await codeOf(refused())).toBe('ERR_KEYS_MANAGED');
    expect((await manager.rotateKey(keyId, operator)).materials).toHaveLength(2);
  });
});
