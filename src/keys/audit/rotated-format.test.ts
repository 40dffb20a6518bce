/** docs/KEYSTORE.md, "Rotation", against a frozen log, read by a reader that was written from the page alone. */
import { createHash, createHmac, createSecretKey } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeEd25519Seed } from '../../crypto/ed25519.ts';
import { openAuditLog } from './open-log.ts';
import { EMPTY_HEAD } from './record.ts';
import { verifyAuditLog } from './verify.ts';

const FROZEN = join(import.meta.dirname, '../../../test/vectors/audit-rotated-v1');
const facts = JSON.parse(readFileSync(join(FROZEN, 'facts.json'), 'utf8')) as Record<string, string>;
const unhex = (name: string): Buffer => Buffer.from(facts[name] ?? '', 'hex');
const identity = {
  storeId: unhex('storeId'),
  key: createSecretKey(unhex('auditKey')),
  signer: takeEd25519Seed(unhex('checkpointSeed')),
};
const sha256 = (line: string): string => createHash('sha256').update(line).digest('hex');

test('Its files are named, begin and follow each other as the page says', () => {
  const names = readdirSync(FROZEN).filter((name) => /^audit\.jsonl(\.\d{16})?$/.test(name));
  const files = [...names.filter((name) => name !== 'audit.jsonl').toSorted(), 'audit.jsonl'];
  expect(files.length).toBeGreaterThan(2);
  let [seq, place, prevHash] = [0, 0, '0'.repeat(64)];
  for (const name of files) {
    const text = readFileSync(join(FROZEN, name), 'utf8');
    if (name !== 'audit.jsonl') expect(name).toBe(`audit.jsonl.${String(seq + 1).padStart(16, '0')}`);
    const lines = text.split('\n');
    expect(lines.pop()).toBe('');
    for (const [index, line] of lines.entries()) {
      const record = JSON.parse(line) as Record<string, unknown>;
      expect(record).toMatchObject({ seq: (seq += 1), prevHash });
      const mac = createHmac('sha256', identity.key).update(line.slice(0, -53)).digest('base64url');
      expect(line.slice(-53)).toBe(`,"mac":"${mac}"}`);
      if (index === 0 && seq > 1) expect(record).toMatchObject({ action: 'AuditContinued', detail: { offset: place } });
      prevHash = sha256(line);
    }
    place += Buffer.byteLength(text);
  }
  const head = readFileSync(join(FROZEN, 'audit.jsonl.head'));
  const heads = [head.subarray(0, 104), head.subarray(512, 616)].filter((each) => each.length === 104);
  const last = heads.toSorted((a, b) => Number(a.readBigUInt64BE(24) - b.readBigUInt64BE(24))).at(-1);
  expect([last?.readBigUInt64BE(24), last?.readBigUInt64BE(32)]).toEqual([BigInt(seq), BigInt(place)]);
  expect(last?.toString('hex', 40, 72)).toBe(prevHash);
});

test('It verifies, and is gone on with, for ever', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-frozen-rotated-'));
  try {
    cpSync(FROZEN, folder, { recursive: true });
    const path = join(folder, 'audit.jsonl');
    chmodSync(path, 0o600);
    const before = verifyAuditLog(path, identity, EMPTY_HEAD);
    expect(before).toMatchObject({ problem: undefined, startsAfter: 0, gaps: [] });
    const options = { path, durability: 'write', rotateAtBytes: 900 } as const;
    const { log, resumption } = openAuditLog({
      ...{ options, identity, storeHead: EMPTY_HEAD, acceptGap: false, now: Date.now },
    });
    expect(resumption).toMatchObject({ type: 'clean', head: { seq: before.lastSeq } });
    await log.append({
      ...{ time: '', principal: 'p', action: 'Decrypt', key: null, material: null, via: 'cli', resource: 'r' },
      ...{ context: null, decision: 'allow', why: 'w', result: 'success' },
    });
    await log.close();
    expect(verifyAuditLog(path, identity, EMPTY_HEAD).problem).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
