/** The authorizer in a real key manager: what it allows by default, and that every change is in effect when it returns. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { allow, deny, document, type Json } from '../../../test/support/keys/access.ts';
import { keyFolder, TEST_USE as operator, type KeyFolder } from '../../../test/support/keys/keys.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeyManager } from '../key-manager.ts';
import type { AccessOptions, IdentityOptions } from './options.ts';

const ACCOUNT = '000000000000';
const context = { 'aws:s3:arn': 'arn:aws:s3:::b/k' };
const arn = (name: string): string => `arn:aws:iam::${ACCOUNT}:user/${name}`;
const use = (name: string, via: KeyUse['via'], more: Partial<KeyUse> = {}): KeyUse => ({
  principal: arn(name),
  via,
  resource: 'test',
  ...more,
});
const viaS3 = use('app', 's3');
const DEFAULTS: AccessOptions = {
  identities: [],
  organizationPolicies: [],
  unlistedStorageCallers: 'use-keys',
  grantsCrossAccounts: false,
};

function identity(name: string, ...statements: readonly Json[]): IdentityOptions {
  return {
    arn: arn(name),
    policies: statements.length === 0 ? [] : [{ name: 'own', document: document(...statements) }],
  };
}

async function open(
  access: Partial<AccessOptions> = {},
): Promise<{ folder: KeyFolder; manager: KeyManager; keyId: string; [Symbol.asyncDispose]: () => Promise<void> }> {
  const folder = await keyFolder({ access: { ...DEFAULTS, ...access } });
  const manager = await folder.open();
  const { keyId } = await manager.createKey({ alias: 'alias/objects' }, operator);
  return { folder, manager, keyId, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const outcome = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'allowed',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
const DENIED = 'ERR_KEYS_ACCESS_DENIED';

function lastWhy({ options }: KeyFolder): unknown {
  const line = readFileSync(options.audit.path, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  const record: unknown = JSON.parse(line);
  return record;
}

describe('without identities', () => {
  test('callers of the gateway and the proxy may use keys, through it and no other way; the operator may all', async () => {
    await using opened = await open();
    const { manager, keyId, folder } = opened;
    for (const caller of [viaS3, use('postgres/app/alice', 'postgres')]) {
      const { wrapped } = await manager.generateDataKey({ keyId, context }, caller);
      await manager.decrypt({ wrapped, context }, caller);
      expect(lastWhy(folder)).toMatchObject({
        decision: 'allow',
        why: 'key policy, "Enable IAM User Permissions" and identity policy storage-use, "UseThroughSealgate"',
      });
      await manager.describeKey(keyId, caller);
    }
    expect(await outcome(manager.generateDataKey({ keyId, context }, use('app', 'kms')))).toBe(DENIED);
    expect(await outcome(manager.disableKey(keyId, viaS3))).toBe(DENIED);
    expect(await outcome(manager.createKey({}, viaS3))).toBe(DENIED);
    expect(await outcome(manager.listKeys(viaS3))).toBe(DENIED);
    await manager.disableKey(keyId, operator);
    expect(lastWhy(folder)).toMatchObject({ why: 'operator at the terminal' });
  });

  test('they may nothing where the config says so', async () => {
    await using opened = await open({ unlistedStorageCallers: 'nothing' });
    const { manager, keyId } = opened;
    expect(await outcome(manager.generateDataKey({ keyId, context }, viaS3))).toBe(DENIED);
  });

  test('the denied caller is told in AWS’s words', async () => {
    await using opened = await open();
    const { manager, keyId } = opened;
    const { arn: keyArn } = await manager.describeKey(keyId, operator);
    await expect(manager.generateDataKey({ keyId, context }, use('app', 'kms'))).rejects.toThrow(
      `User: ${arn('app')} is not authorized to perform: kms:GenerateDataKey on resource: ${keyArn} because no identity-based policy allows the kms:GenerateDataKey action`,
    );
  });
});

describe('identities', () => {
  test('A listed caller has its own policies and not those of unlisted ones', async () => {
    await using opened = await open({ identities: [identity('app')] });
    const { manager, keyId } = opened;
    expect(await outcome(manager.generateDataKey({ keyId, context }, viaS3))).toBe(DENIED);
    expect(await outcome(manager.generateDataKey({ keyId, context }, use('other', 's3')))).toBe('allowed');
  });

  test('Organization policies and boundaries must allow besides', async () => {
    const noDecrypt = { name: 'no-decrypt', document: document(allow(), deny({ Action: 'kms:Decrypt' })) };
    await using opened = await open({ organizationPolicies: [noDecrypt] });
    const { manager, keyId } = opened;
    const { wrapped } = await manager.generateDataKey({ keyId, context }, viaS3);
    expect(await outcome(manager.decrypt({ wrapped, context }, viaS3))).toBe(DENIED);
  });

  test('A policy of another account’s user decides together with the key policy', async () => {
    const foreign = 'arn:aws:iam::444455556666:user/ann';
    await using opened = await open({
      identities: [{ arn: foreign, policies: [{ name: 'all', document: document(allow()) }] }],
    });
    const { manager, keyId } = opened;
    const ann = { principal: foreign, via: 'kms', resource: 'test' } as const;
    expect(await outcome(manager.generateDataKey({ keyId, context }, ann))).toBe(DENIED);
    const policy = document(allow({ Principal: { AWS: ['444455556666', ACCOUNT] } }));
    await manager.settings.putPolicy({ keyId, policy }, operator);
    expect(await outcome(manager.generateDataKey({ keyId, context }, ann))).toBe('allowed');
    expect(await outcome(manager.settings.putPolicy({ keyId, policy }, ann))).toBe(DENIED);
  });

  test('Aliases are resources of their own', async () => {
    const onKeys = allow({ Resource: 'arn:aws:kms:*:*:key/*' });
    const onAlias = allow({ Action: 'kms:*Alias', Resource: 'arn:aws:kms:*:*:alias/mine/*' });
    await using opened = await open({ identities: [identity('half', onKeys), identity('whole', onKeys, onAlias)] });
    const { manager, keyId } = opened;
    const make = (name: string, aliasName: string): Promise<string> =>
      outcome(manager.createAlias({ aliasName, keyId }, use(name, 'kms')));
    expect(await make('half', 'alias/mine/a')).toBe(DENIED);
    expect(await make('whole', 'alias/other')).toBe(DENIED);
    expect(await make('whole', 'alias/mine/a')).toBe('allowed');
    expect(await outcome(manager.updateAlias({ aliasName: 'alias/mine/a', keyId }, use('half', 'kms')))).toBe(DENIED);
    expect(await outcome(manager.deleteAlias('alias/mine/a', use('half', 'kms')))).toBe(DENIED);
    expect(await outcome(manager.deleteAlias('alias/mine/a', use('whole', 'kms')))).toBe('allowed');
  });

  test('A key made with tags needs TagResource too', async () => {
    await using opened = await open({ identities: [identity('maker', allow({ Action: 'kms:CreateKey' }))] });
    const { manager } = opened;
    const maker = use('maker', 'kms');
    expect(await outcome(manager.createKey({}, maker))).toBe('allowed');
    expect(await outcome(manager.createKey({ tags: [{ key: 'a', value: 'b' }] }, maker))).toBe(DENIED);
  });
});

describe('immediate effect', () => {
  /** A caller whose right hangs on one condition, asked before and after a change; the change must turn the answer. */
  async function turns(
    condition: Json,
    change: (manager: KeyManager, keyId: string) => Promise<unknown>,
    before: string,
    after: string,
  ): Promise<void> {
    await using opened = await open({ identities: [identity('app', allow({ Condition: condition }))] });
    const { manager, keyId } = opened;
    const ask = (): Promise<string> => outcome(manager.generateDataKey({ keyId, context }, viaS3));
    for (let times = 0; times < 3; times++) expect(await ask()).toBe(before);
    await change(manager, keyId);
    for (let times = 0; times < 3; times++) expect(await ask()).toBe(after);
  }

  test('of a tag', async () => {
    const hasTag = { StringEquals: { 'aws:ResourceTag/team': 'red' } };
    await turns(
      hasTag,
      (manager, keyId) => manager.settings.tagKey({ keyId, tags: [{ key: 'team', value: 'red' }] }, operator),
      DENIED,
      'allowed',
    );
    const noTag = { Null: { 'aws:ResourceTag/team': 'true' } };
    await turns(
      noTag,
      (manager, keyId) => manager.settings.tagKey({ keyId, tags: [{ key: 'team', value: 'red' }] }, operator),
      'allowed',
      DENIED,
    );
  });

  test('of an alias', async () => {
    const named = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/second' } };
    await turns(
      named,
      (manager, keyId) => manager.createAlias({ aliasName: 'alias/second', keyId }, operator),
      DENIED,
      'allowed',
    );
    const first = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/objects' } };
    await turns(first, (manager) => manager.deleteAlias('alias/objects', operator), 'allowed', DENIED);
    await turns(
      first,
      async (manager) => {
        const other = await manager.createKey({}, operator);
        await manager.updateAlias({ aliasName: 'alias/objects', keyId: other.keyId }, operator);
      },
      'allowed',
      DENIED,
    );
  });

  test('of a key policy', async () => {
    const denying = document(allow({ Principal: { AWS: ACCOUNT } }), deny({ Principal: { AWS: arn('app') } }));
    await turns(
      {},
      (manager, keyId) => manager.settings.putPolicy({ keyId, policy: denying }, operator),
      'allowed',
      DENIED,
    );
  });

  test('of cached data keys too: who lost the right gets none of them', async () => {
    await using opened = await open();
    const { manager, keyId } = opened;
    const { wrapped } = await manager.generateDataKey({ keyId, context }, viaS3);
    for (let times = 0; times < 3; times++) await manager.decrypt({ wrapped, context }, viaS3);
    await manager.settings.putPolicy(
      { keyId, policy: document(allow({ Principal: { AWS: arn('admin') } })) },
      operator,
    );
    expect(await outcome(manager.decrypt({ wrapped, context }, viaS3))).toBe(DENIED);
  });
});

describe('what a kept decision hangs on', () => {
  test('the values the policies ask about, each request’s own', async () => {
    const red = allow({
      Condition: {
        StringEquals: { 'kms:EncryptionContext:team': ['red', 'green'] },
        IpAddress: { 'aws:SourceIp': '10.0.0.0/8' },
      },
    });
    await using opened = await open({ identities: [identity('app', red)] });
    const { manager, keyId } = opened;
    const ask = (team: string, sourceIp: string): Promise<string> =>
      outcome(manager.generateDataKey({ keyId, context: { team } }, { ...use('app', 'kms'), request: { sourceIp } }));
    for (let times = 0; times < 2; times++) {
      expect(await ask('red', '10.0.0.1')).toBe('allowed');
      expect(await ask('blue', '10.0.0.1')).toBe(DENIED);
      expect(await ask('red', '11.0.0.1')).toBe(DENIED);
      expect(await ask('green', '10.0.0.2')).toBe('allowed');
      expect(await ask('red","green', '10.0.0.1')).toBe(DENIED);
    }
  });

  test('the time is never kept', async () => {
    const morning = allow({ Condition: { DateLessThan: { 'aws:CurrentTime': '2027-01-01T12:00:00Z' } } });
    await using folder = await keyFolder({ access: { ...DEFAULTS, identities: [identity('app', morning)] } });
    let now = Date.parse('2027-01-01T11:59:59Z');
    const manager = await folder.open({}, { now: () => now });
    const { keyId } = await manager.createKey({}, operator);
    const ask = (): Promise<string> => outcome(manager.generateDataKey({ keyId, context }, viaS3));
    expect([await ask(), await ask()]).toEqual(['allowed', 'allowed']);
    now += 2000;
    expect(await ask()).toBe(DENIED);
  });

  test('the way a caller came by: ViaService is set in process alone', async () => {
    const through = allow({ Condition: { StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } } });
    await using opened = await open({ identities: [identity('app', through)] });
    const { manager, keyId } = opened;
    for (let times = 0; times < 2; times++) {
      expect(await outcome(manager.generateDataKey({ keyId, context }, viaS3))).toBe('allowed');
      expect(await outcome(manager.generateDataKey({ keyId, context }, use('app', 'kms')))).toBe(DENIED);
      expect(await outcome(manager.generateDataKey({ keyId, context }, use('app', 'postgres')))).toBe(DENIED);
    }
  });

  test('the alias the request names the key by', async () => {
    const byAlias = allow({ Condition: { StringEquals: { 'kms:RequestAlias': 'alias/objects' } } });
    await using opened = await open({ identities: [identity('app', byAlias)] });
    const { manager, keyId } = opened;
    for (let times = 0; times < 2; times++) {
      expect(await outcome(manager.generateDataKey({ keyId: 'alias/objects', context }, viaS3))).toBe('allowed');
      expect(await outcome(manager.generateDataKey({ keyId, context }, viaS3))).toBe(DENIED);
    }
  });
});

describe('key policies', () => {
  test('Who would lock themselves out is refused, unless they ask for it; the operator cannot be locked out', async () => {
    const may = allow({ Action: ['kms:PutKeyPolicy', 'kms:CreateKey'] });
    await using opened = await open({ identities: [identity('admin', may)] });
    const { manager, keyId } = opened;
    const admin = use('admin', 'kms');
    const others = document(allow({ Principal: { AWS: arn('other') } }));
    expect(await outcome(manager.settings.putPolicy({ keyId, policy: others }, admin))).toBe('ERR_KEYS_POLICY_LOCKOUT');
    expect(await outcome(manager.createKey({ policy: others }, admin))).toBe('ERR_KEYS_POLICY_LOCKOUT');
    expect(await outcome(manager.createKey({ policy: others, bypassLockoutCheck: true }, admin))).toBe('allowed');
    const mine = document(allow({ Principal: { AWS: arn('admin') } }));
    expect(await outcome(manager.createKey({ policy: mine }, admin))).toBe('allowed');
    expect(await outcome(manager.settings.putPolicy({ keyId, policy: others, bypassLockoutCheck: true }, admin))).toBe(
      'allowed',
    );
    expect(await outcome(manager.settings.putPolicy({ keyId, policy: mine }, admin))).toBe(DENIED);
    expect(await outcome(manager.settings.putPolicy({ keyId, policy: mine }, operator))).toBe('allowed');
  });

  test('The default policy of the config holds for keys without one, and is what GetKeyPolicy says', async () => {
    const defaultKeyPolicy = document(allow({ Principal: { AWS: arn('app') }, Action: 'kms:GenerateDataKey' }));
    await using opened = await open({ defaultKeyPolicy });
    const { manager, keyId } = opened;
    expect(await manager.settings.getPolicy(keyId, operator)).toBe(defaultKeyPolicy);
    expect(await outcome(manager.generateDataKey({ keyId, context }, use('app', 'kms')))).toBe('allowed');
    expect(await outcome(manager.generateDataKey({ keyId, context }, use('other', 's3')))).toBe(DENIED);
  });
});
