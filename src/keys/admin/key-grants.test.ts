/** Grants in a real key manager: made, used, listed, passed on, taken back, and what an attacker with the file can do. */
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { allow, document, type Json } from '../../../test/support/keys/access.ts';
import { keyFolder, TEST_USE as operator, type KeyFolder } from '../../../test/support/keys/keys.ts';
import type { GrantRequest } from '../access/grants/new-grant.ts';
import type { AccessOptions, IdentityOptions } from '../access/options.ts';
import { verifyBackup } from '../backup/restore.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeyManager } from '../key-manager.ts';
import { DAY_MS } from '../limits.ts';

const ACCOUNT = '000000000000';
const arn = (name: string): string => `arn:aws:iam::${ACCOUNT}:user/${name}`;
const use = (name: string, more: Partial<KeyUse> = {}): KeyUse => ({
  principal: arn(name),
  via: 'kms',
  resource: 'test',
  ...more,
});
const alice = use('alice');
const context = { tenant: 'a' };
const DENIED = 'ERR_KEYS_ACCESS_DENIED';

function identity(name: string, ...statements: readonly Json[]): IdentityOptions {
  return { arn: arn(name), policies: [{ name: 'own', document: document(...statements) }] };
}

type Opened = {
  readonly folder: KeyFolder;
  readonly manager: KeyManager;
  readonly keyId: string;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

async function open(...identities: readonly IdentityOptions[]): Promise<Opened> {
  const access: AccessOptions = {
    identities,
    organizationPolicies: [],
    unlistedStorageCallers: 'use-keys',
    grantsCrossAccounts: false,
  };
  const folder = await keyFolder({ access });
  const manager = await folder.open();
  const { keyId } = await manager.createKey({ alias: 'alias/a' }, operator);
  return { folder, manager, keyId, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const outcome = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'allowed',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );

const generate = (
  { manager, keyId }: Opened,
  by: KeyUse,
  encryptionContext: Record<string, string> = context,
): Promise<string> => outcome(manager.generateDataKey({ keyId, context: encryptionContext }, by));

const give = (
  { manager, keyId }: Opened,
  more: Partial<GrantRequest> = {},
  by = operator,
): Promise<{ grantId: string; token: string }> =>
  manager.grants.create({ keyId, grantee: arn('alice'), operations: ['GenerateDataKey'], ...more }, by);

describe('a grant', () => {
  test('is in effect when it is made, and no more when it is revoked or retired', async () => {
    await using opened = await open();
    const { manager, keyId } = opened;
    for (let round = 0; round < 3; round++) {
      for (let times = 0; times < 3; times++) expect(await generate(opened, alice)).toBe(DENIED);
      const { grantId } = await give(opened, { retiring: arn('bob') });
      for (let times = 0; times < 3; times++) expect(await generate(opened, alice)).toBe('allowed');
      if (round === 0) await manager.grants.revoke({ keyId, grantId }, operator);
      else await manager.grants.retire({ grant: { type: 'id', keyId, grantId } }, use('bob'));
    }
    expect(await generate(opened, alice)).toBe(DENIED);
  });

  test('is the same after reopening, whole', async () => {
    await using opened = await open();
    const { manager, keyId, folder } = opened;
    const request = {
      retiring: arn('bob'),
      name: 'n',
      operations: ['Decrypt', 'Encrypt'],
      constraints: { subset: { ä: '€' } },
    };
    const { grantId } = await give(opened, request);
    const page = { keyId, after: undefined, limit: 10 };
    const before = await manager.grants.list(page, operator);
    expect(before.items).toMatchObject([
      { grantId, keyId, name: 'n', constraint: { type: 'subset', context: { ä: '€' } } },
    ]);
    await manager.close();
    const again = await folder.open();
    expect(await again.grants.list(page, operator)).toEqual(before);
  });

  test('with a constraint is a grant for that encryption context alone, however often another was asked', async () => {
    await using opened = await open();
    await give(opened, { constraints: { equals: context } });
    for (let times = 0; times < 3; times++) {
      expect(await generate(opened, alice)).toBe('allowed');
      expect(await generate(opened, alice, { tenant: 'b' })).toBe(DENIED);
      expect(await generate(opened, alice, { ...context, more: 'x' })).toBe(DENIED);
    }
  });

  test('of a name is made once, and its tokens are as good as each other', async () => {
    await using opened = await open();
    const { manager, keyId } = opened;
    const first = await give(opened, { name: 'n' });
    const again = await give(opened, { name: 'n' });
    expect(again.grantId).toBe(first.grantId);
    expect(again.token).not.toBe(first.token);
    expect((await give(opened, { name: 'n', operations: ['Decrypt'] })).grantId).not.toBe(first.grantId);
    expect((await give(opened)).grantId).not.toBe((await give(opened)).grantId);
    for (const { token } of [first, again]) {
      const with_ = { ...alice, request: { grantTokens: [token] } };
      expect(await outcome(manager.generateDataKey({ keyId, context }, with_))).toBe('allowed');
    }
    await manager.grants.retire({ grant: { type: 'token', token: again.token } }, operator);
    expect(await outcome(manager.grants.retire({ grant: { type: 'token', token: first.token } }, operator))).toBe(
      'ERR_KEYS_GRANT_TOKEN',
    );
  });

  test('A token that is none is refused', async () => {
    await using opened = await open();
    await give(opened);
    expect(await generate(opened, { ...alice, request: { grantTokens: ['AQpAM2RhZTk1MGMy'] } })).toBe(
      'ERR_KEYS_GRANT_TOKEN',
    );
  });

  test('with CreateGrant passes on no more than it allows', async () => {
    await using opened = await open();
    const toBob = { grantee: arn('bob') };
    await give(opened, { operations: ['CreateGrant', 'GenerateDataKey'], constraints: { subset: context } });
    expect(await outcome(give(opened, toBob, alice))).toBe(DENIED);
    expect(
      await outcome(give(opened, { ...toBob, operations: ['Decrypt'], constraints: { subset: context } }, alice)),
    ).toBe(DENIED);
    await give(opened, { ...toBob, constraints: { subset: context } }, alice);
    expect(await generate(opened, use('bob'))).toBe('allowed');
  });

  test('A dry run makes, and takes back, nothing', async () => {
    await using opened = await open();
    const { manager, keyId } = opened;
    const request = { keyId, grantee: arn('alice'), operations: ['Decrypt'], dryRun: true };
    expect(await outcome(manager.grants.create(request, operator))).toBe('ERR_KEYS_DRY_RUN');
    expect((await manager.grants.list({ keyId, after: undefined, limit: 9 }, operator)).items).toEqual([]);
    const { grantId } = await give(opened);
    expect(await outcome(manager.grants.revoke({ keyId, grantId, dryRun: true }, operator))).toBe('ERR_KEYS_DRY_RUN');
    expect(await generate(opened, alice)).toBe('allowed');
  });

  test('goes with its key', async () => {
    let now = Date.UTC(2027, 0, 1);
    await using folder = await keyFolder();
    const manager = await folder.open({}, { now: () => now });
    const { keyId } = await manager.createKey({}, operator);
    const { token } = await manager.grants.create(
      { keyId, grantee: arn('alice'), retiring: arn('bob'), operations: ['Decrypt'] },
      operator,
    );
    await manager.lifecycle.scheduleDeletion({ keyId, days: 7 }, operator);
    now += 8 * DAY_MS;
    await manager.runDue({ destroy: true });
    expect(await outcome(manager.grants.retire({ grant: { type: 'token', token } }, operator))).toBe(
      'ERR_KEYS_GRANT_TOKEN',
    );
    expect(
      (await manager.grants.listRetirable({ retiring: arn('bob'), after: undefined, limit: 9 }, operator)).items,
    ).toEqual([]);
  });

  test('Names that are none, of a grant or a key, are told apart', async () => {
    await using opened = await open();
    const { manager, keyId } = opened;
    const other = await manager.createKey({}, operator);
    const { grantId } = await give(opened);
    expect(await outcome(manager.grants.revoke({ keyId, grantId: 'x' }, operator))).toBe('ERR_KEYS_GRANT_ID');
    expect(await outcome(manager.grants.revoke({ keyId, grantId: 'a'.repeat(64) }, operator))).toBe(
      'ERR_KEYS_NOT_FOUND',
    );
    expect(await outcome(manager.grants.revoke({ keyId: other.keyId, grantId }, operator))).toBe('ERR_KEYS_NOT_FOUND');
    expect(await outcome(manager.grants.revoke({ keyId: 'alias/a', grantId }, operator))).toBe('ERR_KEYS_INVALID_ID');
    await manager.disableKey(keyId, operator);
    expect(await outcome(give(opened))).toBe('ERR_KEYS_DISABLED');
    expect(await outcome(manager.grants.revoke({ keyId, grantId }, operator))).toBe('allowed');
  });
});

describe('who may', () => {
  test('CreateGrant, ListGrants and RevokeGrant need their permission, and conditions see the grant', async () => {
    const onlyDecrypt = {
      'ForAllValues:StringEquals': { 'kms:GrantOperations': 'Decrypt' },
      StringEquals: { 'kms:GranteePrincipal': arn('alice') },
    };
    await using opened = await open(
      identity('admin', allow({ Action: ['kms:CreateGrant', 'kms:ListGrants'], Condition: onlyDecrypt })),
    );
    const { manager, keyId } = opened;
    const admin = use('admin');
    const { grantId } = await give(opened, { operations: ['Decrypt'] }, admin);
    expect(await outcome(give(opened, { operations: ['Decrypt', 'Encrypt'] }, admin))).toBe(DENIED);
    expect(await outcome(give(opened, { operations: ['Decrypt'], grantee: arn('bob') }, admin))).toBe(DENIED);
    expect(await outcome(manager.grants.revoke({ keyId, grantId }, admin))).toBe(DENIED);
    expect(await outcome(manager.grants.list({ keyId, after: undefined, limit: 9 }, alice))).toBe(DENIED);
  });

  test('A caller who may not is told that, also where the request is at fault', async () => {
    await using opened = await open();
    expect(await outcome(give(opened, { operations: ['Sign'] }, alice))).toBe(DENIED);
    expect(await outcome(give(opened, { operations: ['Sign'] }))).toBe('ERR_KEYS_INVALID_REQUEST');
  });
});

describe('lists', () => {
  test('go page by page, each grant once, by key, by grantee and by who may retire', async () => {
    await using opened = await open();
    const { manager, keyId } = opened;
    const other = await manager.createKey({}, operator);
    for (let n = 0; n < 12; n++) await give(opened, { grantee: arn(`user-${n % 3}`), retiring: arn('bob') });
    await manager.grants.create(
      { keyId: other.keyId, grantee: arn('user-0'), retiring: arn('bob'), operations: ['Decrypt'] },
      operator,
    );
    const all = async (
      ask: (after: string | undefined) => ReturnType<KeyManager['grants']['list']>,
    ): Promise<number> => {
      const seen = new Set<string>();
      let after: string | undefined;
      for (let more = true; more;) {
        const page = await ask(after);
        for (const { grantId } of page.items) seen.add(grantId);
        after = page.items.at(-1)?.grantId;
        more = page.more;
      }
      return seen.size;
    };
    expect(await all((after) => manager.grants.list({ keyId, after, limit: 5 }, operator))).toBe(12);
    expect(
      await all((after) => manager.grants.list({ keyId, grantee: arn('user-0'), after, limit: 3 }, operator)),
    ).toBe(4);
    expect(
      await all((after) => manager.grants.listRetirable({ retiring: arn('bob'), after, limit: 4 }, operator)),
    ).toBe(13);
  });
});

test('Hundreds of grants of one grantee, which lie together, are each listed, used and revoked', async () => {
  await using opened = await open();
  const { manager, keyId } = opened;
  const given = [];
  for (let n = 0; n < 300; n++) given.push((await give(opened, { operations: ['DescribeKey'] })).grantId);
  const { grantId: wanted } = await give(opened);
  expect(await generate(opened, alice)).toBe('allowed');
  for (const grantId of given.splice(100)) await manager.grants.revoke({ keyId, grantId }, operator);
  await manager.close();
  const later = { ...opened, manager: await opened.folder.open() };
  const { items } = await later.manager.grants.list({ keyId, after: undefined, limit: 1000 }, operator);
  expect(items.map(({ grantId }) => grantId)).toEqual([...given, wanted].sort());
  expect(await generate(later, alice)).toBe('allowed');
  await later.manager.grants.revoke({ keyId, grantId: wanted }, operator);
  expect(await generate(later, alice)).toBe(DENIED);
});

describe('someone with the file', () => {
  const change = ({ folder }: Opened, work: (database: DatabaseSync) => void): void => {
    const database = new DatabaseSync(folder.options.storePath, { defensive: false });
    try {
      work(database);
    } finally {
      database.close();
    }
  };

  /** A grant revoked, with its row as it was. */
  async function revoked(opened: Opened): Promise<Record<string, unknown>> {
    const { manager, keyId } = opened;
    const { grantId } = await give(opened);
    let row: Record<string, unknown> = {};
    change(opened, (database) => (row = { ...database.prepare('SELECT * FROM grants').get() }));
    await manager.grants.revoke({ keyId, grantId }, operator);
    await manager.close();
    return row;
  }

  const putBack = (database: DatabaseSync, row: Record<string, unknown>): void => {
    const marks = Object.keys(row)
      .map(() => '?')
      .join(', ');
    // As SQLite gave them.
    database.prepare(`INSERT INTO grants VALUES (${marks})`).run(...(Object.values(row) as string[]));
  };

  test('revives no revoked grant by putting its row back, not even when another is made beside it', async () => {
    await using opened = await open();
    const row = await revoked(opened);
    change(opened, (database) => putBack(database, row));
    const again = await opened.folder.open();
    const now = { ...opened, manager: again };
    expect(await generate(now, alice)).toBe('ERR_KEYS_STORE_TAMPERED');
    expect(await outcome(give(now))).toBe('ERR_KEYS_STORE_TAMPERED');
  });

  test('changes no grant, and moves none to another bucket', async () => {
    for (const [column, value] of [
      ['operations', "'CreateGrant,GenerateDataKey'"],
      ['grantee', `'${arn('mallory')}'`],
      // Another, whichever it lies in.
      ['bucket', "CASE bucket WHEN '0000' THEN '0001' ELSE '0000' END"],
    ] as const) {
      await using opened = await open();
      await give(opened);
      await opened.manager.close();
      change(opened, (database) => void database.exec(`UPDATE grants SET ${column} = ${value}`));
      const again = { ...opened, manager: await opened.folder.open() };
      const by = column === 'grantee' ? use('mallory') : alice;
      expect(await generate(again, by)).toBe('ERR_KEYS_STORE_TAMPERED');
    }
  });

  test('makes no changed grant believed by another that is made beside it', async () => {
    await using opened = await open();
    await give(opened, { operations: ['Decrypt'] });
    await opened.manager.close();
    change(opened, (database) => void database.exec("UPDATE grants SET operations = 'Decrypt,GenerateDataKey'"));
    const now = { ...opened, manager: await opened.folder.open() };
    // In the same bucket, whose MACs are as they were.
    await give(now, { operations: ['DescribeKey'] });
    expect(await generate(now, alice)).toBe('ERR_KEYS_STORE_TAMPERED');
    const path = opened.folder.path('bad.backup');
    expect(await outcome(now.manager.backup({ path }, operator))).toBe('ERR_KEYS_STORE_TAMPERED');
    await now.manager.close();
    const later = { ...opened, manager: await opened.folder.open() };
    expect(await generate(later, alice)).toBe('ERR_KEYS_STORE_TAMPERED');
  });

  test('gives a grant to no other key, and hides none for another, by an index that lies', async () => {
    await using opened = await open();
    const { keyId: other } = await opened.manager.createKey({}, operator);
    await give(opened);
    await opened.manager.close();
    change(opened, (database) => {
      const { sql } = database.prepare("SELECT sql FROM sqlite_master WHERE name = 'grants_grantee'").get() ?? {};
      database.exec(`DROP INDEX grants_grantee;
        CREATE INDEX grants_grantee ON grants (replace(key_id, '${opened.keyId}', '${other}'), grantee);
        PRAGMA writable_schema = ON`);
      database.prepare("UPDATE sqlite_master SET sql = ? WHERE name = 'grants_grantee'").run(String(sql));
    });
    const manager = await opened.folder.open();
    expect(await generate({ ...opened, manager, keyId: other }, alice)).toBe('ERR_KEYS_STORE_TAMPERED');
    expect(await generate({ ...opened, manager }, alice)).toBe(DENIED);
  });

  test('revives no revoked grant by hiding its row from the digest of its bucket, by an index that lies', async () => {
    for (const others of [0, 1, 12]) {
      await using opened = await open();
      const row = await revoked(opened);
      const kept = await opened.folder.open();
      // In the same bucket: of the same grantee on the same key.
      const grantIds: string[] = [];
      for (let n = 0; n < others; n += 1)
        grantIds.push((await give({ ...opened, manager: kept }, { operations: ['Decrypt'] })).grantId);
      await kept.close();
      change(opened, (database) => {
        putBack(database, row);
        const { sql } = database.prepare("SELECT sql FROM sqlite_master WHERE name = 'grants_bucket'").get() ?? {};
        const isKept = grantIds.map((grantId) => `grant_id = x'${grantId}'`).join(' OR ') || '0';
        database.exec(`DROP INDEX grants_bucket;
          CREATE INDEX grants_bucket ON grants (CASE WHEN ${isKept} THEN bucket ELSE 'none' END, grant_id, mac);
          PRAGMA writable_schema = ON`);
        database.prepare("UPDATE sqlite_master SET sql = ? WHERE name = 'grants_bucket'").run(String(sql));
      });
      const manager = await opened.folder.open();
      expect(await generate({ ...opened, manager }, alice), `${others} others`).toBe('ERR_KEYS_STORE_TAMPERED');
      await manager.close();
    }
  });

  test('gets no backup made or believed of a store whose grants were changed', async () => {
    await using opened = await open();
    const row = await revoked(opened);
    change(opened, (database) => putBack(database, row));
    const again = await opened.folder.open();
    expect(await outcome(again.backup({ path: opened.folder.path('bad.backup') }, operator))).not.toBe('allowed');
  });

  test('A backup holds the grants', async () => {
    await using opened = await open();
    await give(opened);
    const path = opened.folder.path('good.backup');
    await opened.manager.backup({ path }, operator);
    expect(await outcome(verifyBackup(path, opened.folder.options.unseal))).toBe('allowed');
  });
});
