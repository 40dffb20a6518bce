/** Multi-Region keys of one store: what related keys share, what each has for itself, and what only the primary decides. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { importMaterial } from '../../../test/support/keys/import-key.ts';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../../test/support/keys/keys.ts';
import type { Grant } from '../access/grants/grant.ts';
import { grantRow } from '../access/grants/grant-rows.ts';
import type { KeyManager } from '../key-manager.ts';
import type { KeyManagerOptions, KeyPorts } from '../options.ts';
import { unsealStore } from '../stores/open-store.ts';
import { takeOwnerLock } from '../stores/owner-lock.ts';
import type { RegionKeys } from './region-keys.ts';

const HOME = 'eu-central-1';
const THERE = 'us-west-2';
const THIRD = 'ap-south-1';
const DAY_MS = 86_400_000;
const context = { purpose: 'test' };

type Regions = {
  readonly folder: KeyFolder;
  readonly home: KeyManager;
  readonly there: RegionKeys;
  readonly third: RegionKeys;
  readonly clock: { ms: number };
  readonly reopen: (changes?: Partial<KeyManagerOptions>) => Promise<KeyManager>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

async function regions(ports: Partial<KeyPorts> = {}): Promise<Regions> {
  const folder = await keyFolder({ region: HOME, otherRegions: [THERE, THIRD] });
  const clock = { ms: Date.UTC(2027, 0, 1) };
  const now = (): number => clock.ms;
  const home = await folder.open({}, { now, ...ports });
  const reopen = async (changes: Partial<KeyManagerOptions> = {}): Promise<KeyManager> => {
    await home.close();
    return folder.open(changes, { now, ...ports });
  };
  const [there, third] = [keysIn(home, THERE), keysIn(home, THIRD)];
  return { folder, home, there, third, clock, reopen, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

function keysIn(manager: KeyManager, region: string): RegionKeys {
  const keys = manager.inRegion(region);
  if (keys === undefined) throw new Error(`${region} is not served`);
  return keys;
}

async function code(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'done',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  );
}

async function message(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error as Error).message,
  );
}

async function replicated(s: Regions, request: object = {}): Promise<string> {
  const { keyId } = await s.home.createKey({ multiRegion: true, ...request }, use);
  await s.home.multiRegion.replicate({ keyId, replicaRegion: THERE }, use);
  return keyId;
}

const sealed = async (keys: RegionKeys, keyId: string): Promise<Uint8Array> =>
  (await keys.operations.generateDataKey({ keyId, bytes: 32, context }, use)).ciphertext;
const opens = (keys: RegionKeys, ciphertext: Uint8Array): Promise<unknown> =>
  code(keys.operations.decrypt({ ciphertext, keyId: undefined, context }, use));

describe('A multi-Region key', () => {
  test('has an id of its own kind, and its replica the same id, spec and material, and nothing else', async () => {
    await using s = await regions();
    const { keyId, arn } = await s.home.createKey({ multiRegion: true, description: 'primary', alias: 'alias/k' }, use);
    expect(keyId).toMatch(/^mrk-[0-9a-f]{32}$/u);
    const tags = [{ key: 'a', value: 'b' }];
    const { key, policy } = await s.home.multiRegion.replicate({ keyId, replicaRegion: THERE, tags }, use);
    const there = arn.replace(HOME, THERE);
    const multiRegion = { primary: { arn, region: HOME }, replicas: [{ arn: there, region: THERE }] };
    expect(key).toMatchObject({ keyId, arn: there, state: 'enabled', description: '', aliases: [] });
    expect(key.multiRegion).toEqual({ type: 'replica', ...multiRegion });
    expect(policy).toContain('key-default-1');
    const primary = await s.home.describeKey(keyId, use);
    expect(primary).toMatchObject({ description: 'primary', aliases: ['alias/k'] });
    expect(primary.multiRegion).toEqual({ type: 'primary', ...multiRegion });
    expect(key.materials).toEqual(primary.materials);
    expect((await s.home.settings.listTags({ keyId, after: undefined, limit: 9 }, use)).items).toEqual([]);
    expect((await s.there.settings.listTags({ keyId, after: undefined, limit: 9 }, use)).items).toEqual(tags);
  });

  test('opens in each region what was made in another, before and after rotations; a single-Region key does not', async () => {
    await using s = await regions();
    const keyId = await replicated(s);
    const made = [await sealed(s.home, keyId), await sealed(s.there, keyId)];
    await s.home.rotateKey(keyId, use);
    made.push(await sealed(s.home, keyId), await sealed(s.there, keyId));
    await s.home.multiRegion.replicate({ keyId, replicaRegion: THIRD }, use);
    for (const ciphertext of made)
      for (const keys of [s.home, s.there, s.third]) expect(await opens(keys, ciphertext)).toBe('done');
    const { keyId: single } = await s.home.createKey({}, use);
    expect(await opens(s.there, await sealed(s.home, single))).toBe('ERR_KEYS_CIPHERTEXT_UNKNOWN_KEY');
    expect(await code(s.there.describeKey(single, use))).toBe('ERR_KEYS_NOT_FOUND');
    const { keyId: other } = await s.home.createKey({ multiRegion: true }, use);
    expect(await opens(s.there, await sealed(s.home, other))).toBe('ERR_KEYS_CIPHERTEXT_UNKNOWN_KEY');
  });

  test('made by the gateway’s data keys opens through the API of another region, and after a restart', async () => {
    await using s = await regions();
    const keyId = await replicated(s);
    const { wrapped } = await s.home.generateDataKey({ keyId, context }, use);
    expect(await opens(s.there, wrapped)).toBe('done');
    const made = await sealed(s.there, keyId);
    const manager = await s.reopen();
    expect(manager.regions).toEqual([HOME, THERE, THIRD]);
    await manager.decrypt({ wrapped: made, context }, use);
    expect(await opens(keysIn(manager, THERE), wrapped)).toBe('done');
  });

  test('makes MACs and signatures that its replica verifies', async () => {
    await using s = await regions();
    const message = randomBytes(32);
    const mac = await replicated(s, { spec: 'HMAC_256' });
    const asked = { keyId: mac, algorithm: 'HMAC_SHA_256', message } as const;
    const made = await s.home.macs.generate(asked, use);
    await s.there.macs.verify({ ...asked, mac: made.mac }, use);
    const pair = await replicated(s, { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' });
    const signing = { keyId: pair, algorithm: 'ECDSA_SHA_256', message, messageType: 'RAW' } as const;
    const { signature } = await s.there.signatures.sign(signing, use);
    expect((await s.home.signatures.verify({ ...signing, signature }, use)).keyArn).toContain(HOME);
  });
});

describe('Each of related keys for itself', () => {
  test('is disabled, named by aliases, granted, described and tagged', async () => {
    await using s = await regions();
    const keyId = await replicated(s);
    const { wrapped } = await s.home.generateDataKey({ keyId, context }, use);
    await s.home.decrypt({ wrapped, context }, use);
    await s.there.disableKey(keyId, use);
    expect(await opens(s.there, wrapped)).toBe('ERR_KEYS_DISABLED');
    expect(await opens(s.home, wrapped)).toBe('done');
    await s.home.createAlias({ aliasName: 'alias/same', keyId }, use);
    const { keyId: other } = await s.there.createKey({ alias: 'alias/same' }, use);
    expect((await s.there.describeKey('alias/same', use)).keyId).toBe(other);
    expect((await s.home.describeKey('alias/same', use)).keyId).toBe(keyId);
    await s.there.settings.updateDescription({ keyId, description: 'there' }, use);
    const policy = JSON.stringify({ Statement: { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' } });
    await s.there.settings.putPolicy({ keyId, policy }, use);
    const manager = await s.reopen();
    const there = keysIn(manager, THERE);
    expect(await there.describeKey(keyId, use)).toMatchObject({ state: 'disabled', description: 'there', aliases: [] });
    expect(await manager.describeKey(keyId, use)).toMatchObject({ state: 'enabled', aliases: ['alias/same'] });
    expect(await manager.settings.getPolicy(keyId, use)).toContain('key-default-1');
    expect(await there.settings.getPolicy(keyId, use)).toBe(policy);
    await there.deleteAlias('alias/same', use);
    const named = async (keys: RegionKeys): Promise<readonly string[]> =>
      (await keys.listAliases(use))
        .filter(({ targetKeyId }) => targetKeyId !== undefined)
        .map((each) => each.aliasName);
    expect(await named(manager)).toEqual(['alias/same']);
    expect(await named(there)).toEqual([]);
  });

  test('has its own grants, tokens and lists of them', async () => {
    await using s = await regions();
    const keyId = await replicated(s);
    const retiring = 'arn:aws:iam::000000000000:user/rita';
    const grant = { keyId, grantee: 'arn:aws:iam::000000000000:user/bob', retiring, operations: ['Decrypt'] } as const;
    const { grantId, token } = await s.home.grants.create(grant, use);
    const page = { keyId, after: undefined, limit: 9 };
    expect((await s.home.grants.list(page, use)).items.map((each) => each.grantId)).toEqual([grantId]);
    expect((await s.there.grants.list(page, use)).items).toEqual([]);
    expect((await s.there.grants.listRetirable({ retiring, ...page }, use)).items).toEqual([]);
    expect((await s.home.grants.listRetirable({ retiring, ...page }, use)).items).toHaveLength(1);
    expect(await code(s.there.grants.revoke({ keyId, grantId }, use))).toBe('ERR_KEYS_NOT_FOUND');
    expect(await code(s.there.grants.retire({ grant: { type: 'token', token } }, use))).toBe('ERR_KEYS_GRANT_TOKEN');
    const second = await s.there.grants.create(grant, use);
    expect((await s.there.grants.listRetirable({ retiring, ...page }, use)).items[0]?.grantId).toBe(second.grantId);
    await s.home.grants.revoke({ keyId, grantId }, use);
    expect((await s.there.grants.list(page, use)).items).toHaveLength(1);
  });

  test('is listed in its region alone', async () => {
    await using s = await regions();
    const keyId = await replicated(s);
    const { keyId: single } = await s.home.createKey({}, use);
    const ids = async (keys: RegionKeys): Promise<readonly string[]> =>
      (await keys.settings.keyPage({ after: undefined, limit: 9 }, use)).items.map((each) => each.keyId);
    expect(await ids(s.home)).toEqual([keyId, single].sort());
    expect(await ids(s.there)).toEqual([keyId]);
    expect(await ids(s.third)).toEqual([]);
  });
});

describe('The primary key alone', () => {
  test('comes without grants, also where the store holds some of the key that was there before', async () => {
    await using s = await regions();
    const keyId = await replicated(s);
    await s.there.lifecycle.scheduleDeletion({ keyId, days: 7 }, use);
    s.clock.ms += 8 * DAY_MS;
    expect((await s.home.runDue({ destroy: true })).destroyed).toHaveLength(1);
    await s.home.close();
    // Deleting a key deletes its grants: no call leaves any.
    const lock = takeOwnerLock(s.folder.options.storePath);
    const { database } = await unsealStore(s.folder.options, 'owner');
    const grantee = 'arn:aws:iam::000000000000:user/before';
    const left: Grant = {
      ...{ grantId: randomBytes(32).toString('hex'), keyId, region: THERE, grantee, retiring: undefined, name: '' },
      ...{
        operations: ['Decrypt'],
        constraint: undefined,
        sourceArn: undefined,
        issuingAccount: '000000000000',
        issuedBy: 'test',
      },
      createdAt: new Date(0).toISOString(),
    };
    database.amend([{ type: 'put', table: 'grants', row: grantRow(left) }]);
    database.close();
    lock.release();
    const manager = await s.folder.open({});
    await manager.multiRegion.replicate({ keyId, replicaRegion: THERE }, use);
    const grants = async (keys: RegionKeys): Promise<unknown> =>
      (await keys.grants.list({ keyId, after: undefined, limit: 10 }, use)).items;
    expect(await grants(keysIn(manager, THERE))).toEqual([]);
    await manager.close();
    const again = await s.folder.open({});
    expect(await grants(keysIn(again, THERE))).toEqual([]);
  });

  test('is replicated, into regions that are served and have none', async () => {
    await using s = await regions();
    const keyId = await replicated(s);
    const to = (keys: RegionKeys, replicaRegion: string, key = keyId): Promise<unknown> =>
      keys.multiRegion.replicate({ keyId: key, replicaRegion }, use);
    expect(await message(to(s.there, THIRD))).toMatch(/:key\/mrk-[0-9a-f]{32} is not a multi-region primary key\.$/u);
    expect(await code(to(s.home, THERE))).toBe('ERR_KEYS_REPLICA_EXISTS');
    expect(await code(to(s.home, HOME))).toBe('ERR_KEYS_REPLICA_EXISTS');
    expect(await code(to(s.home, 'eu-west-9'))).toBe('ERR_KEYS_UNSUPPORTED');
    const { keyId: single } = await s.home.createKey({}, use);
    expect(await code(to(s.home, THIRD, single))).toBe('ERR_KEYS_UNSUPPORTED');
    await s.home.disableKey(keyId, use);
    expect(await code(to(s.home, THIRD))).toBe('ERR_KEYS_DISABLED');
    expect(await code(to(s.home, THIRD, 'alias/x'))).toBe('ERR_KEYS_INVALID_ID');
  });

  test('is rotated, on demand and by time, and its replicas with it', async () => {
    await using s = await regions();
    const keyId = await replicated(s);
    for (const work of [
      s.there.lifecycle.rotateOnDemand(keyId, use),
      s.there.rotateKey(keyId, use),
      s.there.lifecycle.enableRotation({ keyId, periodDays: 90 }, use),
      s.there.lifecycle.disableRotation(keyId, use),
    ])
      expect(await code(work)).toBe('ERR_KEYS_UNSUPPORTED');
    await s.home.lifecycle.enableRotation({ keyId, periodDays: 90 }, use);
    const status = await s.home.lifecycle.rotationStatus(keyId, use);
    expect(await s.there.lifecycle.rotationStatus(keyId, use)).toEqual(status);
    s.clock.ms += 91 * DAY_MS;
    expect((await s.home.runDue({ destroy: true })).rotated).toHaveLength(1);
    await s.home.lifecycle.rotateOnDemand(keyId, use);
    const page = { keyId, all: true, after: undefined, limit: 9 };
    const { items } = await s.home.lifecycle.rotations(page, use);
    expect(items.map(({ type }) => type)).toEqual([undefined, 'automatic', 'on-demand']);
    expect((await s.there.lifecycle.rotations(page, use)).items).toEqual(items);
    expect(await opens(s.there, await sealed(s.home, keyId))).toBe('done');
    await s.home.lifecycle.disableRotation(keyId, use);
    expect((await s.there.lifecycle.rotationStatus(keyId, use)).enabled).toBe(false);
  });

  test('gives its place to a replica, and decides no longer', async () => {
    await using s = await regions();
    const keyId = await replicated(s);
    await s.home.multiRegion.replicate({ keyId, replicaRegion: THIRD }, use);
    await s.home.lifecycle.enableRotation({ keyId, periodDays: 90 }, use);
    const update = (keys: RegionKeys, primaryRegion: string): Promise<void> =>
      keys.multiRegion.updatePrimaryRegion({ keyId, primaryRegion }, use);
    expect(await code(update(s.there, THERE))).toBe('ERR_KEYS_UNSUPPORTED');
    expect(await code(update(s.home, HOME))).toBe('ERR_KEYS_UNSUPPORTED');
    expect(await code(update(s.home, 'eu-west-9'))).toBe('ERR_KEYS_UNSUPPORTED');
    await s.there.disableKey(keyId, use);
    expect(await code(update(s.home, THERE))).toBe('ERR_KEYS_DISABLED');
    await s.there.enableKey(keyId, use);
    await update(s.home, THERE);
    const { multiRegion } = await s.third.describeKey(keyId, use);
    expect([multiRegion?.type, multiRegion?.primary.region]).toEqual(['replica', THERE]);
    expect(multiRegion?.replicas.map(({ region }) => region).sort()).toEqual([THIRD, HOME].sort());
    expect(await code(s.home.rotateKey(keyId, use))).toBe('ERR_KEYS_UNSUPPORTED');
    s.clock.ms += 91 * DAY_MS;
    const { rotated } = await s.home.runDue({ destroy: true });
    expect(rotated).toEqual([expect.stringContaining(`:${THERE}:`)]);
    const manager = await s.reopen();
    expect((await manager.describeKey(keyId, use)).multiRegion?.type).toBe('replica');
    expect(await opens(manager, await sealed(keysIn(manager, THERE), keyId))).toBe('done');
  });

  test('waits for its replicas to be deleted, and only then for its own time', async () => {
    await using s = await regions();
    const keyId = await replicated(s);
    const made = await sealed(s.home, keyId);
    const asked = { keyId, days: 7 };
    expect(await s.home.lifecycle.scheduleDeletion(asked, use)).toMatchObject({
      state: 'pending-replica-deletion',
      deletionDate: undefined,
    });
    expect(await s.home.describeKey(keyId, use)).toMatchObject({ state: 'pending-replica-deletion', deletionDays: 7 });
    expect(await message(s.home.multiRegion.replicate({ keyId, replicaRegion: THIRD }, use))).toMatch(
      / is pending replica deletion\.$/u,
    );
    expect(await opens(s.there, made)).toBe('done');
    s.clock.ms += 100 * DAY_MS;
    expect((await s.home.runDue({ destroy: true })).destroyed).toEqual([]);
    await s.home.lifecycle.cancelDeletion(keyId, use);
    expect(await s.home.describeKey(keyId, use)).toMatchObject({ state: 'disabled', deletionDays: undefined });
    await s.home.lifecycle.scheduleDeletion(asked, use);
    await s.there.lifecycle.scheduleDeletion(asked, use);
    s.clock.ms += 8 * DAY_MS;
    expect((await s.home.runDue({ destroy: true })).destroyed).toEqual([expect.stringContaining(`:${THERE}:`)]);
    const manager = await s.reopen();
    const { state, deletionDate, deletionDays } = await manager.describeKey(keyId, use);
    expect([state, deletionDays]).toEqual(['pending-deletion', undefined]);
    expect(Date.parse(deletionDate ?? '') - s.clock.ms).toBe(7 * DAY_MS);
    s.clock.ms += 8 * DAY_MS;
    expect((await manager.runDue({ destroy: true })).destroyed).toHaveLength(1);
    expect(await code(manager.describeKey(keyId, use))).toBe('ERR_KEYS_NOT_FOUND');
  });
});

test('A replica that was deleted can be made again, with every material there has been', async () => {
  await using s = await regions();
  const keyId = await replicated(s);
  const made = await sealed(s.there, keyId);
  await s.there.createAlias({ aliasName: 'alias/gone', keyId }, use);
  await s.there.lifecycle.scheduleDeletion({ keyId, days: 7 }, use);
  expect(await code(s.home.multiRegion.replicate({ keyId, replicaRegion: THERE }, use))).toBe(
    'ERR_KEYS_REPLICA_EXISTS',
  );
  s.clock.ms += 8 * DAY_MS;
  await s.home.runDue({ destroy: true });
  expect(await code(s.there.describeKey(keyId, use))).toBe('ERR_KEYS_NOT_FOUND');
  expect(await opens(s.home, made)).toBe('done');
  await s.home.rotateKey(keyId, use);
  await s.home.multiRegion.replicate({ keyId, replicaRegion: THERE }, use);
  const manager = await s.reopen();
  const there = keysIn(manager, THERE);
  expect(await opens(there, made)).toBe('done');
  expect((await there.describeKey(keyId, use)).aliases).toEqual([]);
});

test('Material that is held back or has leaked is so in every region', async () => {
  await using s = await regions();
  const keyId = await replicated(s);
  const made = await sealed(s.home, keyId);
  await s.there.materials.suspend({ keyId, reason: 'looked into' }, use);
  expect([await opens(s.home, made), await opens(s.there, made)]).toEqual(['ERR_KEYS_DISABLED', 'ERR_KEYS_DISABLED']);
  await s.home.materials.reactivate({ keyId, reason: 'nothing found' }, use);
  const manager = await s.reopen();
  const [here, there] = [await manager.describeKey(keyId, use), await keysIn(manager, THERE).describeKey(keyId, use)];
  expect(here.state).toBe('enabled');
  expect(there.materials).toEqual(here.materials);
});

describe('Imported material', () => {
  const bytes = randomBytes(32);

  async function external(s: Regions): Promise<string> {
    const { keyId } = await s.home.createKey({ multiRegion: true, origin: 'EXTERNAL' }, use);
    expect(await code(s.home.multiRegion.replicate({ keyId, replicaRegion: THERE }, use))).toBe(
      'ERR_KEYS_INVALID_STATE',
    );
    await importMaterial(s.home, keyId, bytes, use);
    const { key } = await s.home.multiRegion.replicate({ keyId, replicaRegion: THERE }, use);
    expect(key.state).toBe('pending-import');
    return keyId;
  }

  test('is brought to each region, the same and no other, by a token of that region', async () => {
    await using s = await regions();
    const keyId = await external(s);
    const made = await sealed(s.home, keyId);
    expect(await opens(s.there, made)).toBe('ERR_KEYS_INVALID_STATE');
    expect(await code(importMaterial(s.there, keyId, randomBytes(32), use))).toBe('ERR_KEYS_INCORRECT_MATERIAL');
    const type = 'new' as const;
    expect(await code(importMaterial(s.there, keyId, randomBytes(32), use, { type }))).toBe('ERR_KEYS_UNSUPPORTED');
    const asked = { keyId, algorithm: 'RSAES_OAEP_SHA_256', wrappingSpec: 'RSA_2048' } as const;
    const { token } = await s.home.imports.parameters(asked, use);
    const foreign = { keyId, token, wrapped: randomBytes(256), validTo: undefined };
    expect(await code(s.there.imports.importMaterial(foreign, use))).toBe('ERR_KEYS_IMPORT_TOKEN');
    const validTo = s.clock.ms + 10 * DAY_MS;
    await importMaterial(s.there, keyId, bytes, use, { validTo });
    expect(await opens(s.there, made)).toBe('done');
    expect((await s.home.describeKey(keyId, use)).expiration).toEqual({ type: 'never' });
    s.clock.ms += 11 * DAY_MS;
    expect((await s.home.runDue({ destroy: true })).expired).toEqual([expect.stringContaining(`:${THERE}:`)]);
    expect([await opens(s.home, made), await opens(s.there, made)]).toEqual(['done', 'ERR_KEYS_INVALID_STATE']);
    const manager = await s.reopen();
    await importMaterial(keysIn(manager, THERE), keyId, bytes, use);
    expect(await opens(keysIn(manager, THERE), made)).toBe('done');
  });

  test('is rotated to once every region has it', async () => {
    await using s = await regions();
    const keyId = await external(s);
    await importMaterial(s.there, keyId, bytes, use);
    const next = randomBytes(32);
    const id = await importMaterial(s.home, keyId, next, use, { type: 'new' });
    const state = async (keys: RegionKeys): Promise<unknown> =>
      (await keys.lifecycle.rotations({ keyId, all: true, after: undefined, limit: 9 }, use)).items.find(
        ({ materialId }) => materialId === id,
      )?.state;
    const awaited = 'pending-import-and-rotation';
    expect([await state(s.home), await state(s.there)]).toEqual([awaited, awaited]);
    expect(await code(s.home.lifecycle.rotateOnDemand(keyId, use))).toBe('ERR_KEYS_INVALID_STATE');
    // The primary key's is deleted, and with it what was known of it there.
    await s.home.imports.deleteMaterial({ keyId, materialId: id }, use);
    expect([await state(s.home), await state(s.there)]).toEqual([undefined, undefined]);
    await importMaterial(s.home, keyId, next, use, { type: 'new' });
    await importMaterial(s.there, keyId, next, use, { type: 'existing' });
    expect([await state(s.home), await state(s.there)]).toEqual(['pending-rotation', 'pending-rotation']);
    await s.there.imports.deleteMaterial({ keyId, materialId: id }, use);
    expect([await state(s.home), await state(s.there)]).toEqual([awaited, awaited]);
    await importMaterial(s.there, keyId, next, use, { type: 'existing' });
    await s.home.lifecycle.rotateOnDemand(keyId, use);
    expect([await state(s.home), await state(s.there)]).toEqual(['current', 'current']);
    const manager = await s.reopen();
    expect(await opens(keysIn(manager, THERE), await sealed(manager, keyId))).toBe('done');
  });
});

describe('A region that is no longer served', () => {
  test('keeps its keys, out of reach, and shares what is shared all the same', async () => {
    await using s = await regions();
    const keyId = await replicated(s);
    const manager = await s.reopen({ otherRegions: [] });
    expect(manager.inRegion(THERE)).toBeUndefined();
    const { multiRegion } = await manager.describeKey(keyId, use);
    expect(multiRegion?.replicas.map(({ region }) => region)).toEqual([THERE]);
    await manager.rotateKey(keyId, use);
    const made = await sealed(manager, keyId);
    await manager.close();
    const again = await s.folder.open({ otherRegions: [THERE] });
    expect(await opens(keysIn(again, THERE), made)).toBe('done');
  });

  test('does not become the home region by its name', async () => {
    await using s = await regions();
    await replicated(s);
    expect(await code(s.reopen({ region: THERE, otherRegions: [HOME] }))).toBe('ERR_KEYS_REGION');
  });
});
