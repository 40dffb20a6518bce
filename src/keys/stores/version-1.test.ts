import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { TEST_USE as use, testPorts } from '../../../test/support/keys.ts';
import type { KeyDescription } from '../key-admin.ts';
import { openKeyManager } from '../key-manager.ts';
import { readKeys } from '../offline.ts';
import type { KeyManagerOptions } from '../options.ts';

type Frozen = {
  readonly region: string;
  readonly account: string;
  readonly keys: readonly KeyDescription[];
  readonly wrapped: readonly {
    readonly wrapped: string;
    readonly context: Record<string, string>;
    readonly dek: string;
  }[];
  readonly files: Readonly<Record<string, string>>;
};

const VECTOR = join(import.meta.dirname, '../../../test/vectors/key-store-v1.json');
// Written by version 1 once, and read as it was written.
const frozen = JSON.parse(readFileSync(VECTOR, 'utf8')) as Frozen;

async function withStore(work: (options: KeyManagerOptions) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-v1-'));
  try {
    for (const [name, file] of Object.entries(frozen.files))
      writeFileSync(join(folder, name), inflateRawSync(Buffer.from(file, 'base64')), { mode: 0o600 });
    await work({
      storePath: join(folder, 'keys.sqlite'),
      unseal: [{ type: 'key-file', path: join(folder, 'root.key') }],
      region: frozen.region,
      account: frozen.account,
      audit: { path: join(folder, 'audit.log'), durability: 'write' },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('A store of schema version 1 opens, its keys are as they were, and what they wrapped opens', async () => {
  await withStore(async (options) => {
    const manager = await openKeyManager(options, testPorts);
    for (const key of frozen.keys) expect(await manager.describeKey(key.keyId, use)).toMatchObject(key);
    for (const { wrapped, context, dek } of frozen.wrapped) {
      const opened = await manager.decrypt({ wrapped: Buffer.from(wrapped, 'base64'), context }, use);
      expect(opened.dek.export().toString('base64')).toBe(dek);
    }
    expect(await manager.escrowed('database')).toHaveLength(1);
    await manager.close();
  });
});

test('What a key has since schema version 2 is absent at first, can be set, and is kept', async () => {
  await withStore(async (options) => {
    const keyId = frozen.keys[0]?.keyId ?? '';
    const first = await openKeyManager(options, testPorts);
    expect(await first.lifecycle.rotationStatus(keyId, use)).toMatchObject({ enabled: false });
    expect((await first.settings.listTags({ keyId, after: undefined, limit: 50 }, use)).items).toEqual([]);
    expect(await first.settings.getPolicy(keyId, use)).toContain('key-default-1');
    const rotations = await first.lifecycle.rotations({ keyId, all: false, after: undefined, limit: 10 }, use);
    expect(rotations.items).toMatchObject([{ isCurrent: true, type: 'on-demand' }]);
    await first.settings.tagKey({ keyId, tags: [{ key: 'team', value: 'a' }] }, use);
    await first.lifecycle.enableRotation({ keyId, periodDays: 90 }, use);
    await first.close();
    const second = await openKeyManager(options, testPorts);
    expect((await second.settings.listTags({ keyId, after: undefined, limit: 50 }, use)).items).toHaveLength(1);
    expect(await second.lifecycle.rotationStatus(keyId, use)).toMatchObject({ enabled: true, periodDays: 90 });
    await second.close();
  });
});

test('A reader of a store of schema version 1 reads it and leaves it of version 1', async () => {
  await withStore(async (options) => {
    const before = readFileSync(options.storePath);
    expect(await readKeys(options)).toMatchObject(frozen.keys.toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1)));
    expect(readFileSync(options.storePath)).toEqual(before);
  });
});
