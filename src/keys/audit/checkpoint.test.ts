/** Checkpoints: what the public key alone can prove, and what it cannot. */
import { createHash } from 'node:crypto';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../../test/support/keys/keys.ts';
import { naiveAudit, naiveStore } from '../../../test/support/keys/naive-keystore.ts';
import { CHECKPOINT_RECORDS } from '../limits.ts';
import { verifyAudit } from '../offline.ts';
import { verifyAttestedLog, type AuditReport } from './verify.ts';

type Line = Record<string, unknown>;
const linesOf = ({ options }: KeyFolder): string[] => readFileSync(options.audit.path, 'utf8').trimEnd().split('\n');
const parsed = (line = ''): Line => JSON.parse(line) as Line;
const actionsOf = (keys: KeyFolder): unknown[] => linesOf(keys).map((line) => parsed(line)['action']);
const write = ({ options }: KeyFolder, lines: readonly string[]): void =>
  writeFileSync(options.audit.path, lines.map((line) => `${line}\n`).join(''));

/** Four records of two changes, and the checkpoint of a clean end. */
async function someChanges(keys: KeyFolder): Promise<string> {
  const manager = await keys.open();
  await manager.createKey({}, use);
  await manager.createKey({}, use);
  await manager.close();
  return (await verifyAudit(keys.options)).checkpointKey;
}

const attested = ({ options }: KeyFolder, key: string): AuditReport =>
  verifyAttestedLog(options.audit.path, Buffer.from(key, 'hex'));

describe('a checkpoint is written', () => {
  test('when the log is closed, and not where nothing was written since the last', async () => {
    await using keys = await keyFolder();
    await someChanges(keys);
    await (await keys.open()).close();
    expect(actionsOf(keys)).toEqual(['CreateKey', 'CreateKey', 'CreateKey', 'CreateKey', 'AuditCheckpoint']);
    expect(await verifyAudit(keys.options)).toMatchObject({ checkpoints: 1, attestedSeq: 4, problem: undefined });
  });

  test('exactly as docs/KEYSTORE.md says', async () => {
    await using keys = await keyFolder();
    await someChanges(keys);
    const read = (path: string): Uint8Array => Uint8Array.from(readFileSync(path));
    const store = await naiveStore(keys.options.storePath, { keyFile: read(keys.path('root.key')) });
    expect(naiveAudit(read(keys.options.audit.path), store)).toHaveLength(5);
  });

  test(`after ${CHECKPOINT_RECORDS} records`, async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const describing = Array.from({ length: CHECKPOINT_RECORDS }, () => manager.describeKey(keyId, use));
    await Promise.all(describing);
    expect(actionsOf(keys).filter((action) => action === 'AuditCheckpoint')).toHaveLength(1);
    expect(await verifyAudit(keys.options)).toMatchObject({ checkpoints: 1, problem: undefined });
  });

  test('when a minute has passed', async () => {
    await using keys = await keyFolder();
    let minutes = 0;
    const manager = await keys.open({}, { now: () => Date.now() + minutes * 60_000 });
    await manager.createKey({}, use);
    minutes = 1;
    await expect.poll(() => actionsOf(keys).at(-1)).toBe('AuditCheckpoint');
    expect(await verifyAudit(keys.options)).toMatchObject({ checkpoints: 1, attestedSeq: 2, problem: undefined });
  });
});

describe('with the public key alone', () => {
  test('a log that was only added to is as it was signed, and what was added is not proven', async () => {
    await using keys = await keyFolder();
    const key = await someChanges(keys);
    expect(attested(keys, key)).toMatchObject({ attestedSeq: 4, lastSeq: 5, problem: undefined });
    const manager = await keys.open();
    await manager.createKey({}, use);
    expect(attested(keys, key)).toMatchObject({ attestedSeq: 4, lastSeq: 7, problem: undefined });
  });

  test.each([0, 1, 2, 3])('a change of record %i is found', async (index) => {
    await using keys = await keyFolder();
    const key = await someChanges(keys);
    write(
      keys,
      linesOf(keys).map((line, n) => (n === index ? line.replace('"principal":"', '"principal":"x') : line)),
    );
    expect(attested(keys, key).problem).toMatchObject({ type: 'broken-chain', line: index + 2 });
  });

  test('a log chained anew over a change is found by its checkpoint', async () => {
    await using keys = await keyFolder();
    const key = await someChanges(keys);
    let previous = '0'.repeat(64);
    const forged = linesOf(keys).map((line, index) => {
      const record = parsed(line);
      const principal = index === 0 ? 'somebody else' : record['principal'];
      const again = JSON.stringify({ ...record, principal, prevHash: previous });
      previous = createHash('sha256').update(again).digest('hex');
      return again;
    });
    write(keys, forged);
    expect(attested(keys, key).problem).toMatchObject({ type: 'bad-checkpoint', line: 5, seq: 5 });
  });

  test('a record taken out, and a line that is no record, are found', async () => {
    await using keys = await keyFolder();
    const key = await someChanges(keys);
    const lines = linesOf(keys);
    write(keys, lines.toSpliced(1, 1));
    expect(attested(keys, key).problem).toMatchObject({ type: 'broken-chain', line: 2 });
    write(keys, lines.toSpliced(1, 0, '{}'));
    expect(attested(keys, key).problem).toMatchObject({ type: 'bad-record', line: 2 });
  });

  test('the checkpoints of another store are not of this key', async () => {
    await using keys = await keyFolder();
    await using others = await keyFolder();
    const key = await someChanges(keys);
    await someChanges(others);
    expect(attested(others, key).problem).toMatchObject({ type: 'bad-checkpoint' });
  });

  test.each(['signature', 'store'])('a checkpoint with another %s, or with none, is found', async (member) => {
    await using keys = await keyFolder();
    const key = await someChanges(keys);
    const lines = linesOf(keys);
    const last = parsed(lines.at(-1));
    const detail = last['detail'] as Record<string, string>;
    const changed = { ...detail, [member]: (detail[member] ?? '').replace(/^./, (c) => (c === 'a' ? 'b' : 'a')) };
    for (const other of [changed, { ...detail, [member]: undefined }, {}]) {
      write(keys, [...lines.slice(0, -1), JSON.stringify({ ...last, detail: other })]);
      expect(attested(keys, key).problem).toMatchObject({ type: 'bad-checkpoint', line: 5, seq: 5 });
    }
  });

  test('a log cut off after a checkpoint says how far it goes; the store knows that more was written', async () => {
    await using keys = await keyFolder();
    const key = await someChanges(keys);
    const length = readFileSync(keys.options.audit.path).length;
    await someChanges(keys);
    truncateSync(keys.options.audit.path, length);
    expect(attested(keys, key)).toMatchObject({ attestedSeq: 4, lastSeq: 5, problem: undefined });
    expect((await verifyAudit(keys.options)).problem).toMatchObject({ type: 'truncated', rememberedSeq: 10 });
  });
});
