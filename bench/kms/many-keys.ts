/** A store with as many keys and grants as a large installation has: how long it takes to start, and whether looking up stays as quick. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bucketOf } from '../../src/keys/stores/grant-table.ts';
import { grantRow } from '../../src/keys/access/grants/grant-rows.ts';
import type { Grant } from '../../src/keys/access/grants/grant.ts';
import type { KeyUse } from '../../src/keys/uses/data-keys.ts';
import { openKeyManager, type KeyManager } from '../../src/keys/key-manager.ts';
import { CUSTOMER } from '../../src/keys/managed/management.ts';
import { makeMaterial } from '../../src/keys/material.ts';
import type { KeyManagerOptions, KeyStoreOptions } from '../../src/keys/options.ts';
import { keyRow, materialRow } from '../../src/keys/records.ts';
import type { RowChange } from '../../src/keys/stores/key-database.ts';
import { unsealStore } from '../../src/keys/stores/open-store.ts';
import { takeOwnerLock } from '../../src/keys/stores/owner-lock.ts';
import type { BenchOptions } from '../options.ts';
import { median } from '../rounds.ts';
import { costTable, measureCost, type Cost } from './cost-table.ts';
import { ACCOUNT, createBenchStore, PORTS } from './keys.ts';
import type { Start } from './start.ts';

const KEYS = 100_000;
const GRANTS_PER_KEY = 10;
/** Rows written in one transaction. */
const CHUNK_ROWS = 50_000;
const USES = 10_000;
const MANY = '100,000 keys, a million grants';
const FEW = '100 keys, 1000 grants';

const grantee = (n: number): string => `arn:aws:iam::${ACCOUNT}:user/grantee-${n}`;
const NOW = new Date().toISOString();

export async function benchManyKeys({ rounds, print, say }: BenchOptions): Promise<void> {
  using few = await createBenchStore();
  using many = await createBenchStore();
  say('a store of 100,000 keys and a million grants is made; this takes minutes');
  const keyIds = await fill(many.options, KEYS);
  const fewIds = await fill(few.options, 100);
  const starts: Start[] = [];
  const costs = new Map<string, Cost[]>();
  for (let round = 0; round < rounds; round += 1) {
    starts.push(await start(many.options));
    const keys = await openKeyManager(many.options, PORTS);
    await measureUses(MANY, keys, keyIds, costs);
    await keys.close();
    const other = await openKeyManager(few.options, PORTS);
    await measureUses(FEW, other, fewIds, costs);
    await other.close();
  }
  const times = starts.map(({ seconds }) => seconds);
  print(
    `\nStart with 100,000 keys and a million grants: ${median(times).toFixed(1)} s, ${median(starts.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1)} s of CPU (${times.map((one) => one.toFixed(1)).join(', ')}).`,
  );
  print(costTable('GenerateDataKey allowed by a grant', 'operations', [...costs]));
  print(`\nOf the CPU time with few keys: first use ${ratio(costs, 'first')}, second use ${ratio(costs, 'second')}.`);
}

async function start(options: KeyManagerOptions): Promise<Start> {
  const program = join(import.meta.dirname, 'start.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(options)]);
  // What `start.ts` prints.
  return JSON.parse(stdout) as Start;
}

/** Flat lookups have ones: medians of the rounds' ratios, since both were measured beside the same other work. */
function ratio(costs: ReadonlyMap<string, readonly Cost[]>, which: string): string {
  const named = [...costs].filter(([name]) => name.includes(`: ${which} use`));
  const [many = [], few = []] = [MANY, FEW].map((title) => named.find(([name]) => name.startsWith(title))?.[1]);
  const ratios = many.map(({ cpuMicros }, round) => (cpuMicros ?? Number.NaN) / (few[round]?.cpuMicros ?? Number.NaN));
  return `${median(ratios).toFixed(2)} (${ratios.map((one) => one.toFixed(2)).join(', ')})`;
}

/** The first use of keys, whose grants are read from the store, and the second. */
async function measureUses(
  title: string,
  keys: KeyManager,
  keyIds: readonly string[],
  costs: Map<string, Cost[]>,
): Promise<void> {
  const step = Math.max(1, Math.floor(keyIds.length / USES));
  const chosen = keyIds.filter((_, n) => n % step === 0).slice(0, USES);
  for (const which of ['first', 'second']) {
    const name = `${title}: ${which} use of ${chosen.length} keys`;
    const before = costs.get(name) ?? [];
    costs.set(name, before);
    before.push(await measureCost(process.pid, chosen.length, () => useEach(keys, chosen)));
  }
}

async function useEach(keys: KeyManager, keyIds: readonly string[]): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let keyId = keyIds[next++]; keyId !== undefined; keyId = keyIds[next++]) {
      const use: KeyUse = { principal: grantee(0), via: 'kms', resource: 'bench' };
      await keys.generateDataKey({ keyId, context: { table: 'orders' } }, use);
    }
  };
  await Promise.all(Array.from({ length: 64 }, caller));
}

/** Past the key manager, row by row as it would have written them: made by its calls they would each be synced to the disk. */
async function fill(options: KeyStoreOptions, count: number): Promise<readonly string[]> {
  const lock = takeOwnerLock(options.storePath);
  const { database, keys, storeId } = await unsealStore(options, 'owner');
  try {
    const keyIds = Array.from({ length: count }, () => randomUUID());
    const write = (rows: Iterable<RowChange>): void => {
      for (const chunk of chunks(rows)) database.amend(chunk);
    };
    write(keyRows(keyIds, { storeId, keys }));
    write(grantRows(keyIds));
    return keyIds;
  } finally {
    database.close();
    lock.release();
  }
}

function* chunks(rows: Iterable<RowChange>): Generator<readonly RowChange[]> {
  let chunk: RowChange[] = [];
  for (const row of rows) {
    chunk.push(row);
    if (chunk.length < CHUNK_ROWS) continue;
    yield chunk;
    chunk = [];
  }
  yield chunk;
}

const KIND = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', origin: 'AWS_KMS' } as const;

function* keyRows(keyIds: readonly string[], vault: Parameters<typeof makeMaterial>[3]): Generator<RowChange> {
  for (const keyId of keyIds) {
    const material = makeMaterial(
      { keyId, region: undefined, ...KIND },
      1,
      { createdAt: NOW, by: 'bench' },
      vault,
      PORTS.random,
    );
    const record = {
      keyId,
      region: undefined,
      multiRegion: undefined,
      currentMaterial: material.materialId,
      ...KIND,
      state: 'enabled',
      stateSince: NOW,
      createdAt: NOW,
      description: '',
      tags: [],
      policy: undefined,
      rotation: undefined,
      management: CUSTOMER,
      deletionDate: undefined,
      deletionDays: undefined,
    } as const;
    yield { type: 'put', table: 'keys', row: keyRow(record) };
    yield { type: 'put', table: 'materials', row: materialRow(material) };
  }
}

/** Bucket by bucket, so that each is sealed once. */
function* grantRows(keyIds: readonly string[]): Generator<RowChange> {
  const buckets = new Map<string, (readonly [string, number])[]>();
  for (const keyId of keyIds) {
    for (let n = 0; n < GRANTS_PER_KEY; n += 1) {
      const bucket = bucketOf(keyId, grantee(n));
      const before = buckets.get(bucket) ?? [];
      buckets.set(bucket, before);
      before.push([keyId, n]);
    }
  }
  for (const own of buckets.values())
    for (const [keyId, n] of own) yield { type: 'put', table: 'grants', row: grantRow(grant(keyId, n)) };
}

function grant(keyId: string, n: number): Grant {
  return {
    grantId: Buffer.from(PORTS.random(32)).toString('hex'),
    keyId,
    region: undefined,
    grantee: grantee(n),
    retiring: undefined,
    operations: ['GenerateDataKey', 'Decrypt'],
    constraint: undefined,
    sourceArn: undefined,
    name: '',
    issuingAccount: ACCOUNT,
    issuedBy: `arn:aws:iam::${ACCOUNT}:user/admin`,
    createdAt: NOW,
  };
}
