import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { entry, RotatedLog, ROTATE_AT_BYTES } from '../../../test/support/keys/rotated-log.ts';
import { MAX_AUDIT_BATCH_RECORDS } from '../limits.ts';
import { checkpointKey } from './checkpoint.ts';
import { rotatedPath } from './rotated-files.ts';
import { verifyAttestedLog } from './verify.ts';

const codeOf = (work: () => unknown): unknown => {
  try {
    work();
    return 'opened';
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
};

describe('a file that is full', () => {
  test('is put aside under the number of its first record, and the chain goes on in a new one, over restarts', async () => {
    using kept = new RotatedLog();
    for (let round = 0; round < 3; round++) await kept.write(20);
    expect(kept.rotated.length).toBeGreaterThan(10);
    const all = kept.recordsIn(...kept.files);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, at) => at + 1));
    let before = 0;
    for (const file of kept.rotated) {
      const records = kept.recordsIn(file);
      expect(file).toBe(rotatedPath(kept.path, Number(records[0]?.['seq'])));
      // None grows beyond the record that fills it and the checkpoint that ends it.
      expect(statSync(file).size).toBeLessThan(ROTATE_AT_BYTES + 1200);
      expect(records.at(-1)).toMatchObject({ action: 'AuditCheckpoint' });
      if (before > 0) expect(records[0]).toMatchObject({ action: 'AuditContinued', detail: { offset: before } });
      before += statSync(file).size;
    }
    expect(kept.verify()).toMatchObject({
      ...{ records: all.length, lastSeq: all.length, startsAfter: 0, gaps: [], problem: undefined },
      attestedSeq: all.length - 1,
    });
  });

  test.each(['write', 'fsync'] as const)('loses no record that many ask for at once (%s)', async (durability) => {
    using kept = new RotatedLog();
    const { log } = kept.open({ options: { durability } });
    const count = MAX_AUDIT_BATCH_RECORDS + 900;
    const names = Array.from({ length: count }, (_, n) => `r${n}`);
    for (let at = 0; at < count; at += 100)
      await Promise.all(names.slice(at, at + 100).map((name) => log.append(entry(name))));
    await log.close();
    const uses = kept.recordsIn(...kept.files).filter(({ action }) => action === 'Decrypt');
    expect(uses.map(({ resource }) => resource)).toEqual(names);
    expect(kept.rotated.length).toBeGreaterThan(40);
    expect(kept.verify()).toMatchObject({ problem: undefined, startsAfter: 0 });
  });

  test('lies beside the file that a link leads to, and whoever could read it can read the next', async () => {
    using kept = new RotatedLog();
    mkdirSync(join(kept.folder, 'volume'));
    const real = join(kept.folder, 'volume', 'trail');
    symlinkSync(real, kept.path);
    await kept.write(1);
    chmodSync(real, 0o640);
    await kept.write(10);
    expect(lstatSync(kept.path).isSymbolicLink()).toBe(true);
    expect([existsSync(rotatedPath(real, 1)), kept.rotated]).toEqual([true, []]);
    expect((statSync(real).mode & 0o777).toString(8)).toBe('640');
    expect(kept.verify()).toMatchObject({ problem: undefined, startsAfter: 0 });
  });

  test('that cannot be put aside is gone on with, which is on record; no other file is touched', async () => {
    using kept = new RotatedLog();
    const { log } = kept.open({ options: { rotateAtBytes: 2500 } });
    writeFileSync(rotatedPath(kept.path, 1), 'another');
    for (let n = 0; n < 20; n++) await log.append(entry());
    await log.close();
    const failed = kept.recordsIn(kept.path).filter(({ action }) => action === 'AuditRotation');
    expect(failed).toMatchObject([{ why: 'EEXIST', result: 'failure' }]);
    expect(readFileSync(rotatedPath(kept.path, 1), 'utf8')).toBe('another');
    // Whatever lies there under such a name is taken for a part of the log.
    expect(kept.verify().problem).toMatchObject({ type: 'bad-record', file: rotatedPath(kept.path, 1), line: 1 });
    expect(codeOf(() => kept.open())).toBe('opened');
    rmSync(rotatedPath(kept.path, 1));
    expect(kept.verify()).toMatchObject({ problem: undefined, records: 23 });
  });

  test('that somebody has moved is not taken for the one in its place', async () => {
    using kept = new RotatedLog();
    const { log } = kept.open();
    await log.append(entry());
    renameSync(kept.path, `${kept.path}.moved`);
    writeFileSync(kept.path, 'another');
    for (let n = 0; n < 10; n++) await log.append(entry());
    await log.close();
    expect(readFileSync(kept.path, 'utf8')).toBe('another');
    expect(kept.rotated).toEqual([]);
    renameSync(`${kept.path}.moved`, kept.path);
    expect(kept.verify().problem).toBeUndefined();
  });
});

describe('what is moved away', () => {
  test('is missed by nobody: the log opens and verifies from where it begins', async () => {
    using kept = new RotatedLog();
    await kept.write(20);
    const [first, second, third] = kept.rotated;
    for (const file of [first, second]) renameSync(file ?? '', join(kept.folder, `away-${basename(file ?? '')}`));
    await kept.write(5);
    const begins = Number(kept.recordsIn(third ?? '')[0]?.['seq']);
    expect(kept.verify()).toMatchObject({ startsAfter: begins - 1, problem: undefined, gaps: [] });
    for (const file of kept.rotated) rmSync(file);
    await kept.write(1);
    expect(kept.verify()).toMatchObject({ problem: undefined, gaps: [] });
  });

  test('may hold the record that was last remembered', async () => {
    using kept = new RotatedLog();
    const { log } = kept.open();
    while (kept.rotated.length === 0) await log.append(entry());
    // As it was just after the rotation, before the next sync.
    copyFileSync(`${kept.path}.head`, join(kept.folder, 'head'));
    const remembered = log.syncedHead;
    await log.append(entry());
    await log.close();
    copyFileSync(join(kept.folder, 'head'), `${kept.path}.head`);
    const [rotated = ''] = kept.rotated;
    expect(remembered.offset).toBe(statSync(rotated).size);
    renameSync(rotated, join(kept.folder, 'away'));
    await kept.write(1);
    expect(kept.verify(remembered)).toMatchObject({ problem: undefined, startsAfter: remembered.seq });
    // Another chain's end is none that this file goes on from.
    const other = { ...remembered, hash: new Uint8Array(32) };
    rmSync(`${kept.path}.head`);
    expect(codeOf(() => kept.open({ storeHead: other }))).toBe('ERR_KEYS_AUDIT_TAMPERED');
    expect(kept.verify(other).problem).toMatchObject({ type: 'truncated' });
  });

  test('from the middle is found', async () => {
    using kept = new RotatedLog();
    await kept.write(20);
    const [, second = '', third = ''] = kept.rotated;
    rmSync(second);
    expect(kept.verify().problem).toMatchObject({ type: 'broken-chain', file: third, line: 1 });
  });

  test('each verifies by itself, by the public key of its checkpoints', async () => {
    using kept = new RotatedLog();
    await kept.write(20);
    const key = Buffer.from(checkpointKey(kept.identity).hex, 'hex');
    for (const file of kept.rotated) {
      const records = kept.recordsIn(file);
      const [first, last] = [Number(records[0]?.['seq']), Number(records.at(-1)?.['seq'])];
      const copy = join(kept.folder, `copy-${basename(file)}`);
      copyFileSync(file, copy);
      const whole = { startsAfter: first - 1, lastSeq: last, attestedSeq: last - 1, problem: undefined };
      expect(verifyAttestedLog(copy, key)).toMatchObject(whole);
      writeFileSync(copy, readFileSync(copy, 'utf8').replace('"principal":"p"', '"principal":"q"'));
      expect(verifyAttestedLog(copy, key).problem).toBeDefined();
    }
  });
});

describe('tampering', () => {
  test.each([
    ['a rotated file with a record changed', 0, (text: string) => text.replace('"principal":"p"', '"principal":"q"')],
    ['a rotated file with its last record cut', 1, (text: string) => text.trimEnd().replace(/\n[^\n]*$/, '\n')],
    ['a rotated file with half a record more', 1, (text: string) => `${text}{"seq":`],
    ['a file whose first record is gone', -1, (text: string) => text.replace(/^[^\n]*\n/, '')],
    ['a file that says it begins elsewhere', -1, (text: string) => text.replace(/"offset":\d+/, '"offset":7')],
    ['a file that says it begins nowhere', -1, (text: string) => text.replace(/"offset":\d+/, '"offset":1e300')],
  ])('%s is found', async (_title, which, change) => {
    using kept = new RotatedLog();
    await kept.write(20);
    const file = kept.files.at(which) ?? '';
    writeFileSync(file, change(readFileSync(file, 'utf8')));
    expect(kept.verify().problem).toBeDefined();
    if (which === -1) expect(codeOf(() => kept.open())).toMatch(/ERR_KEYS_AUDIT_(TAMPERED|TRUNCATED)/);
  });

  test('the last file gone, or empty, or exchanged for an older one, is a truncation', async () => {
    using kept = new RotatedLog();
    await kept.write(20);
    const older = kept.rotated.at(-1) ?? '';
    const changes = [
      () => rmSync(kept.path),
      () => truncateSync(kept.path),
      () => copyFileSync(older, kept.path),
      () => renameSync(older, kept.path),
    ];
    for (const change of changes) {
      change();
      expect(codeOf(() => kept.open())).toMatch(/ERR_KEYS_AUDIT_(TAMPERED|TRUNCATED)/);
      expect(kept.verify().problem).toBeDefined();
    }
  });
});

describe('after a crash', () => {
  /** A log just rotated, and what it is when the process dies then. */
  async function rotatedNow(kept: RotatedLog): Promise<void> {
    const { log } = kept.open();
    for (let n = 0; n < 8; n++) await log.append(entry(String(n)));
    await log.close();
    const { head } = kept.open({ options: { rotateAtBytes: Infinity } }).log;
    renameSync(kept.path, rotatedPath(kept.path, Number(kept.recordsIn(kept.path)[0]?.['seq'])));
    expect(head.seq).toBe(kept.recordsIn(...kept.rotated).length);
  }

  test.each([
    ['no new file', () => undefined, 'clean'],
    ['an empty one', (path: string) => writeFileSync(path, ''), 'clean'],
    ['half its first record', (path: string) => writeFileSync(path, '{"seq":9,"time":"2027'), 'repaired'],
    ['zeros', (path: string) => writeFileSync(path, Buffer.alloc(300)), 'repaired'],
  ] as const)('with %s, the chain goes on', async (_title, leave, type) => {
    using kept = new RotatedLog();
    await rotatedNow(kept);
    leave(kept.path);
    const { log, resumption } = kept.open();
    expect(resumption.type).toBe(type);
    await log.append(entry());
    await log.close();
    expect(kept.recordsIn(kept.path)[0]).toMatchObject({ action: 'AuditContinued' });
    expect(kept.verify()).toMatchObject({ problem: undefined, startsAfter: 0 });
  });

  test('what is not ours in the new file’s place is not cut off', async () => {
    using kept = new RotatedLog();
    await rotatedNow(kept);
    writeFileSync(kept.path, 'a key');
    for (const acceptGap of [false, true])
      expect(codeOf(() => kept.open({ acceptGap }))).toBe('ERR_KEYS_AUDIT_TAMPERED');
    expect(readFileSync(kept.path, 'utf8')).toBe('a key');
  });

  test('a torn end of a file that was rotated since is repaired as any', async () => {
    using kept = new RotatedLog();
    await kept.write(10);
    appendFileSync(kept.path, '{"seq":99,"ti');
    const { log, resumption } = kept.open();
    expect(resumption).toMatchObject({ type: 'repaired', droppedBytes: 13 });
    await log.close();
    expect(kept.verify().problem).toBeUndefined();
  });
});

describe('a gap that is accepted', () => {
  test('where the file itself is lost: rotated ones stay, and the places of records are not given twice', async () => {
    using kept = new RotatedLog();
    await kept.write(20);
    const lastSeq = kept.recordsIn(kept.path).at(-1)?.['seq'];
    rmSync(kept.path);
    const { log, resumption } = kept.open({ acceptGap: true });
    expect(resumption).toMatchObject({ type: 'gap', head: { seq: lastSeq } });
    const { start } = resumption;
    await log.append({ ...entry(), action: 'AuditGap', detail: { afterSeq: resumption.head.seq } });
    for (let n = 0; n < 10; n++) await log.append(entry());
    await log.close();
    const gap = kept.recordsIn(...kept.files).find(({ action }) => action === 'AuditGap');
    expect(gap).toMatchObject({ detail: { offset: start } });
    expect(kept.verify()).toMatchObject({ problem: undefined, startsAfter: 0, gaps: [{ line: 1 }] });
    await kept.write(3);
    expect(kept.verify()).toMatchObject({ problem: undefined, startsAfter: 0 });
  });

  test('where all files are lost and come back later', async () => {
    using kept = new RotatedLog();
    await kept.write(20);
    const away = kept.files.map((file) => [file, join(kept.folder, `away-${basename(file)}`)] as const);
    for (const [file, to] of away) renameSync(file, to);
    const { log, resumption } = kept.open({ acceptGap: true });
    await log.append({ ...entry(), action: 'AuditGap', detail: { afterSeq: resumption.head.seq } });
    await log.append(entry());
    await log.close();
    await kept.write(10);
    expect(kept.verify()).toMatchObject({ problem: undefined, gaps: [{ line: 1 }] });
    for (const [file, to] of away) renameSync(to, file === kept.path ? rotatedPath(file, lastFirst(kept, to)) : file);
    await kept.write(10);
    // Of what is here again nothing is missing.
    expect(kept.verify()).toMatchObject({ problem: undefined, startsAfter: 0, gaps: [] });
  });

  const lastFirst = (kept: RotatedLog, file: string): number => Number(kept.recordsIn(file)[0]?.['seq']);
});
