/** HMAC keys at rest: a store made now, and the frozen one, give the same MACs for ever, and as docs/KEYSTORE.md says. */
import { createHmac } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, testPorts } from '../../../test/support/keys/keys.ts';
import { macStoreOptions, makeMacKeyStore, type MacFacts } from '../../../test/support/keys/make-mac-keystore.ts';
import { naiveRead, naiveStore } from '../../../test/support/keys/naive-keystore.ts';
import { openKeyManager } from '../key-manager.ts';

const VECTOR = fileURLToPath(new URL('../../../test/vectors/mac-keystore', import.meta.url));

type Opened = { readonly folder: string; readonly facts: MacFacts; readonly [Symbol.dispose]: () => void };

async function opened(which: 'made now' | 'frozen'): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-macs-'));
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  if (which === 'made now') return { folder, facts: await makeMacKeyStore(folder), [Symbol.dispose]: dispose };
  cpSync(VECTOR, folder, { recursive: true });
  // Git does not keep modes.
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o600);
  // Written by make-mac-keystore.ts.
  const facts = JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8')) as MacFacts;
  return { folder, facts, [Symbol.dispose]: dispose };
}

describe.each(['made now', 'frozen'] as const)('A store of HMAC keys, %s,', (which) => {
  test('gives its MACs again', async () => {
    using store = await opened(which);
    const manager = await openKeyManager(macStoreOptions(store.folder), testPorts);
    const message = Buffer.from(store.facts.message);
    for (const { keyId, algorithm, mac } of store.facts.macs) {
      const made = await manager.macs.generate({ keyId, message, algorithm }, use);
      expect(Buffer.from(made.mac).toString('hex')).toBe(mac);
      await manager.macs.verify({ keyId, message, algorithm, mac: Buffer.from(mac, 'hex') }, use);
    }
    await manager.close();
  });

  test('is read by the naive reader, whose MACs are the same', async () => {
    using store = await opened(which);
    const { folder, facts } = store;
    const { materials } = await naiveStore(join(folder, 'store.sqlite'), {
      keyFile: naiveRead(join(folder, 'root.key')),
    });
    const computed = [...materials.values()].flatMap((material) =>
      facts.macs.map(({ algorithm }) =>
        createHmac(algorithm.replace('HMAC_SHA_', 'sha'), material).update(facts.message).digest('hex'),
      ),
    );
    for (const { mac } of facts.macs) expect(computed).toContain(mac);
  });
});

test.each([
  ['spec', 'SYMMETRIC_DEFAULT'],
  ['spec', 'HMAC_512'],
  ['spec', 'RSA_2048'],
  ['usage', 'ENCRYPT_DECRYPT'],
])('A key whose %s was changed to %s in the file is refused', async (column, value) => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  await manager.createKey({ spec: 'HMAC_256' }, use);
  await manager.close();
  const database = new DatabaseSync(keys.options.storePath);
  database.prepare(`UPDATE keys SET ${column} = ?`).run(value);
  database.close();
  await expect(keys.open()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_KEYS_STORE_/u) });
});

test('A rule that names an HMAC key is told so before anything is sealed', async () => {
  await using keys = await keyFolder();
  const manager = await keys.open();
  const { keyId } = await manager.createKey({ spec: 'HMAC_256' }, use);
  await expect(manager.resolveKey(keyId)).rejects.toMatchObject({ code: 'ERR_KEYS_KEY_USAGE' });
  await expect(manager.generateDataKey({ keyId, context: {} }, use)).rejects.toMatchObject({
    code: 'ERR_KEYS_KEY_USAGE',
  });
});
