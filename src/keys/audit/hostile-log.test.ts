/** Audit logs that somebody changed: whatever stands in one, verifying finds it, and neither that nor a start fails otherwise. */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../../test/support/keys/keys.ts';
import { KeysError } from '../errors.ts';
import { verifyAudit } from '../offline.ts';

const RUNS = 150;

/** A log of some uses, and its store, as they were when the store was closed. */
async function usedStore(keys: KeyFolder): Promise<Buffer> {
  const manager = await keys.open();
  const { keyId } = await manager.createKey({}, use);
  for (let count = 0; count < 5; count += 1) await manager.generateDataKey({ keyId, context: { a: 'ä' } }, use);
  await manager.close();
  const { storePath, audit } = keys.options;
  for (const path of [storePath, audit.path, `${audit.path}.head`]) copyFileSync(path, `${path}.good`);
  return readFileSync(audit.path);
}

function put(keys: KeyFolder, log: Uint8Array): void {
  const { storePath, audit } = keys.options;
  for (const path of [storePath, `${audit.path}.head`]) copyFileSync(`${path}.good`, path);
  for (const ending of ['-wal', '-shm']) rmSync(`${storePath}${ending}`, { force: true });
  writeFileSync(audit.path, log);
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

/** What of the log is replaced by what. */
function edits(log: Buffer): fc.Arbitrary<Buffer> {
  const lines = log.toString('utf8').split('\n');
  const put = fc.oneof(
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(...lines, '{}', '\n', '"', '"mac":"', '}', 'null').map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(`${text}\n`)),
  );
  return fc
    .tuple(fc.nat(log.length), put, fc.nat(300))
    .map(([at, bytes, gone]) => Buffer.concat([log.subarray(0, at), bytes, log.subarray(at + gone)]))
    .filter((edited) => !edited.equals(log));
}

/** The log as it was, and an unfinished line behind it, as a crash leaves one. */
function isTorn(log: Buffer, edited: Buffer): boolean {
  return edited.subarray(0, log.length).equals(log) && !edited.subarray(log.length).includes('\n');
}

/** Also what a power failure leaves of several records whose blocks reached the disk out of order: lines, and none of them a record. */
function isLeftByCrash(log: Buffer, edited: Buffer): boolean {
  if (!edited.subarray(0, log.length).equals(log)) return false;
  const lines = edited.subarray(log.length).toString('utf8').split('\n');
  return lines.slice(0, -1).every((line) => !isJson(line));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const tornBytes = (log: Buffer, edited: Buffer): number => edited.length - log.length;

test('Whatever is put in its place, verifying names a problem, or how much of a line is unfinished', async () => {
  await using keys = await keyFolder();
  const log = await usedStore(keys);
  put(keys, log);
  const good = await verifyAudit(keys.options);
  expect([good.problem, good.unfinishedBytes]).toEqual([undefined, 0]);
  await fc.assert(
    fc.asyncProperty(edits(log), async (edited) => {
      put(keys, edited);
      const { problem, unfinishedBytes, lastSeq } = await verifyAudit(keys.options);
      if (isTorn(log, edited))
        expect([problem, unfinishedBytes, lastSeq]).toEqual([undefined, tornBytes(log, edited), good.lastSeq]);
      else expect(problem).toBeDefined();
    }),
    { numRuns: RUNS },
  );
});

test('Whatever is put in its place, the key manager starts or refuses with an error of its own', async () => {
  await using keys = await keyFolder();
  const log = await usedStore(keys);
  await fc.assert(
    fc.asyncProperty(edits(log), async (edited) => {
      put(keys, edited);
      const code = await codeOf(async () => (await keys.open()).close());
      expect(code).toMatch(/^fine$|^ERR_KEYS_AUDIT_/u);
      // What a crash leaves is put right. Of what lies before the remembered end a start reads the last record alone; verifying finds the rest.
      const { problem } = await verifyAudit(keys.options);
      if (isLeftByCrash(log, edited)) expect([code, problem]).toEqual(['fine', undefined]);
      else expect(problem).toBeDefined();
    }),
    { numRuns: RUNS },
  );
});
