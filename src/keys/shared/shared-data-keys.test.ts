import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE } from '../../../test/support/keys/keys.ts';
import { pipePair } from '../../../test/support/keys/pipe-pair.ts';
import { decodeContext, encodeContext } from '../../envelope/encryption-context.ts';
import type { KeyManager } from '../key-manager.ts';
import type { DataKey, KeyUse } from '../uses/data-keys.ts';
import { AskedDataKeys } from './asked-data-keys.ts';
import { ServedDataKeys } from './serve-data-keys.ts';

const LIMITS = { maxAgeMs: 60_000, maxUses: 1000, maxEntries: 100 };
const use = { ...TEST_USE, via: 's3', resource: 's3://bucket/key' } as const;
const context = Object.freeze({ 'aws:s3:arn': 'arn:aws:s3:::bucket/key' });

/** A key manager, and two others that ask it over pipes. */
async function shared() {
  const folder = await keyFolder();
  const served: ServedDataKeys[] = [];
  const manager: KeyManager = await folder.open({}, { deksDropped: () => served.forEach((one) => one.dropDeks()) });
  const ends: string[] = [];
  const ask = async (name: string): Promise<AskedDataKeys> => {
    const [owner, worker] = await pipePair();
    served.push(new ServedDataKeys(manager, owner, () => ends.push(`${name} gone`)));
    return new AskedDataKeys(worker, { cache: LIMITS, now: Date.now, ended: () => ends.push(`${name} alone`) });
  };
  const [one, two] = [await ask('one'), await ask('two')];
  const { keyId } = await manager.createKey({}, TEST_USE);
  const records = (action: string): readonly string[] =>
    readFileSync(folder.options.audit.path, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`"${action}"`));
  const dispose = async (): Promise<void> => {
    one.close();
    two.close();
    await folder[Symbol.asyncDispose]();
  };
  return { manager, one, two, keyId, records, served, ends, [Symbol.asyncDispose]: dispose };
}

const bytesOf = ({ dek }: DataKey): string => dek.export().toString('hex');

test('A data key made for one process is opened by another, and every use is decided and recorded by the owner', async () => {
  await using s = await shared();
  const made = await s.one.generateDataKey({ keyId: s.keyId, context }, use);
  for (let times = 0; times < 3; times += 1) {
    const opened = await s.two.decrypt({ wrapped: made.wrapped, context }, use);
    expect([bytesOf(opened), opened.keyArn]).toEqual([bytesOf(made), made.keyArn]);
  }
  // The third came from the second process's own cache; it is recorded like the others.
  expect([s.records('GenerateDataKey').length, s.records('Decrypt').length]).toEqual([1, 3]);
  expect(s.records('Decrypt')[2]).toContain('s3://bucket/key');
});

test('Wrong context, wrong key and damaged bytes are refused with the owner’s own codes, each time', async () => {
  await using s = await shared();
  const { wrapped } = await s.one.generateDataKey({ keyId: s.keyId, context }, use);
  await s.one.decrypt({ wrapped, context }, use);
  const other = await s.manager.createKey({}, TEST_USE);
  const damaged = Uint8Array.from(wrapped).fill(1, 80, 90);
  for (let times = 0; times < 2; times += 1) {
    await expect(s.one.decrypt({ wrapped, context: { a: 'b' } }, use)).rejects.toMatchObject({
      code: 'ERR_KEYS_CIPHERTEXT_INVALID',
      name: 'KeysError',
    });
    await expect(s.one.decrypt({ wrapped, context, keyId: other.keyId }, use)).rejects.toMatchObject({
      code: 'ERR_KEYS_INCORRECT_KEY',
    });
    await expect(s.one.decrypt({ wrapped: damaged, context }, use)).rejects.toMatchObject({
      code: 'ERR_KEYS_CIPHERTEXT_INVALID',
    });
  }
  await expect(s.one.generateDataKey({ keyId: 'alias/none', context }, use)).rejects.toMatchObject({
    code: 'ERR_KEYS_NOT_FOUND',
  });
});

test('A key disabled by its owner is of no use to a process that holds its DEK, from the next use on', async () => {
  await using s = await shared();
  const { wrapped } = await s.one.generateDataKey({ keyId: s.keyId, context }, use);
  await s.two.decrypt({ wrapped, context }, use);
  await s.manager.disableKey(s.keyId, TEST_USE);
  await expect(s.two.decrypt({ wrapped, context }, use)).rejects.toMatchObject({ code: 'ERR_KEYS_DISABLED' });
  await s.manager.enableKey(s.keyId, TEST_USE);
  expect(await s.two.decrypt({ wrapped, context }, use)).toBeDefined();
});

test('A wrapped key whose bytes are changed in place is another one', async () => {
  await using s = await shared();
  const { wrapped } = await s.one.generateDataKey({ keyId: s.keyId, context }, use);
  await s.one.decrypt({ wrapped, context }, use);
  wrapped.fill(7, 90, 100);
  await expect(s.one.decrypt({ wrapped, context }, use)).rejects.toMatchObject({ code: 'ERR_KEYS_CIPHERTEXT_INVALID' });
});

test('Contexts arrive as they are, names of every kind among them', async () => {
  await using s = await shared();
  const odd = decodeContext(encodeContext(JSON.parse('{"__proto__":"p","constructor":"c","":"empty","é":"ü\\u0001"}')));
  const { wrapped, dek } = await s.one.generateDataKey({ keyId: s.keyId, context: odd }, use);
  const direct = await s.manager.decrypt({ wrapped, context: odd }, use);
  expect(bytesOf(direct)).toBe(dek.export().toString('hex'));
});

test('Escrow, re-encryption, service keys and names of keys are the owner’s', async () => {
  await using s = await shared();
  const { wrapped } = await s.one.generateDataKey({ keyId: s.keyId, context }, use);
  const record = { dekId: new Uint8Array(16).fill(9), owner: 'database', wrapped, context };
  await s.one.escrow(record, use);
  const [kept] = await s.two.escrowed('database');
  expect(kept).toEqual({ ...record, context: { ...context } });
  const moved = await s.two.reEncrypt(
    { wrapped, sourceContext: context, destinationKeyId: s.keyId, destinationContext: { other: 'place' } },
    use,
  );
  expect(bytesOf(await s.one.decrypt({ wrapped: moved.wrapped, context: { other: 'place' } }, use))).toBe(
    bytesOf(await s.one.decrypt({ wrapped, context }, use)),
  );
  expect(await s.one.readUnsealed({ keyId: s.keyId, context }, use)).toBe(await s.manager.resolveKey(s.keyId));
  expect(await s.one.resolveKey(s.keyId)).toBe(await s.manager.resolveKey(s.keyId));
  const [here, there] = [await s.one.serviceKey('test'), await s.manager.serviceKey('test')];
  expect([here.epoch, here.key.export()]).toEqual([there.epoch, there.key.export()]);
});

test('When the owner goes, whoever waits is told, and nobody is kept waiting after', async () => {
  await using s = await shared();
  const { wrapped } = await s.one.generateDataKey({ keyId: s.keyId, context }, use);
  const waiting = s.one.decrypt({ wrapped, context }, use);
  for (const one of s.served) one.close();
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_KEYS_OWNER' });
  await expect(s.one.decrypt({ wrapped, context }, use)).rejects.toMatchObject({ code: 'ERR_KEYS_OWNER' });
  await expect.poll(() => [...s.ends].sort()).toEqual(['one alone', 'one gone', 'two alone', 'two gone']);
});

test('A context that is none is refused by the owner, by its code, and is on record', async () => {
  await using s = await shared();
  const { wrapped } = await s.one.generateDataKey({ keyId: s.keyId, context }, use);
  for (const odd of [{ a: 'x'.repeat(100_000) }, { a: '\ud800' }]) {
    const before = s.records('Decrypt').length;
    const code = await s.manager.decrypt({ wrapped, context: odd }, use).catch((error: { code: string }) => error.code);
    expect(code).toMatch(/^ERR_KEYS_/u);
    await expect(s.one.decrypt({ wrapped, context: odd }, use)).rejects.toMatchObject({ code });
    expect(s.records('Decrypt')).toHaveLength(before + 2);
  }
});

test('Uses that come again are decided and recorded each, as whose they are, by the owner; those of one moment together', async () => {
  await using s = await shared();
  const { wrapped } = await s.one.generateDataKey({ keyId: s.keyId, context }, use);
  const uses = ['one', 'two', 'three'].map((name) =>
    Object.freeze({
      principal: `arn:aws:iam::000000000000:user/${name}`,
      via: 'postgres',
      resource: `shop.public.t.${name}`,
    } as const),
  );
  const decrypt = (by: AskedDataKeys, as: KeyUse): Promise<DataKey> =>
    by.decrypt({ wrapped, context, keyId: s.keyId }, as);
  const all = (by: AskedDataKeys): Promise<readonly DataKey[]> => Promise.all(uses.map((as) => decrypt(by, as)));
  const direct = bytesOf(await s.manager.decrypt({ wrapped, context }, use));
  const before = s.records('Decrypt').length;
  for (let times = 0; times < 4; times += 1)
    for (const by of [s.one, s.two]) expect((await all(by)).map(bytesOf)).toEqual([direct, direct, direct]);
  const said = s
    .records('Decrypt')
    .slice(before)
    .map((line) => JSON.parse(line) as Record<string, string>);
  const sayings = (name: string) => said.filter(({ resource }) => resource === `shop.public.t.${name}`);
  for (const name of ['one', 'two', 'three']) {
    expect(sayings(name)).toHaveLength(8);
    expect(
      new Set(sayings(name).map(({ principal, key, via, result }) => [principal, key, via, result].join())),
    ).toEqual(
      new Set([`arn:aws:iam::000000000000:user/${name},${await s.manager.resolveKey(s.keyId)},postgres,success`]),
    );
  }
  await s.manager.disableKey(s.keyId, TEST_USE);
  const refused = await Promise.allSettled([...uses, ...uses].map((as) => decrypt(s.one, as)));
  expect(refused).toMatchObject(refused.map(() => ({ status: 'rejected', reason: { code: 'ERR_KEYS_DISABLED' } })));
  expect(s.records('Decrypt').filter((line) => line.includes('ERR_KEYS_DISABLED'))).toHaveLength(6);
  await s.manager.enableKey(s.keyId, TEST_USE);
  expect((await all(s.one)).map(bytesOf)).toEqual([direct, direct, direct]);
});

test('What the owner has forgotten is asked in full: more uses than it keeps names for', async () => {
  await using s = await shared();
  const { wrapped } = await s.one.generateDataKey({ keyId: s.keyId, context }, use);
  const useOf = (n: number): KeyUse =>
    Object.freeze({ ...TEST_USE, via: 'postgres', resource: `shop.public.t.c${n}` } as const);
  const first = useOf(0);
  const decrypt = (as: KeyUse): Promise<DataKey> => s.one.decrypt({ wrapped, context }, as);
  await decrypt(first);
  await decrypt(first);
  for (let n = 1; n <= 10_000; n += 500)
    await Promise.all(Array.from({ length: 500 }, (_, i) => decrypt(useOf(n + i))));
  expect(bytesOf(await decrypt(first))).toBe(bytesOf(await s.manager.decrypt({ wrapped, context }, use)));
  expect(s.records('Decrypt').filter((line) => line.includes('"shop.public.t.c0"'))).toHaveLength(3);
});
