/** The small files beside a store, and its backups, with anything in them: a start or a check goes on, or ends in an error of ours. */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, testPorts, type KeyFolder } from '../../test/support/keys/keys.ts';
import { restoreBackup, verifyBackup } from './backup/restore.ts';
import { KeysError } from './errors.ts';

const context = { a: 'b' };
const GOOD = '.good';
const LIFE = { profile: 'aws', recipientEnd: 'warn', rules: [{ reason: 'test', maxOperations: 1000 }] } as const;

type Used = { readonly wrapped: Uint8Array; readonly backup: string };

/** A store of some uses, with every file that one has, and a backup; each as it was when the store was closed. */
async function used(keys: KeyFolder): Promise<Used> {
  const manager = await keys.open({ life: LIFE });
  const { keyId } = await manager.createKey({}, use);
  const { wrapped } = await manager.generateDataKey({ keyId, context }, use);
  const backup = keys.path('store.backup');
  await manager.backup({ path: backup }, use);
  await manager.close();
  for (const name of readdirSync(keys.folder)) copyFileSync(keys.path(name), keys.path(`${name}${GOOD}`));
  return { wrapped, backup };
}

/** All files as they were, but for one. */
function put(keys: KeyFolder, name: string, bytes: Uint8Array): void {
  for (const each of readdirSync(keys.folder))
    if (!each.endsWith(GOOD)) {
      if (existsSync(keys.path(`${each}${GOOD}`))) copyFileSync(keys.path(`${each}${GOOD}`), keys.path(each));
      else rmSync(keys.path(each), { recursive: true });
    }
  writeFileSync(keys.path(name), bytes);
}

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'fine';
  } catch (error) {
    if (error instanceof KeysError) return error.code;
    throw error;
  }
}

/** Other bytes altogether, or the file's own, cut, changed or longer. */
function edits(good: Buffer): fc.Arbitrary<Buffer> {
  const short = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  const spliced = fc
    .tuple(fc.nat(good.length), short, fc.nat(60))
    .map(([at, bytes, gone]) => Buffer.concat([good.subarray(0, at), bytes, good.subarray(at + gone)]));
  const large = fc.constantFrom(0, 0xff, 0x7b).map((byte) => Buffer.alloc(2000, byte));
  return fc.oneof(
    { weight: 4, arbitrary: spliced },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: large },
  );
}

test.each(['keys.sqlite.epoch', 'audit.log.head', 'audit.log.uses', 'root.key'])(
  'Whatever stands in %s, the key manager starts and opens what it did, or refuses with an error of its own',
  async (name) => {
    await using keys = await keyFolder();
    const { wrapped } = await used(keys);
    const good = readFileSync(keys.path(`${name}${GOOD}`));
    await fc.assert(
      fc.asyncProperty(edits(good), async (edited) => {
        put(keys, name, edited);
        const code = await codeOf(async () => {
          const manager = await keys.open({ life: LIFE });
          try {
            await manager.decrypt({ wrapped, context }, use);
          } finally {
            await manager.close();
          }
        });
        expect(code).toMatch(/^fine$|^ERR_KEYS_/u);
      }),
      { numRuns: 60 },
    );
  },
);

test('Whatever stands in a backup, it verifies just where it is whole, and what it does not is restored nowhere', async () => {
  await using keys = await keyFolder();
  const { backup } = await used(keys);
  const good = readFileSync(backup);
  expect(await codeOf(() => verifyBackup(backup, keys.options.unseal))).toBe('fine');
  const restored = keys.path('restored.sqlite');
  await fc.assert(
    fc.asyncProperty(edits(good), async (edited) => {
      writeFileSync(backup, edited);
      const code = await codeOf(() => verifyBackup(backup, keys.options.unseal));
      if (edited.equals(good)) return void expect(code).toBe('fine');
      expect(code).toMatch(/^ERR_KEYS_/u);
      const store = { ...keys.options, storePath: restored };
      expect(await codeOf(() => restoreBackup({ backupPath: backup, secrets: [], store }, testPorts))).toMatch(
        /^ERR_KEYS_/u,
      );
      expect(existsSync(restored)).toBe(false);
    }),
    { numRuns: 100 },
  );
});
