import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { rotatedPath } from './rotated-files.ts';
import { lineHashText } from './record.ts';
import { recentRequests } from './recent-requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealgate-recent-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'audit.log');

const T = Date.UTC(2026, 0, 1);
const line = (seq: number, atMs: number, request?: string): string =>
  `${JSON.stringify({ seq, time: new Date(atMs).toISOString(), context: { request: 'not one' }, request })}\n`;

/** Lines of the records after `last`, each naming the one before. */
function chain(
  records: readonly (readonly [seq: number, atMs: number, request?: string])[],
  last?: string,
): readonly string[] {
  let before = last;
  return records.map((record) => {
    const prevHash = before === undefined ? '0'.repeat(64) : lineHashText(Buffer.from(before.trimEnd()));
    before = `${JSON.stringify({ ...(JSON.parse(line(...record)) as object), prevHash })}\n`;
    return before;
  });
}
const numbered = (count: number): readonly string[] =>
  chain(Array.from({ length: count }, (_, n) => [n + 1, T + n, `r${n}`] as const));

const write = (...lines: readonly string[]): void => writeFileSync(path, lines.join(''));

test('Requests recorded since then are told of, others not, and records without a request are none', () => {
  write(
    ...chain([
      [1, T, 'old'],
      [2, T + 10, 'a'],
      [3, T + 11],
      [4, T + 12, 'b'],
    ]),
  );
  expect(recentRequests(path, T + 10, 1e6)).toEqual({ ids: ['a', 'b'], completeSinceMs: undefined });
});

test('A log that goes back too little says since when it tells', () => {
  const lines = numbered(50);
  write(...lines);
  const size = lines.slice(-10).join('').length + 3;
  const told = recentRequests(path, T - 1000, size);
  expect(told).toEqual({
    ids: Array.from({ length: 10 }, (_, n) => `r${40 + n}`),
    completeSinceMs: T + 40,
  });
  // What is older than what is asked for is not missed.
  expect(recentRequests(path, T + 45, size).completeSinceMs).toBeUndefined();
  // The first record of all: nothing was before it.
  expect(recentRequests(path, T - 1000, 1e6).completeSinceMs).toBeUndefined();
  write(...lines.slice(5));
  expect(recentRequests(path, T - 1000, 1e6).completeSinceMs).toBe(T + 5);
});

test('An empty log tells of nothing and misses nothing; what is no record is passed over; one that is not there is an error', () => {
  write();
  expect(recentRequests(path, T, 1e6)).toEqual({ ids: [], completeSinceMs: undefined });
  write('no json\n', line(1, T, 'a'), '{"seq":2}\n', line(3, T, 'b').slice(0, -20));
  expect(recentRequests(path, T, 1e6).ids).toEqual(['a']);
  expect(() => recentRequests(join(folder, 'none'), T, 1e6)).toThrow(
    expect.objectContaining({ code: 'ERR_KEYS_AUDIT_UNAVAILABLE' }),
  );
});

test('Requests are told of where their records were rotated away; what was moved away says since when', () => {
  const lines = numbered(6);
  const prevHash = lineHashText(Buffer.from((lines[2] ?? '').trimEnd()));
  const said = { seq: 4, time: new Date(T).toISOString(), action: 'AuditContinued', prevHash };
  const offset = lines.slice(0, 3).join('').length;
  writeFileSync(rotatedPath(path, 1), lines.slice(0, 3).join(''));
  const continued = `${JSON.stringify({ ...said, detail: { offset } })}\n`;
  const after = chain(
    [
      [5, T + 4, 'r4'],
      [6, T + 5, 'r5'],
    ],
    continued,
  );
  write(continued, ...after);
  expect(recentRequests(path, T, 1e6)).toEqual({ ids: ['r0', 'r1', 'r2', 'r4', 'r5'], completeSinceMs: undefined });
  rmSync(rotatedPath(path, 1));
  expect(recentRequests(path, T - 1, 1e6)).toEqual({ ids: ['r4', 'r5'], completeSinceMs: T });
});

test('A record that was changed tells nothing of its time, nor do those before it', () => {
  const lines = numbered(6);
  for (const changed of [(lines[2] ?? '').replace('r2', 'rx'), (lines[2] ?? '').replace('{', '['), '']) {
    write(...lines.with(2, changed));
    expect(recentRequests(path, T, 1e6)).toMatchObject({ completeSinceMs: T + 3 });
  }
});

test('Where records are missing in between, what lies before them does not make it complete', () => {
  const lines = numbered(6);
  write(lines[0] ?? '', lines[1] ?? '', lines[4] ?? '', lines[5] ?? '');
  expect(recentRequests(path, T + 1, 1e6)).toEqual({ ids: ['r1', 'r4', 'r5'], completeSinceMs: T + 4 });
  expect(recentRequests(path, T + 5, 1e6)).toEqual({ ids: ['r5'], completeSinceMs: undefined });
});
