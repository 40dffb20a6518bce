import { createSecretKey } from 'node:crypto';
import { appendFileSync, closeSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../../test/support/keys/keys.ts';
import { takeEd25519Seed } from '../../crypto/ed25519.ts';
import { MAX_AUDIT_BATCH_RECORDS } from '../limits.ts';
import { verifyAudit } from '../offline.ts';
import type { KeyManagerOptions } from '../options.ts';
import { readLines } from './lines.ts';
import { LogFile } from './log-file.ts';
import { AuditLog } from './log.ts';
import { EMPTY_HEAD } from './record.ts';

const context = { 'aws:s3:arn': 'arn:aws:s3:::b/k' };

type Line = Record<string, unknown>;
const linesOf = (keys: KeyFolder): string[] => readFileSync(keys.options.audit.path, 'utf8').trimEnd().split('\n');
const recordsOf = (keys: KeyFolder): Line[] => linesOf(keys).map((line) => JSON.parse(line) as Line);

async function someUses(keys: KeyFolder, changes: Partial<KeyManagerOptions> = {}): Promise<void> {
  const manager = await keys.open(changes);
  const { keyId } = await manager.createKey({}, use);
  for (let n = 0; n < 5; n++) await manager.generateDataKey({ keyId, context }, use);
  await manager.close();
}

async function openingCode(keys: KeyFolder): Promise<string> {
  try {
    await (await keys.open()).close();
    return 'opened';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

/** Forgets the head file, as one who can write beside the log might. */
const forgetHead = (keys: KeyFolder): void => rmSync(`${keys.options.audit.path}.head`);

describe('records', () => {
  test('Each use has one record with who, what, which key, where and why, numbered without gaps', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const key = await manager.createKey({ alias: 'alias/a' }, use);
    const { wrapped } = await manager.generateDataKey(
      { keyId: 'alias/a', context },
      { ...use, via: 's3', resource: 's3://b/k' },
    );
    await manager.decrypt({ wrapped, context: { other: 'x' } }, use).catch(() => undefined);
    const records = recordsOf(keys);
    expect(records.map(({ action, result }) => [action, result])).toEqual([
      ['CreateKey', 'started'],
      ['CreateKey', 'success'],
      ['GenerateDataKey', 'success'],
      ['Decrypt', 'ERR_KEYS_CIPHERTEXT_INVALID'],
    ]);
    expect(records[2]).toMatchObject({
      seq: 3,
      principal: use.principal,
      key: key.arn,
      material: key.currentMaterialId,
      via: 's3',
      resource: 's3://b/k',
      context,
      decision: 'allow',
    });
  });

  test('A record is in the file before its answer arrives, in both durabilities', async () => {
    for (const durability of ['fsync', 'write'] as const) {
      await using keys = await keyFolder();
      const manager = await keys.open({ audit: { ...keys.options.audit, durability } });
      const { keyId } = await manager.createKey({}, use);
      const uses = Array.from({ length: 40 }, async (_, n) => {
        await manager.generateDataKey({ keyId, context: { n: String(n) } }, use);
        expect(recordsOf(keys).some((record) => (record['context'] as Line | null)?.['n'] === String(n))).toBe(true);
      });
      await Promise.all(uses);
      expect(recordsOf(keys).map(({ seq }) => seq)).toEqual(Array.from({ length: 42 }, (_, n) => n + 1));
    }
  });

  test('However many are asked for at once, records stand in that order, each is chained to the one before, and each is of its own', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    // More than one write takes, and longer ones among them than what lines are first put together in.
    const contextOf = (n: number) => ({ n: String(n), ...(n % 500 === 7 ? { long: 'é\u2028'.repeat(700) } : {}) });
    const count = MAX_AUDIT_BATCH_RECORDS + 500;
    const uses = Array.from({ length: count }, (_, n) =>
      manager.generateDataKey({ keyId, context: contextOf(n) }, use),
    );
    await Promise.all(uses);
    await manager.close();
    const records = recordsOf(keys).filter(({ action }) => action === 'GenerateDataKey');
    expect(records.map((record) => record['context'])).toEqual(Array.from({ length: count }, (_, n) => contextOf(n)));
    expect(await verifyAudit(keys.options)).toMatchObject({ problem: undefined, gaps: [], records: 2 + count + 1 });
  });

  test('Whatever a caller gives, its record is one line that reads back', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    const hostile = ['\n{"seq":1}\n', '\u2028\u0000\ud800', '\u0001'.repeat(300_000), '"}', '\u0001'.repeat(3000)];
    for (const text of hostile) {
      const from = { principal: text, via: 's3', resource: text } as const;
      await manager.generateDataKey({ keyId, context: { [text]: text } }, from).catch(() => undefined);
      await manager.describeKey(text, from).catch(() => undefined);
      await manager.createAlias({ aliasName: text, keyId }, from).catch(() => undefined);
    }
    await manager.close();
    expect(await verifyAudit(keys.options)).toMatchObject({ problem: undefined, records: 2 + 3 * hostile.length + 1 });
    await (await keys.open()).close();
  });

  test('The chain goes on after a restart and verifies as one', async () => {
    await using keys = await keyFolder();
    for (let round = 0; round < 3; round++) await someUses(keys);
    const report = await verifyAudit(keys.options);
    expect(report).toMatchObject({
      records: 24,
      lastSeq: 24,
      checkpoints: 3,
      gaps: [],
      problem: undefined,
      unfinishedBytes: 0,
    });
  });

  test('The log verifies while its owner goes on writing', async () => {
    await using keys = await keyFolder();
    const manager = await keys.open();
    await manager.createKey({}, use);
    expect(await verifyAudit(keys.options)).toMatchObject({ records: 2, problem: undefined });
  });
});

describe('tampering', () => {
  test.each([
    ['a record edited', (lines: string[]) => lines.with(2, (lines[2] ?? '').replace('user/test', 'user/tess'))],
    ['a record removed', (lines: string[]) => lines.toSpliced(2, 1)],
    ['a record repeated', (lines: string[]) => lines.toSpliced(2, 0, lines[2] ?? '')],
    ['two records exchanged', (lines: string[]) => lines.with(2, lines[3] ?? '').with(3, lines[2] ?? '')],
    ['the first record removed', (lines: string[]) => lines.slice(1)],
    ['a foreign line added', (lines: string[]) => lines.toSpliced(3, 0, '{"seq":4}')],
    ['an empty line added', (lines: string[]) => lines.toSpliced(3, 0, '')],
    ['the last record removed', (lines: string[]) => lines.slice(0, -1)],
    ['all records removed', () => [] as string[]],
  ])('%s is found by verification', async (_title, change) => {
    await using keys = await keyFolder();
    await someUses(keys);
    const lines = change(linesOf(keys));
    writeFileSync(keys.options.audit.path, lines.map((line) => `${line}\n`).join(''));
    expect((await verifyAudit(keys.options)).problem).toBeDefined();
    forgetHead(keys);
    expect((await verifyAudit(keys.options)).problem).toBeDefined();
  });

  test('Any byte of the log changed is found by verification', async () => {
    await using keys = await keyFolder();
    await someUses(keys);
    const whole = readFileSync(keys.options.audit.path);
    for (let at = 0; at < whole.length; at += 61) {
      const bad = Buffer.from(whole);
      bad[at] = (bad[at] ?? 0) ^ 1;
      writeFileSync(keys.options.audit.path, bad);
      expect((await verifyAudit(keys.options)).problem, String(at)).toBeDefined();
    }
  });

  test('A log of another store is refused', async () => {
    await using keys = await keyFolder();
    await using other = await keyFolder();
    await someUses(keys);
    await someUses(other);
    writeFileSync(keys.options.audit.path, readFileSync(other.options.audit.path));
    expect(await openingCode(keys)).toMatch(/^ERR_KEYS_AUDIT_(TAMPERED|TRUNCATED)$/);
  });

  test('A removed end is refused at start, with and without the head file, until the gap is accepted and recorded', async () => {
    await using keys = await keyFolder();
    await someUses(keys);
    const lines = linesOf(keys);
    writeFileSync(keys.options.audit.path, `${lines.slice(0, 3).join('\n')}\n`);
    expect(await openingCode(keys)).toBe('ERR_KEYS_AUDIT_TRUNCATED');
    forgetHead(keys);
    expect(await openingCode(keys)).toBe('ERR_KEYS_AUDIT_TRUNCATED');
    await (await keys.open({ acceptAuditGap: true })).close();
    const report = await verifyAudit(keys.options);
    expect(report).toMatchObject({ gaps: [{ afterSeq: 3, nextSeq: lines.length + 1 }], problem: undefined });
    expect(await openingCode(keys)).toBe('opened');
  });

  test('A log that vanished is refused, until the gap is accepted', async () => {
    await using keys = await keyFolder();
    await someUses(keys);
    rmSync(keys.options.audit.path);
    expect(await openingCode(keys)).toBe('ERR_KEYS_AUDIT_TRUNCATED');
    await (await keys.open({ acceptAuditGap: true })).close();
    expect((await verifyAudit(keys.options)).gaps).toHaveLength(1);
  });
});

describe('crashes', () => {
  /** As a crash leaves it: records after the remembered head, the last of them torn. */
  async function crashed(keys: KeyFolder, cut: number): Promise<{ whole: number }> {
    await someUses(keys);
    const head = readFileSync(`${keys.options.audit.path}.head`);
    const store = readFileSync(keys.options.storePath);
    const epoch = readFileSync(`${keys.options.storePath}.epoch`);
    const manager = await keys.open();
    for (let n = 0; n < 4; n++) await manager.listKeys(use);
    await manager.close();
    writeFileSync(`${keys.options.audit.path}.head`, head);
    writeFileSync(keys.options.storePath, store);
    writeFileSync(`${keys.options.storePath}.epoch`, epoch);
    const length = readFileSync(keys.options.audit.path).length;
    truncateSync(keys.options.audit.path, length - cut);
    return { whole: linesOf(keys).length - (cut > 0 ? 1 : 0) };
  }

  test.each([1, 2, 40, 200])(
    'A last line torn %i bytes before its end is dropped, that is recorded, and the chain goes on',
    async (cut) => {
      await using keys = await keyFolder();
      const { whole } = await crashed(keys, cut);
      await (await keys.open()).close();
      const records = recordsOf(keys);
      expect(records[whole]).toMatchObject({ action: 'AuditRepair', seq: whole + 1 });
      expect(await verifyAudit(keys.options)).toMatchObject({ records: whole + 2, problem: undefined });
    },
  );

  test('Records written after the head was remembered are kept', async () => {
    await using keys = await keyFolder();
    const { whole } = await crashed(keys, 0);
    await (await keys.open()).close();
    expect(linesOf(keys)).toHaveLength(whole);
  });

  test('Zeros that a power failure left at the end are dropped', async () => {
    await using keys = await keyFolder();
    const { whole } = await crashed(keys, 0);
    appendFileSync(keys.options.audit.path, Buffer.alloc(3000));
    await (await keys.open()).close();
    expect(recordsOf(keys)[whole]).toMatchObject({ action: 'AuditRepair', detail: { droppedBytes: 3000 } });
  });

  test('A changed record after the head was remembered is no torn write, and is refused', async () => {
    await using keys = await keyFolder();
    const { whole } = await crashed(keys, 0);
    const lines = linesOf(keys);
    const changed = lines[whole - 1]?.replace('"allow"', '"deny "') ?? '';
    writeFileSync(keys.options.audit.path, `${lines.with(whole - 1, changed).join('\n')}\n`);
    expect(await openingCode(keys)).toBe('ERR_KEYS_AUDIT_TAMPERED');
  });

  test('A bad line with genuine records after it is no torn write, and is refused', async () => {
    await using keys = await keyFolder();
    const { whole } = await crashed(keys, 0);
    const lines = linesOf(keys);
    writeFileSync(keys.options.audit.path, `${lines.with(whole - 2, 'x').join('\n')}\n`);
    expect(await openingCode(keys)).toBe('ERR_KEYS_AUDIT_TAMPERED');
  });
});

describe('a path that names another file', () => {
  test.each([
    ['a key file', (keys: KeyFolder) => readFileSync(keys.path('root.key'))],
    ['a store', (keys: KeyFolder) => readFileSync(keys.options.storePath)],
    ['a text', () => Buffer.from('notes\nof mine')],
    ['a JSON log', () => Buffer.from('{"level":"info"}\n{"level":"info"}\n')],
    ['a record-like text of another store', () => Buffer.from('{"seq":1,"action":"Decrypt"}\n')],
  ])('%s is refused and left as it is, whatever is accepted', async (_what, content) => {
    await using keys = await keyFolder();
    const path = keys.path('other-file');
    writeFileSync(path, content(keys));
    for (const acceptAuditGap of [false, true]) {
      const opening = keys.open({ audit: { path, durability: 'write' }, acceptAuditGap });
      await expect(opening).rejects.toMatchObject({ code: 'ERR_KEYS_AUDIT_TAMPERED' });
      expect(readFileSync(path)).toEqual(Buffer.from(content(keys)));
    }
  });

  test('A new store does not begin in the log of an old one', async () => {
    await using old = await keyFolder();
    await using fresh = await keyFolder();
    await someUses(old);
    const log = readFileSync(old.options.audit.path);
    for (const acceptAuditGap of [false, true]) {
      const opening = fresh.open({ audit: old.options.audit, acceptAuditGap });
      await expect(opening).rejects.toMatchObject({ code: 'ERR_KEYS_AUDIT_TAMPERED' });
    }
    expect(readFileSync(old.options.audit.path)).toEqual(log);
  });

  test('A first record torn by a crash is no other file', async () => {
    for (const torn of ['{', '{"seq":1,"time":"2026', '\0\0\0']) {
      await using fresh = await keyFolder();
      writeFileSync(fresh.options.audit.path, torn);
      expect(await openingCode(fresh)).toBe('opened');
    }
  });
});

describe('an unwritable log', () => {
  test('A path that cannot be opened refuses the start', async () => {
    await using keys = await keyFolder();
    const opening = keys.open({ audit: { path: keys.path('no/such/folder/audit.log'), durability: 'write' } });
    await expect(opening).rejects.toMatchObject({ code: 'ERR_KEYS_AUDIT_UNAVAILABLE' });
    expect(await openingCode(keys)).toBe('opened');
  });

  test('A path that is no regular file refuses the start', async () => {
    await using keys = await keyFolder();
    for (const path of ['/dev/null', keys.folder]) {
      const opening = keys.open({ audit: { path, durability: 'write' } });
      await expect(opening).rejects.toMatchObject({ code: 'ERR_KEYS_AUDIT_UNAVAILABLE' });
      const verifying = verifyAudit({ ...keys.options, audit: { path, durability: 'write' } });
      await expect(verifying).rejects.toMatchObject({ code: 'ERR_KEYS_AUDIT_UNAVAILABLE' });
    }
  });

  test.each(['write', 'fsync'] as const)(
    'Records that cannot be written are refused, every one (%s)',
    async (durability) => {
      await using keys = await keyFolder();
      const path = keys.path('other.log');
      writeFileSync(path, '');
      const signer = takeEd25519Seed(new Uint8Array(32));
      const identity = { storeId: new Uint8Array(16), key: createSecretKey(new Uint8Array(32)), signer };
      // Opened for reading alone: each write fails, as on a full or read-only disk.
      const log = new AuditLog(
        { options: { path, durability }, identity, now: Date.now },
        new LogFile(path, openSync(path, 'r'), { start: 0, firstSeq: 1 }),
        EMPTY_HEAD,
      );
      const entry = {
        time: '',
        principal: '',
        action: 'Decrypt',
        key: null,
        material: null,
        via: 's3',
        resource: '',
        context: null,
        decision: 'allow',
        why: '',
        result: '',
      } as const;
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => log.append(entry)));
      const codes = results.map((result) =>
        result.status === 'rejected' ? (result.reason as { code: string }).code : 'written',
      );
      expect(new Set(codes)).toEqual(new Set(['ERR_KEYS_AUDIT_UNAVAILABLE']));
      await expect(log.append(entry)).rejects.toMatchObject({ code: 'ERR_KEYS_AUDIT_UNAVAILABLE' });
      expect(() => log.check()).toThrow(expect.objectContaining({ code: 'ERR_KEYS_AUDIT_UNAVAILABLE' }));
      await log.close();
    },
  );
});

test('Lines are read the same wherever chunks end', async () => {
  await using keys = await keyFolder();
  const texts = fc.array(
    fc.oneof(
      fc.string({ maxLength: 40 }).map((text) => text.replaceAll('\n', ' ')),
      fc.constant('y'.repeat(200_000)),
    ),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(texts, fc.boolean(), (lines, ended) => {
      const text = lines.map((line) => `${line}\n`).join('') + (ended ? '' : 'rest');
      writeFileSync(keys.path('lines'), text);
      const file = openSync(keys.path('lines'), 'r');
      const read = [...readLines(file, 0)];
      closeSync(file);
      expect(read.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(ended ? lines : [...lines, 'rest']);
      expect(read.at(-1)?.end ?? 0).toBe(Buffer.byteLength(text));
    }),
    { numRuns: 40 },
  );
});
