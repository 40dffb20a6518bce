/** Data keys, one after the other, while RSA is at work: the slow operations must not stall the quick ones. */
import { createHash } from 'node:crypto';
import type { KeyManager } from '../../src/keys/key-manager.ts';
import type { KeyUse } from '../../src/keys/uses/data-keys.ts';
import type { BenchOptions } from '../options.ts';
import { median } from '../rounds.ts';
import { KEY_ALIAS, openBenchKeys, OPERATOR, PRINCIPAL } from './keys.ts';

/** That data keys are made for, alone and beside: long enough for many signatures and several new RSA keys. */
const MEASURED_MS = 3000;
/** Signatures under way at each moment, half of them of whole messages (libuv's threads), half of digests (a thread of ours). */
const SIGNERS = 8;

const use: KeyUse = { principal: PRINCIPAL, via: 'kms', resource: 'bench' };
const SIGNING = { spec: 'RSA_4096', usage: 'SIGN_VERIFY' } as const;
const DIGEST = createHash('sha256').update('a message').digest();

/** Milliseconds that uses took. */
type Latency = { readonly half: number; readonly most: number; readonly longest: number };

export async function benchBesideSlow({ rounds, print }: BenchOptions): Promise<void> {
  await using held = await openBenchKeys();
  const { keys } = held;
  await keys.createKey({ alias: KEY_ALIAS }, OPERATOR);
  const signingKey = await keys.createKey(SIGNING, OPERATOR);
  const alone: Latency[] = [];
  const beside: Latency[] = [];
  let done = { signatures: 0, keys: 0 };
  // The first is not counted: what it ran was not compiled yet.
  await latencyOfUses(keys);
  for (let round = 0; round < rounds; round += 1) {
    alone.push(await latencyOfUses(keys));
    const slow = startSlowWork(keys, signingKey.keyId);
    beside.push(await latencyOfUses(keys));
    const { signatures, keys: made } = await slow.stop();
    done = { signatures: done.signatures + signatures, keys: done.keys + made };
  }
  print(`\n### GenerateDataKey in process, one after the other, beside RSA-4096\n`);
  print('|  | half within, ms | 99 of 100 within, ms | longest, ms |\n| --- | --- | --- | --- |');
  print(row('alone', alone));
  print(row(`beside ${SIGNERS} signatures at once, and keys being made`, beside));
  print(`\nMeanwhile ${done.signatures} signatures and ${done.keys} keys were made.`);
}

function row(name: string, latencies: readonly Latency[]): string {
  const shown = (pick: (one: Latency) => number): string => median(latencies.map(pick)).toFixed(2);
  return `| ${name} | ${shown(({ half }) => half)} | ${shown(({ most }) => most)} | ${shown(({ longest }) => longest)} |`;
}

async function latencyOfUses(keys: KeyManager): Promise<Latency> {
  const took: number[] = [];
  const end = performance.now() + MEASURED_MS;
  for (let n = 0; performance.now() < end; n += 1) {
    const started = performance.now();
    await keys.generateDataKey({ keyId: KEY_ALIAS, context: { table: 'orders', row: String(n) } }, use);
    took.push(performance.now() - started);
  }
  took.sort((a, b) => a - b);
  const at = (part: number): number => took[Math.floor(part * (took.length - 1))] ?? Number.NaN;
  return { half: at(0.5), most: at(0.99), longest: at(1) };
}

function startSlowWork(
  keys: KeyManager,
  keyId: string,
): { readonly stop: () => Promise<{ signatures: number; keys: number }> } {
  const done = { signatures: 0, keys: 0 };
  let isOver = false;
  const makeKeys = async (): Promise<void> => {
    for (; !isOver; done.keys += 1) await keys.createKey(SIGNING, OPERATOR);
  };
  const sign = async (messageType: 'RAW' | 'DIGEST'): Promise<void> => {
    const asked = { keyId, message: DIGEST, messageType, algorithm: 'RSASSA_PSS_SHA_256' } as const;
    for (; !isOver; done.signatures += 1) await keys.signatures.sign(asked, OPERATOR);
  };
  const signers = Array.from({ length: SIGNERS }, (_, n) => sign(n % 2 === 0 ? 'RAW' : 'DIGEST'));
  const all = Promise.all([makeKeys(), ...signers]);
  const stop = async (): Promise<typeof done> => {
    isOver = true;
    await all;
    return done;
  };
  return { stop };
}
