import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { keyFolder, testPorts } from '../../../test/support/keys/keys.ts';
import { createKeyStore, openKeyManager } from '../key-manager.ts';
import type { UnsealSecret } from '../options.ts';
import { createKeyFile, readKeyFile } from './key-file.ts';
import { makeSlot, openSlots, type Slot } from './slots.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealgate-slots-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string): string => join(folder, name);
const { random } = testPorts;
const phrase = (text: string): UnsealSecret => ({ type: 'passphrase', read: () => new Uint8Array(Buffer.from(text)) });
const keyFile = (name: string): UnsealSecret => ({ type: 'key-file', path: file(name) });
const purpose = { type: 'root', id: new Uint8Array(16).fill(1) } as const;
const target = new Uint8Array(32).fill(9);

createKeyFile(file('a.key'), random);
createKeyFile(file('b.key'), random);
const PASSPHRASE = 'correct horse battery staple';

describe('slots', () => {
  test('Each of several secrets opens the same target, alone', async () => {
    const secrets = [keyFile('a.key'), phrase(PASSPHRASE), keyFile('b.key')];
    const slots: Slot[] = [];
    for (const secret of secrets) slots.push(await makeSlot(secret, target, purpose, '', random));
    for (const secret of secrets) expect([...(await openSlots(slots, [secret], purpose))]).toEqual([...target]);
    for (const [n, secret] of secrets.entries()) {
      const others = slots.filter((_, at) => at !== n);
      await expect(openSlots(others, [secret], purpose)).rejects.toMatchObject({ code: 'ERR_KEYS_UNSEAL_FAILED' });
    }
  });

  test('A slot does not open for another store, as another purpose, or with anything in it changed', async () => {
    const slot = await makeSlot(keyFile('a.key'), target, purpose, 'label', random);
    const open = (changed: Partial<Slot>, where: Parameters<typeof openSlots>[2] = purpose): Promise<Uint8Array> =>
      openSlots([{ ...slot, ...changed }], [keyFile('a.key')], where);
    const failed = { code: 'ERR_KEYS_UNSEAL_FAILED' };
    await expect(open({}, { type: 'root', id: new Uint8Array(16) })).rejects.toMatchObject(failed);
    await expect(open({}, { ...purpose, type: 'backup' })).rejects.toMatchObject(failed);
    await expect(open({ label: 'other' })).rejects.toMatchObject(failed);
    await expect(open({ params: '{}' })).rejects.toMatchObject(failed);
    await expect(open({ slotId: slot.slotId.replace(/.$/, (end) => (end === '0' ? '1' : '0')) })).rejects.toMatchObject(
      failed,
    );
    for (let at = 0; at < slot.wrapped.length; at += 5) {
      const wrapped = Uint8Array.from(slot.wrapped);
      wrapped[at] = (wrapped[at] ?? 0) ^ 1;
      await expect(open({ wrapped })).rejects.toMatchObject(failed);
    }
  });

  test('A wrong passphrase opens nothing; a trailing line end does not matter', async () => {
    const slot = await makeSlot(phrase(PASSPHRASE), target, purpose, '', random);
    await expect(openSlots([slot], [phrase('correct horse battery stable')], purpose)).rejects.toMatchObject({
      code: 'ERR_KEYS_UNSEAL_FAILED',
      message: 'the passphrase: opens none of 1 slot(s)',
    });
    await expect(openSlots([slot], [keyFile('b.key')], purpose)).rejects.toMatchObject({
      code: 'ERR_KEYS_UNSEAL_FAILED',
      message: `key file ${file('b.key')}: opens none of 1 slot(s)`,
    });
    writeFileSync(file('phrase'), `${PASSPHRASE}\r\n`, { mode: 0o600 });
    expect([...(await openSlots([slot], [{ type: 'passphrase-file', path: file('phrase') }], purpose))]).toEqual([
      ...target,
    ]);
  });

  test.each([
    ['memoryKiB', 8],
    ['memoryKiB', 64 * 1024 * 1024],
    ['passes', 0],
    ['passes', 1_000_000],
    ['parallelism', 0],
    ['parallelism', 255],
    ['memoryKiB', 65_536.5],
    ['kdf', 'argon2d'],
    ['salt', 'short'],
    ['extra', 1],
  ])('argon2id parameters with %s = %s are refused before they run', async (name, value) => {
    const slot = await makeSlot(phrase(PASSPHRASE), target, purpose, '', random);
    const params = JSON.stringify({ ...(JSON.parse(slot.params) as object), [name]: value });
    await expect(openSlots([{ ...slot, params }], [phrase(PASSPHRASE)], purpose)).rejects.toMatchObject({
      code: 'ERR_KEYS_SLOT_PARAMETERS',
    });
  });

  test('A slot with bad parameters does not keep another from opening', async () => {
    const bad = { ...(await makeSlot(phrase(PASSPHRASE), target, purpose, '', random)), params: 'not json' };
    const good = await makeSlot(phrase(PASSPHRASE), target, purpose, '', random);
    expect([...(await openSlots([bad, good], [phrase(PASSPHRASE)], purpose))]).toEqual([...target]);
  });

  test('A store with two slots opens with either secret', async () => {
    await using keys = await keyFolder();
    const options = {
      ...keys.options,
      storePath: keys.path('two.sqlite'),
      audit: { path: keys.path('two.log'), durability: 'write' as const },
    };
    const secrets = [keyFile('a.key'), phrase(PASSPHRASE)];
    await createKeyStore({ ...options, unseal: secrets }, testPorts);
    for (const secret of secrets) await (await openKeyManager({ ...options, unseal: [secret] }, testPorts)).close();
    const absent: UnsealSecret = { type: 'key-file', path: file('on-a-stick.key') };
    await (await openKeyManager({ ...options, unseal: [absent, phrase(PASSPHRASE)] }, testPorts)).close();
    const neither = openKeyManager({ ...options, unseal: [absent] }, testPorts);
    await expect(neither).rejects.toMatchObject({ code: 'ERR_KEYS_SECRET_UNREADABLE' });
  });
});

describe('secret files', () => {
  test('A key file that exists is never written over', () => {
    expect(() => createKeyFile(file('a.key'), random)).toThrow(
      expect.objectContaining({ code: 'ERR_KEYS_SECRET_EXISTS' }),
    );
  });

  test.each([0o604, 0o620, 0o644, 0o666, 0o660])(
    'A key file of mode %o is refused, even where another secret would do',
    async (mode) => {
      createKeyFile(file(`mode-${mode}.key`), random);
      chmodSync(file(`mode-${mode}.key`), mode);
      const slot = await makeSlot(keyFile('a.key'), target, purpose, '', random);
      const opening = openSlots([slot], [keyFile(`mode-${mode}.key`), keyFile('a.key')], purpose);
      await expect(opening).rejects.toMatchObject({ code: 'ERR_KEYS_SECRET_PERMISSIONS' });
    },
  );

  test('A key file with any byte changed, cut or longer is refused', () => {
    const whole = readFileSync(file('a.key'));
    const variants = [whole.subarray(0, 63), Buffer.concat([whole, Buffer.from('\n')]), Buffer.alloc(0)];
    for (let at = 0; at < whole.length; at++) {
      const bad = Buffer.from(whole);
      bad[at] = (bad[at] ?? 0) ^ 4;
      variants.push(bad);
    }
    for (const bytes of variants) {
      writeFileSync(file('bad.key'), bytes, { mode: 0o600 });
      expect(() => readKeyFile(file('bad.key'))).toThrow(
        expect.objectContaining({ code: 'ERR_KEYS_SECRET_UNREADABLE' }),
      );
    }
  });

  test('A short passphrase is refused', async () => {
    await expect(makeSlot(phrase('tooshort'), target, purpose, '', random)).rejects.toMatchObject({
      code: 'ERR_KEYS_SECRET_UNREADABLE',
    });
  });
});
