/** Keys that our services manage: made on first use, usable through the service alone, and nothing that anybody could change. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { allow, deny, document } from '../../../test/support/keys/access.ts';
import { keyFolder, TEST_USE as operator, testPorts, type KeyFolder } from '../../../test/support/keys/keys.ts';
import type { AccessOptions, IdentityOptions } from '../access/options.ts';
import { restoreBackup } from '../backup/restore.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeyManager } from '../key-manager.ts';
import { readKeyReport } from '../admin/key-report.ts';
import { DAY_MS } from '../limits.ts';
import { explainAccess, readKeys } from '../offline.ts';

const S3 = 'alias/aws/s3';
const RDS = 'alias/aws/rds';
const ACCOUNT = '000000000000';
const context = { 'aws:s3:arn': 'arn:aws:s3:::b/k' };
const use = (name: string, via: KeyUse['via']): KeyUse => ({
  principal: `arn:aws:iam::${ACCOUNT}:user/${name}`,
  via,
  resource: 'test',
});
const viaS3 = use('app', 's3');
const viaPostgres = use('postgres/shop/app', 'postgres');
const admin: IdentityOptions = {
  arn: `arn:aws:iam::${ACCOUNT}:user/admin`,
  policies: [{ name: 'all', document: document(allow()) }],
};
const viaKms = use('admin', 'kms');
const ACCESS: AccessOptions = {
  identities: [admin],
  organizationPolicies: [],
  unlistedStorageCallers: 'use-keys',
  grantsCrossAccounts: false,
};

type Opened = { readonly folder: KeyFolder; readonly manager: KeyManager };
type Disposed = Opened & { [Symbol.asyncDispose]: () => Promise<void> };

async function open(access: Partial<AccessOptions> = {}): Promise<Disposed> {
  const folder = await keyFolder({ access: { ...ACCESS, ...access } });
  return { folder, manager: await folder.open(), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const outcome = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'allowed',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
const DENIED = 'ERR_KEYS_ACCESS_DENIED';
const MANAGED = 'ERR_KEYS_MANAGED';

const records = ({ options }: KeyFolder): readonly Record<string, unknown>[] =>
  readFileSync(options.audit.path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('First use', () => {
  test('A read of what lies unsealed makes the key as well: before it nothing may have been sealed', async () => {
    await using opened = await open();
    const { manager } = opened;
    const arn = await manager.readUnsealed({ keyId: S3, context }, viaS3);
    expect((await manager.listKeys(operator)).map((key) => key.arn)).toEqual([arn]);
    expect(await manager.readUnsealed({ keyId: S3, context }, viaS3)).toBe(arn);
    expect(await outcome(manager.readUnsealed({ keyId: S3, context }, viaPostgres))).toBe(DENIED);
  });

  test('The gateway’s first data key makes the key, and no other: the next use has the same', async () => {
    await using opened = await open();
    const { manager, folder } = opened;
    const arn = `arn:aws:kms:eu-central-1:${ACCOUNT}:${S3}`;
    expect(await manager.resolveKey(S3)).toBe(arn);
    expect(await manager.listKeys(operator)).toEqual([]);
    const first = await manager.generateDataKey({ keyId: arn, context }, viaS3);
    const second = await manager.generateDataKey({ keyId: S3, context }, use('other', 's3'));
    expect(second.keyArn).toBe(first.keyArn);
    expect(await manager.resolveKey(S3)).toBe(first.keyArn);
    const opening = await manager.decrypt({ wrapped: first.wrapped, context, keyId: S3 }, viaS3);
    expect(opening.dek.equals(first.dek)).toBe(true);
    const [key, ...others] = await manager.listKeys(operator);
    expect(others).toEqual([]);
    expect(key).toMatchObject({
      arn: first.keyArn,
      aliases: [S3],
      management: { type: 'service', service: 's3' },
      description: 'Default key that protects my S3 objects when no other key is defined',
      ...{ origin: 'AWS_KMS', spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', state: 'enabled' },
    });
    const made = records(folder).filter(({ action }) => action === 'CreateKey');
    expect(made.map(({ result }) => result)).toEqual(['started', 'success']);
    expect(made[1]).toMatchObject({
      ...{ principal: 'sealgate', via: 's3', key: first.keyArn, why: 'first use' },
      detail: { alias: S3, for: viaS3.principal },
    });
  });

  test('First uses at once make one key', async () => {
    await using opened = await open();
    const { manager } = opened;
    const made = await Promise.all(
      Array.from({ length: 20 }, async () => manager.generateDataKey({ keyId: RDS, context }, viaPostgres)),
    );
    expect(new Set(made.map(({ keyArn }) => keyArn)).size).toBe(1);
    expect(await manager.listKeys(operator)).toHaveLength(1);
  });

  test('What is re-encrypted to the alias makes it too', async () => {
    await using opened = await open();
    const { manager } = opened;
    const { keyId } = await manager.createKey({}, operator);
    const { wrapped } = await manager.generateDataKey({ keyId, context }, viaS3);
    const asked = { wrapped, sourceContext: context, destinationKeyId: S3, destinationContext: context };
    const moved = await manager.reEncrypt(asked, viaS3);
    expect((await manager.describeKey(S3, operator)).arn).toBe(moved.keyArn);
  });

  test('Who has the alias described makes it, as on AWS; an operator who looks makes nothing', async () => {
    await using opened = await open();
    const { manager } = opened;
    expect(await outcome(manager.describeKey(S3, operator))).toBe('ERR_KEYS_NOT_FOUND');
    expect(await outcome(manager.describeKey(S3, use('nobody', 'kms')))).toBe(DENIED);
    expect(await manager.listKeys(operator)).toEqual([]);
    const { keyId } = await manager.describeKey(S3, viaKms);
    expect((await manager.generateDataKey({ keyId: S3, context }, viaS3)).keyArn).toContain(keyId);
  });

  test('Each region has its own, usable through the services of that region alone', async () => {
    await using folder = await keyFolder({ access: ACCESS, otherRegions: ['us-west-2'] });
    const manager = await folder.open();
    const there = manager.inRegion('us-west-2');
    const other = await there?.describeKey(S3, viaKms);
    const { keyArn } = await manager.generateDataKey({ keyId: S3, context }, viaS3);
    expect([other?.arn.includes('us-west-2'), keyArn.includes('eu-central-1')]).toEqual([true, true]);
    expect(await there?.settings.getPolicy(other?.keyId ?? '', viaKms)).toContain('s3.us-west-2.amazonaws.com');
    expect(await outcome(there?.disableKey(S3, operator) ?? Promise.resolve())).toBe(MANAGED);
    const later = Date.now() + 366 * DAY_MS;
    await manager.close();
    const again = await folder.open({}, { now: () => later });
    expect((await again.runDue({ destroy: true })).rotated).toHaveLength(2);
  });

  test('Nobody but the service makes a key by using it: directly, or through the other service', async () => {
    await using opened = await open();
    const { manager } = opened;
    for (const caller of [viaKms, viaPostgres, operator])
      expect(await outcome(manager.generateDataKey({ keyId: S3, context }, caller))).toBe('ERR_KEYS_NOT_FOUND');
    const asked = { keyId: S3, bytes: 32, context };
    expect(await outcome(manager.operations.generateDataKey(asked, viaKms))).toBe('ERR_KEYS_NOT_FOUND');
    expect(await manager.listKeys(operator)).toEqual([]);
  });

  test('A caller who is denied the use makes no key, and the record says what was denied', async () => {
    const blocked = { arn: viaS3.principal, policies: [{ name: 'own', document: document(deny()) }] };
    await using opened = await open({ identities: [blocked] });
    const { manager, folder } = opened;
    expect(await outcome(manager.generateDataKey({ keyId: S3, context }, viaS3))).toBe(DENIED);
    expect(await manager.listKeys(operator)).toEqual([]);
    const denied = records(folder).filter(({ decision }) => decision === 'deny');
    expect(denied).toMatchObject([{ action: 'GenerateDataKey', principal: viaS3.principal, result: DENIED }]);
  });
});

describe('Once it is made', () => {
  async function made(): Promise<Disposed & { readonly keyId: string; readonly wrapped: Uint8Array }> {
    const opened = await open();
    const { wrapped } = await opened.manager.generateDataKey({ keyId: S3, context }, viaS3);
    const { keyId } = await opened.manager.describeKey(S3, operator);
    return { ...opened, keyId, wrapped };
  }

  test('it is used through its service by every principal of the account, and in no other way', async () => {
    await using key = await made();
    const { manager, keyId, wrapped } = key;
    // Listed, and may nothing by its own policies: AWS too asks the key policy alone.
    await manager.decrypt({ wrapped, context }, use('anybody', 's3'));
    for (const caller of [viaKms, viaPostgres, use('nobody', 'kms')]) {
      expect(await outcome(manager.generateDataKey({ keyId: S3, context }, caller))).toBe(DENIED);
      expect(await outcome(manager.decrypt({ wrapped, context }, caller))).toBe(DENIED);
    }
    const away: KeyUse = { ...viaS3, principal: 'arn:aws:iam::444455556666:user/app' };
    expect(await outcome(manager.decrypt({ wrapped, context }, away))).toBe(DENIED);
    const plaintext = Uint8Array.of(1);
    expect(await outcome(manager.operations.encrypt({ keyId, plaintext, context }, viaKms))).toBe(DENIED);
    expect(await outcome(manager.operations.decrypt({ ciphertext: wrapped, keyId: undefined, context }, viaKms))).toBe(
      DENIED,
    );
    const { keyId: own } = await manager.createKey({}, operator);
    const source = { ciphertext: wrapped, keyId: undefined, context };
    const asked = { source, destination: { keyId: own, context } };
    expect(await outcome(manager.operations.reEncrypt(asked, viaKms))).toBe(DENIED);
  });

  /** Everything that would change it, or let others in. */
  function changes(manager: KeyManager, keyId: string, by: KeyUse): Readonly<Record<string, () => Promise<unknown>>> {
    const { settings, lifecycle, grants } = manager;
    const grantee = viaKms.principal;
    return {
      PutKeyPolicy: () => settings.putPolicy({ keyId, policy: document(allow({ Principal: '*' })) }, by),
      UpdateKeyDescription: () => settings.updateDescription({ keyId, description: 'mine' }, by),
      TagResource: () => settings.tagKey({ keyId, tags: [{ key: 'a', value: 'b' }] }, by),
      UntagResource: () => settings.untagKey({ keyId, names: ['a'] }, by),
      EnableKey: () => manager.enableKey(keyId, by),
      DisableKey: () => manager.disableKey(keyId, by),
      ScheduleKeyDeletion: () => lifecycle.scheduleDeletion({ keyId, days: 7 }, by),
      CancelKeyDeletion: () => lifecycle.cancelDeletion(keyId, by),
      EnableKeyRotation: () => lifecycle.enableRotation({ keyId, periodDays: 2560 }, by),
      DisableKeyRotation: () => lifecycle.disableRotation(keyId, by),
      CreateGrant: () => grants.create({ keyId, grantee, operations: ['Decrypt'] }, by),
      CreateAlias: () => manager.createAlias({ aliasName: 'alias/mine', keyId }, by),
      UpdateAlias: () => manager.updateAlias({ aliasName: S3, keyId }, by),
      DeleteAlias: () => manager.deleteAlias(S3, by),
    };
  }

  test('nobody changes it: neither who may everything over the API, nor a caller of the service, nor the operator', async () => {
    await using key = await made();
    const { manager, keyId } = key;
    const before = await manager.describeKey(keyId, operator);
    for (const by of [viaKms, viaS3, operator]) {
      for (const [action, change] of Object.entries(changes(manager, keyId, by)))
        expect([action, await outcome(change())]).toEqual([action, by === operator ? MANAGED : DENIED]);
    }
    expect(await outcome(manager.lifecycle.rotateOnDemand(keyId, viaKms))).toBe(DENIED);
    const { keyId: own } = await manager.createKey({ alias: 'alias/own' }, operator);
    for (const by of [viaKms, operator]) {
      const refused = by === operator ? MANAGED : DENIED;
      expect(await outcome(manager.updateAlias({ aliasName: S3, keyId: own }, by))).toBe(refused);
      expect(await outcome(manager.updateAlias({ aliasName: 'alias/own', keyId }, by))).toBe(refused);
    }
    expect(await outcome(manager.createAlias({ aliasName: RDS, keyId: own }, operator))).toBe(
      'ERR_KEYS_INVALID_REQUEST',
    );
    expect(await manager.describeKey(keyId, operator)).toEqual(before);
    const grants = await manager.grants.list({ keyId, after: undefined, limit: 9 }, viaKms);
    expect(grants.items).toEqual([]);
  });

  test('the refusal is in AWS’s words', async () => {
    await using key = await made();
    const { manager, keyId } = key;
    const arn = `arn:aws:kms:eu-central-1:${ACCOUNT}:key/${keyId}`;
    await expect(manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, viaKms)).rejects.toThrow(
      `User: ${viaKms.principal} is not authorized to perform: kms:ScheduleKeyDeletion on resource: ${arn} because no resource-based policy allows the kms:ScheduleKeyDeletion action`,
    );
  });

  test('its policy is AWS’s own, of the region and account of now: another region locks nobody out', async () => {
    await using key = await made();
    const { manager, keyId, wrapped, folder } = key;
    const statements = (region: string): unknown => ({
      Version: '2012-10-17',
      Id: 'auto-s3-2',
      Statement: [
        {
          Sid: 'Allow access through S3 for all principals in the account that are authorized to use S3',
          Effect: 'Allow',
          Principal: { AWS: '*' },
          Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
          Resource: '*',
          Condition: {
            StringEquals: { 'kms:CallerAccount': ACCOUNT, 'kms:ViaService': `s3.${region}.amazonaws.com` },
          },
        },
        {
          Sid: 'Allow direct access to key metadata to the account',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
          Action: ['kms:Describe*', 'kms:Get*', 'kms:List*'],
          Resource: '*',
        },
      ],
    });
    expect(JSON.parse(await manager.settings.getPolicy(keyId, viaKms))).toEqual(statements('eu-central-1'));
    await manager.close();
    const moved = await folder.open({ region: 'us-west-2' });
    await moved.decrypt({ wrapped, context }, viaS3);
    expect(JSON.parse(await moved.settings.getPolicy(keyId, viaKms))).toEqual(statements('us-west-2'));
  });

  test('an operator may do to its material what its life asks for, and it goes on', async () => {
    await using key = await made();
    const { manager, wrapped } = key;
    await manager.materials.suspend({ keyId: S3, reason: 'looked into' }, operator);
    expect(await outcome(manager.decrypt({ wrapped, context }, viaS3))).toBe('ERR_KEYS_DISABLED');
    await manager.materials.reactivate({ keyId: S3, reason: 'nothing found' }, operator);
    await manager.decrypt({ wrapped, context }, viaS3);
    await manager.materials.markCompromised({ keyId: S3, reason: 'found', stillOpens: true }, operator);
    await manager.rotateKey(S3, operator);
    await manager.decrypt({ wrapped, context }, viaS3);
    await manager.generateDataKey({ keyId: S3, context }, viaS3);
    expect(await outcome(manager.materials.suspend({ keyId: S3, reason: 'x' }, viaKms))).toBe(DENIED);
  });

  test('it rotates every year by itself, restarts included, and what older material sealed opens', async () => {
    await using key = await made();
    const { keyId, wrapped, folder, manager } = key;
    const since = Date.parse((await manager.describeKey(keyId, operator)).createdAt);
    const status = await manager.lifecycle.rotationStatus(keyId, viaKms);
    const nextAt = (years: number): string => new Date(since + years * 365 * DAY_MS).toISOString();
    expect(status).toMatchObject({ enabled: true, periodDays: 365 });
    expect(Date.parse(status.nextAt ?? '') - since).toBeLessThan(365 * DAY_MS + 1000);
    await manager.close();
    for (const year of [1, 2]) {
      const now = (): number => Date.parse(nextAt(year)) + 1000 * year;
      const later = await folder.open({}, { now });
      expect(await later.runDue({ destroy: true })).toMatchObject({
        rotated: [expect.stringContaining(keyId)],
      });
      expect(await later.runDue({ destroy: true })).toMatchObject({ rotated: [] });
      await later.decrypt({ wrapped, context }, viaS3);
      const page = { keyId, all: false, after: undefined, limit: 9 };
      const { items } = await later.lifecycle.rotations(page, viaKms);
      expect(items.map(({ type }) => type)).toEqual(Array.from({ length: year }, () => 'automatic'));
      await later.close();
    }
  });

  test('it is in a backup and its restored store as every key', async () => {
    await using key = await made();
    const { manager, folder, keyId, wrapped } = key;
    const backupPath = folder.path('backup');
    await manager.backup({ path: backupPath }, operator);
    await manager.close();
    const secrets = folder.options.unseal;
    const options = { ...folder.options, storePath: folder.path('restored.sqlite'), acceptRollback: true };
    await restoreBackup({ backupPath, secrets, store: options }, testPorts);
    const restored = await folder.open({
      ...options,
      audit: { path: folder.path('other'), durability: 'write' },
      acceptAuditGap: true,
    });
    await restored.decrypt({ wrapped, context }, viaS3);
    expect(await outcome(restored.disableKey(keyId, operator))).toBe(MANAGED);
    expect(await readKeys(options, Date.now)).toMatchObject([
      { keyId, management: { type: 'service', service: 's3' } },
    ]);
  });
});

describe('Aliases of services', () => {
  const pages = async ({ settings }: KeyManager, limit: number): Promise<readonly unknown[]> => {
    const all: unknown[] = [];
    for (let after: string | undefined; ;) {
      const { items, more } = await settings.aliasPage({ after, limit }, operator);
      all.push(...items.map(({ aliasName, targetKeyId }) => [aliasName, targetKeyId]));
      after = items.at(-1)?.aliasName;
      if (!more) return all;
    }
  };

  test('are listed from the start, without a key until there is one, in pages of any size', async () => {
    await using opened = await open();
    const { manager } = opened;
    const made = new Map<string, string>();
    for (const name of ['alias/a', 'alias/aws-like', 'alias/b', 'alias/z'])
      made.set(name, (await manager.createKey({ alias: name }, operator)).keyId);
    await manager.generateDataKey({ keyId: S3, context }, viaS3);
    made.set(S3, (await manager.describeKey(S3, operator)).keyId);
    const expected = ['alias/a', 'alias/aws-like', RDS, S3, 'alias/b', 'alias/z'].map((name) => [name, made.get(name)]);
    for (const limit of [1, 2, 3, 4, 5, 6, 100])
      expect([limit, await pages(manager, limit)]).toEqual([limit, expected]);
    const listed = await manager.listAliases(operator);
    expect(listed.map(({ aliasName, targetKeyId }) => [aliasName, targetKeyId])).toEqual(expected);
    expect(listed.find(({ aliasName }) => aliasName === RDS)).toMatchObject({
      ...{ aliasArn: `arn:aws:kms:eu-central-1:${ACCOUNT}:${RDS}`, createdAt: undefined, updatedAt: undefined },
    });
  });
});

describe('Beside the owner', () => {
  test('the report tells which rules wait for a first use, and who manages what is there', async () => {
    await using opened = await open();
    const { folder, manager } = opened;
    await manager.generateDataKey({ keyId: S3, context }, viaS3);
    const rules = [
      { what: 'bucket b', keyId: S3 },
      { what: 'column c', keyId: RDS },
      { what: 'bucket d', keyId: 'alias/none' },
    ];
    const reading = { ...folder.options, access: ACCESS };
    const report = await readKeyReport(reading, { rules, callers: [viaKms.principal] }, Date.now);
    expect(report.unmade).toEqual([{ what: 'column c', keyId: RDS }]);
    expect(report.missing).toEqual([{ what: 'bucket d', keyId: 'alias/none' }]);
    expect(report.keys).toMatchObject([
      {
        protects: ['bucket b'],
        management: { type: 'service', service: 's3' },
        users: [
          { principal: viaKms.principal, protect: ['s3'], process: ['s3'] },
          { principal: '*', protect: ['s3'], process: ['s3'] },
        ],
      },
    ]);
    const rotation = report.keys[0]?.due.find(({ what }) => what === 'rotation');
    expect(rotation?.at).toMatch(/^\d{4}-/);
  });

  test('what would be decided of a key that is still to be made is explained', async () => {
    await using opened = await open();
    const asked = { keyId: RDS, action: 'Decrypt', context: {}, request: {} };
    const reading = { ...opened.folder.options, access: ACCESS };
    const through = await explainAccess(
      reading,
      { ...asked, principal: viaPostgres.principal, via: 'postgres' },
      Date.now,
    );
    expect(through.allowed).toBe(true);
    const direct = await explainAccess(reading, { ...asked, principal: viaKms.principal, via: 'kms' }, Date.now);
    expect(direct).toMatchObject({ allowed: false, keyArn: `arn:aws:kms:eu-central-1:${ACCOUNT}:${RDS}` });
  });

  test('of every region it is told who manages what is there, and an ARN asks about the key of its region', async () => {
    await using folder = await keyFolder({ access: ACCESS, otherRegions: ['us-west-2'] });
    const manager = await folder.open();
    const other = await manager.inRegion('us-west-2')?.describeKey(S3, viaKms);
    await manager.serviceKey('s3-upload-token');
    const rules = [{ what: 'bucket b', keyId: S3 }];
    const report = await readKeyReport({ ...folder.options, access: ACCESS }, { rules, callers: [] }, Date.now);
    expect(report.unmade).toEqual(rules);
    expect(report.keys).toMatchObject([
      { management: { type: 'owned' }, protects: [], users: [] },
      { arn: other?.arn, management: { type: 'service', service: 's3' }, aliases: [S3], protects: [] },
    ]);
    const keyArn = async (keyId: string): Promise<string> => {
      const of = { principal: viaS3.principal, via: 's3' } as const;
      const asked = { keyId, action: 'Decrypt', context: {}, request: {} };
      return (await explainAccess({ ...folder.options, access: ACCESS }, { ...asked, ...of }, Date.now)).keyArn;
    };
    const aliasIn = (region: string, alias: string): string => `arn:aws:kms:${region}:${ACCOUNT}:${alias}`;
    expect(await keyArn(aliasIn('us-west-2', S3))).toBe(other?.arn);
    expect(await keyArn(aliasIn('us-west-2', RDS))).toBe(aliasIn('us-west-2', RDS));
    expect(await keyArn(S3)).toBe(aliasIn('eu-central-1', S3));
  });
});
