import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use } from '../../../test/support/keys/keys.ts';
import { defaultKeyPolicy } from '../access/default-policies.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeySettings } from './key-settings.ts';

const code = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  );
const policy = (effect = 'Allow'): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: effect, Principal: '*', Action: 'kms:*', Resource: '*' }],
  });

/** All items of a list, in pages of `limit`. */
async function allPages<Item>(
  limit: number,
  page: (after: string | undefined) => Promise<{ items: readonly Item[]; more: boolean }>,
  nameOf: (item: Item) => string,
): Promise<readonly (readonly Item[])[]> {
  const pages: (readonly Item[])[] = [];
  let after: string | undefined;
  for (;;) {
    const { items, more } = await page(after);
    pages.push(items);
    expect(items.length).toBeLessThanOrEqual(limit);
    const last = items.at(-1);
    if (!more || last === undefined) return pages;
    after = nameOf(last);
  }
}

describe('tags, description and policy', () => {
  test('are kept, changed and removed, and are there after reopening', async () => {
    await using keys = await keyFolder();
    const first = await keys.open();
    const { keyId } = await first.createKey({ tags: [{ key: 'b', value: '1' }], policy: policy() }, use);
    await first.settings.tagKey(
      {
        keyId,
        tags: [
          { key: 'a', value: '' },
          { key: 'b', value: '2' },
        ],
      },
      use,
    );
    await first.settings.tagKey({ keyId, tags: [{ key: 'c', value: 'x' }] }, use);
    await first.settings.untagKey({ keyId, names: ['c', 'never there'] }, use);
    await first.settings.updateDescription({ keyId, description: 'new' }, use);
    expect(await first.settings.getPolicy(keyId, use)).toBe(policy());
    await first.settings.putPolicy({ keyId, policy: policy('Deny') }, use);
    await first.close();
    const second = await keys.open();
    const { items } = await second.settings.listTags({ keyId, after: undefined, limit: 50 }, use);
    expect(items).toEqual([
      { key: 'a', value: '' },
      { key: 'b', value: '2' },
    ]);
    expect((await second.describeKey(keyId, use)).description).toBe('new');
    expect(await second.settings.getPolicy(keyId, use)).toBe(policy('Deny'));
  });

  test('A key without a policy of its own has the default one, of the account it is in', async () => {
    await using keys = await keyFolder({ account: '123456789012' });
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    expect(await manager.settings.getPolicy(keyId, use)).toBe(defaultKeyPolicy('123456789012'));
    expect(JSON.parse(defaultKeyPolicy('123456789012'))).toMatchObject({
      Statement: [{ Principal: { AWS: 'arn:aws:iam::123456789012:root' } }],
    });
  });

  test('Tags beyond 50, twice, or of AWS are refused, at creation and later', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const many = (count: number, from = 0) =>
      Array.from({ length: count }, (_, at) => ({ key: `k${at + from}`, value: 'v' }));
    const { keyId } = await manager.createKey({ tags: many(49) }, use);
    for (const tags of [
      many(51),
      [...many(1), ...many(1)],
      [{ key: 'aws:x', value: '' }],
      [{ key: 'AWS:x', value: '' }],
    ]) {
      expect(await code(manager.createKey({ tags }, use))).toBe('ERR_KEYS_TAG');
      expect(await code(manager.settings.tagKey({ keyId, tags }, use))).toBe('ERR_KEYS_TAG');
    }
    expect(await code(manager.settings.tagKey({ keyId, tags: many(1, 49) }, use))).toBe('done');
    expect(await code(manager.settings.tagKey({ keyId, tags: many(1, 50) }, use))).toBe('ERR_KEYS_TAG');
    expect(await code(manager.settings.tagKey({ keyId, tags: many(50) }, use))).toBe('done');
  });

  test.each([
    ['not json', 'ERR_KEYS_POLICY_MALFORMED'],
    ['[]', 'ERR_KEYS_POLICY_MALFORMED'],
    ['{}', 'ERR_KEYS_POLICY_MALFORMED'],
    ['{"Statement":[]}', 'ERR_KEYS_POLICY_MALFORMED'],
    ['{"Version":"2020-01-01","Statement":[{"Effect":"Allow","Principal":"*"}]}', 'ERR_KEYS_POLICY_MALFORMED'],
    ['{"Statement":[{"Effect":"Perhaps","Principal":"*"}]}', 'ERR_KEYS_POLICY_MALFORMED'],
    ['{"Statement":[{"Effect":"Allow"}]}', 'ERR_KEYS_POLICY_MALFORMED'],
    [`{"Statement":[{"Effect":"Allow","Principal":"*","Sid":"${'x'.repeat(32 * 1024)}"}]}`, 'ERR_KEYS_LIMIT'],
    ['{"Statement":{"Effect":"Allow","Principal":"*"}}', 'done'],
  ])('The policy %.60s: %s', async (document, expected) => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    expect(await code(manager.settings.putPolicy({ keyId, policy: document }, use))).toBe(expected);
    expect(await code(manager.createKey({ policy: document }, use))).toBe(expected);
  });

  test('The authorizer is asked whether a policy locks its maker out, unless that is not to be checked', async () => {
    const asked: unknown[] = [];
    await using keys = await keyFolder();
    const authorizer = {
      decide: () => ({ allow: true, why: 'test' }),
      checkLockout: (document: string, { principal }: KeyUse) => void asked.push([document, principal]),
    };
    const manager = await keys.open({}, { authorizer });
    const { keyId } = await manager.createKey({ policy: policy() }, use);
    await manager.settings.putPolicy({ keyId, policy: policy('Deny') }, use);
    await manager.settings.putPolicy({ keyId, policy: policy(), bypassLockoutCheck: true }, use);
    expect(asked).toEqual([
      [policy(), use.principal],
      [policy('Deny'), use.principal],
    ]);
  });
});

describe('lists', () => {
  test('Keys and aliases come in pages, each once, whatever is made between the pages', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const made = await Promise.all(
      Array.from({ length: 7 }, (_, at) => manager.createKey({ alias: `alias/k${at}` }, use)),
    );
    await manager.createAlias({ aliasName: 'alias/second', keyId: made[0]?.keyId ?? '' }, use);
    const ids = made.map(({ keyId }) => keyId).sort();
    for (const limit of [1, 3, 7, 100]) {
      const pages = await allPages(
        limit,
        (after) => manager.settings.keyPage({ after, limit }, use),
        ({ keyId }) => keyId,
      );
      expect(pages.flat().map(({ keyId }) => keyId)).toEqual(ids);
      expect(pages).toHaveLength(Math.ceil(7 / limit));
      const aliases = await allPages(
        limit,
        (after) => manager.settings.aliasPage({ after, limit }, use),
        ({ aliasName }) => aliasName,
      );
      expect(aliases.flat().map(({ aliasName }) => aliasName)).toEqual([
        'alias/aws/rds',
        'alias/aws/s3',
        ...[0, 1, 2, 3, 4, 5, 6].map((at) => `alias/k${at}`),
        'alias/second',
      ]);
    }
    const own = await manager.settings.aliasPage({ after: undefined, limit: 1, keyId: made[0]?.keyId }, use);
    expect(own).toMatchObject({ items: [{ aliasName: 'alias/k0', targetKeyId: made[0]?.keyId }], more: true });
  });

  test('Last usage says what was used last, and from when on it is known', async () => {
    let now = Date.UTC(2026, 0, 1);
    await using keys = await keyFolder();
    const first = await keys.open({}, { now: () => now });
    const { keyId } = await first.createKey({}, use);
    expect(await first.settings.lastUsage(keyId, use)).toEqual({
      keyId,
      createdAt: '2026-01-01T00:00:00.000Z',
      trackedSince: '2026-01-01T00:00:00.000Z',
      lastUse: undefined,
    });
    now += 1000;
    await first.operations.encrypt({ keyId, plaintext: Buffer.from('x'), context: {} }, { ...use, requestId: 'r-9' });
    await first.describeKey(keyId, use);
    expect((await first.settings.lastUsage(keyId, use)).lastUse).toEqual({
      operation: 'Encrypt',
      at: '2026-01-01T00:00:01.000Z',
      requestId: 'r-9',
    });
    await first.close();
    now += 1000;
    const second = await keys.open({}, { now: () => now });
    expect(await second.settings.lastUsage(keyId, use)).toMatchObject({
      trackedSince: '2026-01-01T00:00:02.000Z',
      lastUse: undefined,
    });
  });
});

test('What takes no alias refuses one, and names of no key are told as AWS tells them', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  await manager.createKey({ alias: 'alias/a' }, use);
  const { settings, lifecycle } = manager;
  const takers: ((keyId: string) => Promise<unknown>)[] = [
    (keyId) => settings.updateDescription({ keyId, description: '' }, use),
    (keyId) => settings.tagKey({ keyId, tags: [] }, use),
    (keyId) => settings.untagKey({ keyId, names: [] }, use),
    (keyId) => settings.listTags({ keyId, after: undefined, limit: 1 }, use),
    (keyId) => settings.getPolicy(keyId, use),
    (keyId) => settings.putPolicy({ keyId, policy: policy() }, use),
    (keyId) => settings.checkPolicies(keyId, use),
    (keyId) => settings.lastUsage(keyId, use),
    (keyId) => settings.aliasPage({ keyId, after: undefined, limit: 1 }, use),
    (keyId) => lifecycle.scheduleDeletion({ keyId, days: 7 }, use),
    (keyId) => lifecycle.cancelDeletion(keyId, use),
    (keyId) => lifecycle.enableRotation({ keyId, periodDays: 90 }, use),
    (keyId) => lifecycle.disableRotation(keyId, use),
    (keyId) => lifecycle.rotationStatus(keyId, use),
    (keyId) => lifecycle.rotateOnDemand(keyId, use),
    (keyId) => lifecycle.rotations({ keyId, all: true, after: undefined, limit: 1 }, use),
  ];
  const arn = (resource: string, region = 'eu-central-1', account = '000000000000') =>
    `arn:aws:kms:${region}:${account}:${resource}`;
  const uuid = '134f2428-cec1-4b25-a1ae-9048164dba47';
  const names: readonly (readonly [string, string, string])[] = [
    ['alias/a', 'ERR_KEYS_INVALID_ID', "Invalid keyId 'alias/a'"],
    [arn('alias/a'), 'ERR_KEYS_INVALID_ID', `Invalid keyId '${arn('alias/a')}'`],
    ['fake-key-id', 'ERR_KEYS_INVALID_ID', "Invalid keyId 'fake-key-id'"],
    [uuid, 'ERR_KEYS_NOT_FOUND', `Key '${arn(`key/${uuid}`)}' does not exist`],
    [arn(`key/${uuid}`, 'eu-west-1'), 'ERR_KEYS_NOT_FOUND', 'Invalid arn eu-west-1'],
    [
      arn(`key/${uuid}`, 'eu-central-1', '111111111111'),
      'ERR_KEYS_NOT_FOUND',
      `Key '${arn(`key/${uuid}`, 'eu-central-1', '111111111111')}' does not exist`,
    ],
    ['arn:aws:s3:::bucket', 'ERR_KEYS_INVALID_ARN', 'Invalid arn arn:aws:s3:::bucket'],
    ['line\nbreak', 'ERR_KEYS_INVALID_ID', "Invalid keyId 'line?break'"],
  ];
  for (const taker of takers)
    for (const [name, expected, message] of names)
      await expect(taker(name)).rejects.toMatchObject({ code: expected, message });
});

const settingsIn = async (settings: KeySettings, keyId: string): Promise<unknown[]> => [
  await code(settings.updateDescription({ keyId, description: 'x' }, use)),
  await code(settings.tagKey({ keyId, tags: [{ key: 'a', value: 'b' }] }, use)),
  await code(settings.untagKey({ keyId, names: ['a'] }, use)),
  await code(settings.putPolicy({ keyId, policy: policy() }, use)),
  await code(settings.getPolicy(keyId, use)),
  await code(settings.listTags({ keyId, after: undefined, limit: 1 }, use)),
  await code(settings.lastUsage(keyId, use)),
];

test('A disabled key takes every setting; one pending deletion only a policy, and is still read', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const { keyId } = await manager.createKey({}, use);
  await manager.disableKey(keyId, use);
  expect(await settingsIn(manager.settings, keyId)).toEqual(Array(7).fill('done'));
  await manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, use);
  expect(await settingsIn(manager.settings, keyId)).toEqual([
    ...Array<string>(3).fill('ERR_KEYS_INVALID_STATE'),
    ...Array<string>(4).fill('done'),
  ]);
});
