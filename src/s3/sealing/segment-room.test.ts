import { expect, test } from 'vitest';
import { ByteGovernor } from './governor.ts';
import { segmentRoom } from './segment-room.ts';

const MIB = 2 ** 20;
const request = { signal: new AbortController().signal };

test('parts of up to 31 MiB need no room of their own; larger ones need that of a segment', async () => {
  const segments = new ByteGovernor(32 * MIB, 10);
  const release = await segmentRoom({ segments }, request, 31 * MIB);
  expect(segments.usedBytes).toBe(0);
  release();
  const releases = await Promise.all([512, 5 * 1024].map((mib) => segmentRoom({ segments }, request, mib * MIB)));
  // 1 and 10 MiB, and what the tags make it more, in steps of 4 KiB.
  expect(segments.usedBytes).toBeGreaterThanOrEqual(11 * MIB);
  expect(segments.usedBytes).toBeLessThanOrEqual(11 * MIB + 16 * 1024);
  for (const each of releases) each();
  expect(segments.usedBytes).toBe(0);
});

test('who finds no room waits until it is given back, and leaves the line when its client leaves', async () => {
  const segments = new ByteGovernor(12 * MIB, 10);
  const first = await segmentRoom({ segments }, request, 5 * 1024 * MIB);
  const leaving = new AbortController();
  const left = segmentRoom({ segments }, { signal: leaving.signal }, 5 * 1024 * MIB);
  const second = segmentRoom({ segments }, request, 5 * 1024 * MIB);
  leaving.abort();
  await expect(left).rejects.toMatchObject({ code: 'ERR_S3_REQUEST_TIMEOUT' });
  const before = segments.usedBytes;
  first();
  (await second)();
  expect(before).toBeGreaterThan(10 * MIB);
  expect(segments.usedBytes).toBe(0);
});
