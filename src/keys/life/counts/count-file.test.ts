import { rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RotatedLog } from '../../../../test/support/keys/rotated-log.ts';
import { LogReader } from '../../audit/log-reader.ts';
import { countPath, encodeCounts, readCountFile } from './count-file.ts';
import { UseCounts } from './use-counts.ts';

test('Counts up to a record that was moved away are believed where what is here comes after it, and no others', async () => {
  using kept = new RotatedLog();
  await kept.write(20);
  for (const file of kept.rotated.slice(0, 2)) rmSync(file);
  const begins = kept.verify().startsAfter;
  const reader = LogReader.open(kept.path);
  const readOf = (seq: number): number | undefined => {
    const head = { seq, offset: reader.start, hash: new Uint8Array(32) };
    writeFileSync(countPath(kept.path), encodeCounts(kept.identity, head, new UseCounts()));
    return readCountFile(kept.path, reader, kept.identity)?.head.seq;
  };
  expect(begins).toBeGreaterThan(1);
  expect([1, begins, begins + 1, begins + 1000].map(readOf)).toEqual([1, begins, undefined, undefined]);
  reader.close();
});
