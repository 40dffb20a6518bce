/** Files of a log that come and go while it is read: moved away, put back, and names that lead nowhere. */
import { closeSync, openSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entry, RotatedLog } from '../../../test/support/keys/rotated-log.ts';
import type { AuditLog } from './log.ts';
import { LogReader } from './log-reader.ts';
import { rotatedPath } from './rotated-files.ts';

const ONE_FILE = { options: { rotateAtBytes: Infinity } };

const seqsOf = (reader: LogReader): readonly unknown[] =>
  Array.from(reader.lines(), ({ bytes }) => (JSON.parse(Buffer.from(bytes).toString()) as { seq: unknown }).seq);

async function append(log: AuditLog, records: number): Promise<void> {
  for (let n = 0; n < records; n++) await log.append(entry());
}

test('Who has opened a log reads up to the end of that file, whatever is rotated away before the others are looked for', async () => {
  using kept = new RotatedLog();
  const { log } = kept.open();
  await append(log, 20);
  const own = openSync(kept.path, 'r');
  await append(log, 20);
  const reader = LogReader.open(kept.path, own);
  const seqs = seqsOf(reader);
  expect(seqs).toEqual(seqs.map((_, at) => at + 1));
  expect(seqs.length).toBeGreaterThan(20);
  closeSync(own);
  await log.close();
});

test('A name that leads nowhere is no file of the log', async () => {
  using kept = new RotatedLog();
  await kept.write(20);
  symlinkSync(join(kept.folder, 'nowhere'), rotatedPath(kept.path, 10_000));
  await kept.write(1);
  expect(kept.verify().problem).toBeUndefined();
});

test('A file that is moved away while the log is read is an error that names it', async () => {
  using kept = new RotatedLog();
  await kept.write(20);
  const reader = LogReader.open(kept.path);
  const [, second = ''] = kept.rotated;
  rmSync(second);
  expect(() => seqsOf(reader)).toThrow(
    expect.objectContaining({ code: 'ERR_KEYS_AUDIT_UNAVAILABLE', message: `${second} cannot be read: ENOENT` }),
  );
  reader.close();
});

test('A lost file that comes back, with more records than were remembered of it, keeps the log from nothing', async () => {
  using kept = new RotatedLog();
  const first = kept.open(ONE_FILE).log;
  await append(first, 3);
  const storeHead = first.head;
  await append(first, 20);
  await first.close();
  const away = join(kept.folder, 'away');
  renameSync(kept.path, away);
  rmSync(`${kept.path}.head`);
  const { log, resumption } = kept.open({ acceptGap: true, storeHead });
  await log.append({ ...entry(), action: 'AuditGap', detail: { afterSeq: resumption.head.seq } });
  await append(log, 3);
  await log.close();
  renameSync(away, rotatedPath(kept.path, 1));
  await kept.write(20, { storeHead });
  await kept.write(1, { storeHead });
  // Two histories are no chain.
  expect(kept.verify(storeHead).problem).toMatchObject({ type: 'broken-chain' });
  rmSync(rotatedPath(kept.path, 1));
  expect(kept.verify(storeHead)).toMatchObject({ problem: undefined, gaps: [{ line: 1 }] });
});

test('A file that says it begins beyond all files loses nothing, and goes on once that is accepted', async () => {
  using kept = new RotatedLog();
  await kept.write(20);
  const forged = readFileSync(kept.path, 'utf8').replace(/"offset":\d+/, `"offset":${Number.MAX_SAFE_INTEGER - 1}`);
  writeFileSync(kept.path, forged);
  expect(() => kept.open()).toThrow(expect.objectContaining({ code: 'ERR_KEYS_AUDIT_TAMPERED' }));
  const { log, resumption } = kept.open({ acceptGap: true });
  await log.append({ ...entry(), action: 'AuditGap', detail: { afterSeq: resumption.head.seq } });
  await append(log, 20);
  await log.close();
  expect(kept.files.map((file) => readFileSync(file, 'utf8')).join('')).toContain(forged);
  await kept.write(1);
});
