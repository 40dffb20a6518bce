/** A sync that the disk takes its time with must not outlive the files it is about. */
import { createSecretKey, pbkdf2, randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { takeEd25519Seed } from '../../crypto/ed25519.ts';
import { AUDIT_SYNC_INTERVAL_MS } from '../limits.ts';
import { openAuditLog } from './open-log.ts';
import { EMPTY_HEAD, type AuditEntry } from './record.ts';

const ENTRY: AuditEntry = {
  ...{ time: '2027-01-01T00:00:00.000Z', principal: 'p', action: 'Decrypt', key: null, material: null, via: 'cli' },
  ...{ resource: 'r', context: null, decision: 'allow', why: 'w', result: 'success' },
};

/** Keeps every thread that syncs would run on busy, with a queue before them; what it gives ends that. */
function busyThreads(): () => Promise<unknown> {
  const work = promisify(pbkdf2);
  let isEnough = false;
  const chain = async (): Promise<void> => {
    while (!isEnough) await work('a', 'b', 150_000, 32, 'sha512');
  };
  const all = Promise.all(Array.from({ length: 24 }, chain));
  return () => {
    isEnough = true;
    return all;
  };
}

test('A log that is closed while a sync is under way writes nothing into files opened afterwards', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-late-sync-'));
  const others: number[] = [];
  try {
    const identity = {
      storeId: randomBytes(16),
      key: createSecretKey(randomBytes(32)),
      signer: takeEd25519Seed(randomBytes(32)),
    };
    const options = { path: join(folder, 'audit.log'), durability: 'write' } as const;
    const { log } = openAuditLog({ options, identity, storeHead: EMPTY_HEAD, acceptGap: false, now: Date.now });
    await log.append(ENTRY);
    // Begun before the timer of the sync fires: the sync waits behind it.
    const rest = busyThreads();
    await sleep(AUDIT_SYNC_INTERVAL_MS + 100);
    await log.append(ENTRY);
    await log.close();
    const names = Array.from({ length: 8 }, (_, n) => join(folder, `other-${n}`));
    for (const name of names) {
      writeFileSync(name, 'theirs');
      others.push(openSync(name, 'r+'));
    }
    await rest();
    await sleep(50);
    expect(names.map((name) => readFileSync(name, 'utf8'))).toEqual(names.map(() => 'theirs'));
    expect(log.syncedHead.seq).toBe(3);
  } finally {
    for (const file of others) closeSync(file);
    rmSync(folder, { recursive: true, force: true });
  }
});
