import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { allow, deny, document, type Json } from '../../../test/support/keys/access.ts';
import { keyFolder, TEST_USE as operator, type KeyFolder } from '../../../test/support/keys/keys.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import { PolicyAuthorizer } from '../access/authorizer.ts';
import type { AccessOptions } from '../access/options.ts';
import type { KeyManager } from '../key-manager.ts';
import { verifyAudit } from '../offline.ts';
import type { AuthorizationQuestion } from '../options.ts';
import type { DecryptRequest, KeyUse } from './data-keys.ts';
import { RepeatedUses, type Said } from './repeated-uses.ts';
import { entryOf } from './use-entry.ts';

const principal = 'arn:aws:iam::000000000000:user/app';
const use: KeyUse = Object.freeze({ principal, via: 'postgres', resource: 'shop.public."größe".n' });
const context: EncryptionContext = Object.freeze({ team: 'red', words: 'ä"\\' });
const ACCESS: AccessOptions = {
  identities: [],
  organizationPolicies: [],
  unlistedStorageCallers: 'use-keys',
  grantsCrossAccounts: false,
};
const withPolicy = (...statements: readonly Json[]): AccessOptions => ({
  ...ACCESS,
  identities: [{ arn: principal, policies: [{ name: 'own', document: document(...statements) }] }],
});

/** A data key that was opened once, named by its key's alias. */
async function opened(manager: KeyManager): Promise<DecryptRequest> {
  await manager.createKey({ alias: 'alias/a', tags: [{ key: 'team', value: 'red' }] }, operator);
  const { wrapped } = await manager.generateDataKey({ keyId: 'alias/a', context }, operator);
  const request = { wrapped, context, keyId: 'alias/a' };
  await manager.decrypt(request, operator);
  return request;
}

const lines = ({ options }: KeyFolder): readonly string[] =>
  readFileSync(options.audit.path, 'utf8').trimEnd().split('\n');
/** But for what is of its place in the log and of its time. */
const said = (line: string | undefined): string | undefined =>
  line
    ?.replace(/^\{"seq":\d+,"time":"\d{4}-[^"]+",/, '{')
    .replace(/,"prevHash":"[0-9a-f]{64}","mac":"[\w-]{43}"\}$/, '}');

describe('A use that comes again and again as the same frozen object', () => {
  test('is recorded each time, in the very words of one that does not', async () => {
    await using keys = await keyFolder({ access: ACCESS });
    const manager = await keys.open();
    const request = await opened(manager);
    expect(manager.decryptNow(request, { ...use })).toBeDefined();
    const once = said(lines(keys).at(-1));
    expect(once).toContain('größe');
    for (let times = 0; times < 3; times++) {
      const before = lines(keys).length;
      expect(manager.decryptNow(request, use)).toBeDefined();
      expect(lines(keys)).toHaveLength(before + 1);
      expect(said(lines(keys).at(-1))).toBe(once);
      await manager.decrypt(request, use);
      expect(said(lines(keys).at(-1))).toBe(once);
    }
    await manager.close();
    expect(await verifyAudit(keys.options)).toMatchObject({ problem: undefined, unfinishedBytes: 0 });
  });

  test('is decided anew once the key’s policy is another, and back', async () => {
    await using keys = await keyFolder({ access: ACCESS });
    const manager = await keys.open();
    const request = await opened(manager);
    const { keyId } = await manager.describeKey('alias/a', operator);
    const root = allow({ Principal: { AWS: 'arn:aws:iam::000000000000:root' } });
    const refuse = document(root, deny({ Principal: { AWS: principal }, Action: 'kms:Decrypt' }));
    for (let times = 0; times < 2; times++) {
      await manager.settings.putPolicy({ keyId, policy: document(root) }, operator);
      expect(manager.decryptNow(request, use)).toBeDefined();
      await manager.settings.putPolicy({ keyId, policy: refuse }, operator);
      expect(manager.decryptNow(request, use)).toBeUndefined();
    }
  });

  test('is decided anew once a grant is made, and once it is gone', async () => {
    await using keys = await keyFolder({ access: { ...ACCESS, unlistedStorageCallers: 'nothing' } });
    const manager = await keys.open();
    const request = await opened(manager);
    const { keyId } = await manager.describeKey('alias/a', operator);
    for (let times = 0; times < 2; times++) {
      expect(manager.decryptNow(request, use)).toBeUndefined();
      const grant = await manager.grants.create({ keyId, grantee: principal, operations: ['Decrypt'] }, operator);
      expect(manager.decryptNow(request, use)).toBeDefined();
      expect(said(lines(keys).at(-1))).toContain(grant.grantId);
      await manager.grants.revoke({ keyId, grantId: grant.grantId }, operator);
    }
    expect(manager.decryptNow(request, use)).toBeUndefined();
  });

  test('is decided by the key’s tags of the moment', async () => {
    const red = allow({ Condition: { StringEquals: { 'aws:ResourceTag/team': 'red' } } });
    await using keys = await keyFolder({ access: withPolicy(red) });
    const manager = await keys.open();
    const request = await opened(manager);
    const { keyId } = await manager.describeKey('alias/a', operator);
    for (const value of ['red', 'blue', 'red']) {
      await manager.settings.tagKey({ keyId, tags: [{ key: 'team', value }] }, operator);
      expect(manager.decryptNow(request, use) !== undefined).toBe(value === 'red');
    }
  });

  test('is decided by a grant for its own context alone', async () => {
    await using keys = await keyFolder({ access: { ...ACCESS, unlistedStorageCallers: 'nothing' } });
    const manager = await keys.open();
    const request = await opened(manager);
    const { keyId } = await manager.describeKey('alias/a', operator);
    const blue = Object.freeze({ team: 'blue' });
    const { wrapped } = await manager.generateDataKey({ keyId, context: blue }, operator);
    await manager.decrypt({ wrapped, context: blue }, operator);
    const constraints = { subset: { team: 'red' } };
    const { grantId } = await manager.grants.create(
      { keyId, grantee: principal, operations: ['Decrypt'], retiring: principal, constraints },
      operator,
    );
    for (let times = 0; times < 2; times++) {
      expect(manager.decryptNow(request, use)).toBeDefined();
      expect(manager.decryptNow({ wrapped, context: blue }, use)).toBeUndefined();
    }
    expect(manager.decryptNow(request, use)).toBeDefined();
    await manager.grants.retire({ grant: { type: 'id', keyId, grantId } }, { ...use, via: 'kms' });
    expect(manager.decryptNow(request, use)).toBeUndefined();
  });

  test('is refused while its key is disabled or waits for its deletion', async () => {
    await using keys = await keyFolder({ access: ACCESS });
    const manager = await keys.open();
    const request = await opened(manager);
    const { keyId } = await manager.describeKey('alias/a', operator);
    for (let times = 0; times < 2; times++) {
      await manager.decrypt(request, use);
      expect(manager.decryptNow(request, use)).toBeDefined();
      await manager.disableKey(keyId, operator);
      expect(manager.decryptNow(request, use)).toBeUndefined();
      await manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, operator);
      expect(manager.decryptNow(request, use)).toBeUndefined();
      await manager.lifecycle.cancelDeletion(keyId, operator);
      await manager.enableKey(keyId, operator);
    }
  });

  test('is recorded with the material that wrapped what it opens', async () => {
    await using keys = await keyFolder({ access: ACCESS });
    const manager = await keys.open();
    const first = await opened(manager);
    const { keyId } = await manager.describeKey('alias/a', operator);
    await manager.lifecycle.rotateOnDemand(keyId, operator);
    const { wrapped } = await manager.generateDataKey({ keyId: 'alias/a', context }, operator);
    const second = { ...first, wrapped };
    await manager.decrypt(first, operator);
    await manager.decrypt(second, operator);
    const materials = [first, second, first, second].map((request) => {
      expect(manager.decryptNow(request, use)).toBeDefined();
      const { material } = JSON.parse(lines(keys).at(-1) ?? '') as { readonly material: string }; // a record
      return material;
    });
    expect(new Set(materials).size).toBe(2);
    expect(materials.slice(2)).toEqual(materials.slice(0, 2));
  });

  test('is refused once the alias that it names is another key’s', async () => {
    await using keys = await keyFolder({ access: ACCESS });
    const manager = await keys.open();
    const request = await opened(manager);
    const first = await manager.describeKey('alias/a', operator);
    const other = await manager.createKey({}, operator);
    for (let times = 0; times < 2; times++) {
      expect(manager.decryptNow(request, use)).toBeDefined();
      await manager.updateAlias({ aliasName: 'alias/a', keyId: other.keyId }, operator);
      expect(manager.decryptNow(request, use)).toBeUndefined();
      await manager.updateAlias({ aliasName: 'alias/a', keyId: first.keyId }, operator);
    }
  });

  test('is never decided by what the clock said before', async () => {
    const morning = allow({ Condition: { DateLessThan: { 'aws:CurrentTime': '2027-01-01T12:00:00Z' } } });
    await using keys = await keyFolder({ access: withPolicy(morning) });
    let now = Date.parse('2027-01-01T11:59:59Z');
    const manager = await keys.open({}, { now: () => now });
    const request = await opened(manager);
    expect(manager.decryptNow(request, use)).toBeDefined();
    expect(manager.decryptNow(request, use)).toBeDefined();
    now += 2000;
    expect(manager.decryptNow(request, use)).toBeUndefined();
  });

  test('is decided by its own context', async () => {
    const red = allow({ Condition: { StringEquals: { 'kms:EncryptionContext:team': 'red' } } });
    await using keys = await keyFolder({ access: withPolicy(red) });
    const manager = await keys.open();
    const request = await opened(manager);
    const blue = Object.freeze({ team: 'blue' });
    const { wrapped } = await manager.generateDataKey({ keyId: 'alias/a', context: blue }, operator);
    await manager.decrypt({ wrapped, context: blue }, operator);
    for (let times = 0; times < 2; times++) {
      expect(manager.decryptNow(request, use)).toBeDefined();
      expect(manager.decryptNow({ wrapped, context: blue }, use)).toBeUndefined();
    }
  });
});

test('An object that is not frozen is asked about as it is at the moment', async () => {
  await using keys = await keyFolder({ access: { ...ACCESS, unlistedStorageCallers: 'nothing' } });
  const manager = await keys.open();
  const request = await opened(manager);
  const { keyId } = await manager.describeKey('alias/a', operator);
  await manager.grants.create({ keyId, grantee: principal, operations: ['Decrypt'] }, operator);
  const loose = { ...use };
  expect(manager.decryptNow(request, loose)).toBeDefined();
  loose.principal = 'arn:aws:iam::000000000000:user/other';
  expect(manager.decryptNow(request, loose)).toBeUndefined();
});

test('What a context said that can change is not said again of it', () => {
  const repeated = new RepeatedUses();
  const [action, key, own, decision] = ['Decrypt', undefined, {}, { allow: true, why: 'so' }];
  const { keyId, request } = { keyId: undefined, request: {} };
  repeated.question({ action, use, context, key, own }, () => ({
    ...{ principal, via: 'postgres', action, keyId, key, context, request },
  }));
  const loose = { team: 'red' };
  const said: Said = { action, context: loose, key: undefined, material: undefined, decision };
  const entry = () =>
    repeated.entry(use, said, '', () => entryOf('', action, use, said.context, { decision }, 'success'));
  expect(entry()).toMatchObject({ context: { team: 'red' } });
  loose.team = 'blue';
  expect(entry()).toMatchObject({ context: { team: 'blue' } });
});

/** An authorizer without grants, and a frozen question about a key without a policy of its own. */
function asking(options: AccessOptions, about: EncryptionContext) {
  const realm = { region: 'eu-central-1', account: '000000000000' };
  const authorizer = new PolicyAuthorizer(options, realm, { version: () => 0, of: () => [] }, Date.now);
  const keyId = '00000000-0000-4000-8000-000000000000';
  const arn = `arn:aws:kms:${realm.region}:${realm.account}:key/${keyId}`;
  const facts = { spec: '', usage: '', origin: '', multiRegion: false, tags: {}, aliases: [], policy: undefined };
  const key = { keyId, arn, account: realm.account, ...facts };
  const asked = { principal, via: 'postgres', action: 'Decrypt', keyId, key, context: about, request: {} } as const;
  const question: AuthorizationQuestion = Object.freeze(asked);
  return { authorizer, question };
}

test('A frozen question is decided anew under other identities', () => {
  const { authorizer, question } = asking(ACCESS, context);
  for (let times = 0; times < 2; times++) {
    authorizer.replaceIdentities(ACCESS);
    expect([authorizer.decide(question).allow, authorizer.decide(question).allow]).toEqual([true, true]);
    authorizer.replaceIdentities({ ...ACCESS, unlistedStorageCallers: 'nothing' });
    expect([authorizer.decide(question).allow, authorizer.decide(question).allow]).toEqual([false, false]);
  }
});

test('A frozen question about a context that can change is decided by what it holds at the moment', () => {
  const red = allow({ Condition: { StringEquals: { 'kms:EncryptionContext:team': 'red' } } });
  const loose = { team: 'red' };
  const { authorizer, question } = asking(withPolicy(red), loose);
  for (const team of ['red', 'blue', 'red']) {
    loose.team = team;
    expect(authorizer.decide(question).allow).toBe(team === 'red');
  }
});
