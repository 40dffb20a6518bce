/**
 * `npm run soak`: thousands of faults, of the store, the network, the key manager and the clients, against one gateway; then nothing may
 * be left: no socket, no memory, no share of the governors, no upload. Every answer that claims to be whole is compared with what was
 * stored. The same seed gives the same faults: `npm run soak -- --seed 7 --faults 10000`, in front of Ceph RGW where it
 * can be had, and of s3rver otherwise or with `--store s3rver`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeysError } from '../../src/keys/errors.ts';
import type { DataKeys } from '../../src/keys/uses/data-keys.ts';
import { SEALED_OPERATIONS } from '../../src/s3/operations/index-table.ts';
import { AWS_CAPABILITIES } from '../../src/s3/upstream/capabilities.ts';
import { startRadosgw } from '../support/s3/radosgw.ts';
import { startFaultRelay, type FaultRelay } from '../support/fault-relay.ts';
import { keyFolder, TEST_USE } from '../support/keys/keys.ts';
import { startEdge, type TestEdge } from '../support/s3/edge.ts';
import { Exchanges, type Outcome } from './exchanges.ts';
import { nextFault } from './faults.ts';
import { seeded } from '../support/seeded.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    faults: { type: 'string', default: '10000' },
    store: { type: 'string', default: 'radosgw' },
  },
});
const NOT_WANTED = { type: 'none', reason: 'it was not asked for' } as const;
const WARM_UP = 500;
const AT_ONCE = 8;
/**
 * Above what garbage not yet collected and caches that filled meanwhile explain; a leak of 4 KiB for each fault is seen. What the process has of
 * the machine beside that (compiled code, pages that the engine and the allocator keep for themselves) rises and falls by 50 MiB and more as they like,
 * whatever the number of faults: it may not end above the highest of the first half. A leak of 7 KiB for each fault outside of the engine's heap is seen.
 */
const MAX_GROWTH_BYTES = 32 * 1024 * 1024;

const store = await startStore();
const relay = await startFaultRelay(Number(new URL(store.url).port));
const folder = await keyFolder();
const manager = await folder.open();
await manager.createKey({ alias: 'alias/a' }, TEST_USE);
const away = { isAway: false };
const edge = await startEdge({
  store: { ...store, url: `http://127.0.0.1:${relay.port}` },
  rules: [{ bucket: 'sealed', prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } }],
  capabilities: AWS_CAPABILITIES,
  operations: SEALED_OPERATIONS,
  dataKeys: sometimesAway(manager, away),
  maxConnections: 32,
});

try {
  const random = seeded(Number(values.seed));
  const exchanges = new Exchanges(edge.port);
  await exchanges.prepare();
  await run(WARM_UP, exchanges, random);
  const quarters = [await settled(edge, relay)];
  const outcomes: Outcomes = new Map();
  for (let quarter = 0; quarter < 4; quarter += 1) {
    await run(Number(values.faults) / 4, exchanges, random, outcomes);
    quarters.push(await settled(edge, relay));
  }
  // s3rver aborts no uploads.
  const left = store.abortsUploads ? await exchanges.abortUploads() : [];
  report(outcomes, quarters, left);
} finally {
  await edge.close();
  await relay.close();
  await folder[Symbol.asyncDispose]();
  await store.close();
}

type Store = {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly abortsUploads: boolean;
  close(): Promise<void>;
};

/** Ceph RGW where it can be had, else s3rver; in a process of its own, so that what it holds on to is not the gateway's. */
async function startStore(): Promise<Store> {
  const rgw = values.store === 's3rver' ? NOT_WANTED : await startRadosgw();
  if (rgw.type !== 'none') {
    const { endpoint: url, accessKeyId, secretAccessKey } = rgw;
    return { url, accessKeyId, secretAccessKey, abortsUploads: true, close: () => rgw.stop() };
  }
  process.stderr.write(`no Ceph RGW (${rgw.reason}): on s3rver uploads are not looked at\n`);
  const child = fork(join(dirname(fileURLToPath(import.meta.url)), 'store.ts'));
  const [url] = (await once(child, 'message')) as [string];
  const close = async (): Promise<void> => child.disconnect();
  return { url, accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER', abortsUploads: false, close };
}

/** A few at once, all under the fault of the moment. */
async function run(
  count: number,
  exchanges: Exchanges,
  random: () => number,
  outcomes: Outcomes = new Map(),
): Promise<void> {
  for (let done = 0; done < count; done += AT_ONCE) {
    const { fault, keysAway, clientLeaves } = nextFault(random);
    relay.fault = fault;
    away.isAway = keysAway;
    const round = Array.from({ length: AT_ONCE }, () => exchanges.one(random, clientLeaves));
    // What the test itself notes is no leak.
    edge.outcomes.length = 0;
    for (const outcome of await Promise.all(round)) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (done % 1000 < AT_ONCE) process.stderr.write(`${done} of ${count}\n`);
  }
  relay.fault = { type: 'none' };
  away.isAway = false;
}

type Outcomes = Map<Outcome, number>;

type Left = {
  /** Of the engine: objects, and what lies outside its heap but is theirs (buffers among it). */
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly residentBytes: number;
  readonly sockets: number;
  readonly held: number;
};

/** What is there once everything under way has ended. */
async function settled({ gateway }: TestEdge, { openSockets }: FaultRelay): Promise<Left> {
  const held = (): number => gateway.governor.usedBytes + gateway.segments.usedBytes + gateway.documents.usedBytes;
  for (let tries = 0; tries < 100 && held() > 0; tries += 1) await sleep(100);
  await sleep(1000);
  for (let round = 0; round < 5; round += 1) {
    globalThis.gc?.();
    await sleep(50);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, externalBytes: external, residentBytes: rss, sockets: openSockets(), held: held() };
}

function report(outcomes: Outcomes, quarters: readonly Left[], left: readonly string[]): void {
  const [before, after] = [quarters[0], quarters.at(-1)];
  if (before === undefined || after === undefined) throw new Error('it was not looked at');
  const growth = after.heapBytes + after.externalBytes - before.heapBytes - before.externalBytes;
  const highest = Math.max(...quarters.slice(0, 3).map(({ residentBytes }) => residentBytes));
  const residentGrowth = after.residentBytes - highest;
  const wrong = [
    ...(['wrong', 'short'] as const).flatMap((bad) =>
      outcomes.has(bad) ? [`${outcomes.get(bad)} ${bad} answers`] : [],
    ),
    ...(outcomes.get('right') === undefined ? ['not one right answer: the soak tested nothing'] : []),
    ...(outcomes.get('refused') === undefined ? ['not one refusal: no fault took effect'] : []),
    ...(after.held === 0 ? [] : [`${after.held} bytes are still held of the governors`]),
    // Of the store's connections the gateway may keep its 32 and those beside it, two ends each.
    ...(after.sockets <= 2 * (32 + 32) ? [] : [`${after.sockets} sockets to the store are open`]),
    ...(growth <= MAX_GROWTH_BYTES ? [] : [`memory grew by ${growth} bytes`]),
    ...(residentGrowth <= MAX_GROWTH_BYTES
      ? []
      : [`resident memory is ${residentGrowth} bytes above all of the first half`]),
    ...(left.length === 0 ? [] : [`uploads are left: ${left.join(', ')}`]),
  ];
  const facts = { seed: values.seed, outcomes: Object.fromEntries(outcomes), quarters, growth, residentGrowth };
  process.stdout.write(`${JSON.stringify(facts, undefined, 2)}\n`);
  if (wrong.length === 0) return;
  process.stderr.write(`soak: ${wrong.join('; ')}\n`);
  process.exitCode = 1;
}

/** The key manager of a store whose keys are held elsewhere, and cannot be reached for a while. */
function sometimesAway(keys: DataKeys, state: { readonly isAway: boolean }): DataKeys {
  const gone = (): KeysError => new KeysError('ERR_KEYS_REMOTE_UNAVAILABLE', 'the key manager is away');
  return new Proxy(keys, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (!state.isAway || (name !== 'generateDataKey' && name !== 'decrypt')) return value.bind(target) as unknown;
      return () => Promise.reject(gone());
    },
  });
}
