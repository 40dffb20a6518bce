/** Requests over HTTP: signature, policy and audit, beside emulators that do none of these. */
import type { BenchOptions } from '../options.ts';
import type { WireRequest } from '../s3/wire-client.ts';
import { median } from '../rounds.ts';
import { costTable, measureCost, type Cost } from './cost-table.ts';
import { KEY_ALIAS } from './keys.ts';
import { ask, sendAll, signed } from './requests.ts';
import { startEmulators, startSealgate, type KmsBackend } from './servers.ts';

const REQUESTS = 5000;
/** Slow ones do fewer, so that a round ends. */
const MOTO_REQUESTS = 300;
const AT_ONCE = 8;
const BATCHES = 100;
const BATCH_ENTRIES = 256;

let made = 0;
/** Another one each time: no two requests are the same. */
const context = (): Readonly<Record<string, string>> => ({ table: 'orders', row: String((made += 1)) });
const dataKeyInput = (): object => ({ KeyId: KEY_ALIAS, KeySpec: 'AES_256', EncryptionContext: context() });

type Measured = { readonly costs: Cost[]; readonly p50: number[]; readonly p99: number[] };
type Subject = {
  readonly name: string;
  readonly backend: KmsBackend;
  /** Units that a request counts for. */
  readonly unitsEach: number;
  readonly count: number;
  readonly request: () => WireRequest;
};

export async function benchOverHttp(options: BenchOptions): Promise<void> {
  const { print, say } = options;
  const sealgate = await startSealgate();
  const emulators = await startEmulators(say);
  try {
    const backends = [sealgate, ...emulators];
    const single = backends.map((backend) => generateSubject(backend));
    const decrypts = await Promise.all(backends.map(decryptSubject));
    print(await compared(`GenerateDataKey over HTTP, ${AT_ONCE} connections`, 'requests', single, options));
    print(await compared(`Decrypt over HTTP, ${AT_ONCE} connections`, 'requests', decrypts, options));
    const batches = [batchSubject(sealgate)];
    print(
      await compared(`BatchGenerateDataKey, ${BATCH_ENTRIES} entries, 2 connections`, 'data keys', batches, options),
    );
  } finally {
    for (const backend of [sealgate, ...emulators]) await backend.stop();
  }
}

const countOf = ({ name }: KmsBackend): number => (name === 'moto' ? MOTO_REQUESTS : REQUESTS);

function generateSubject(backend: KmsBackend): Subject {
  const request = (): WireRequest => signed(backend.port, 'TrentService.GenerateDataKey', dataKeyInput());
  return { name: backend.name, backend, unitsEach: 1, count: countOf(backend), request };
}

/** The same ciphertext each time, named in another second member, so that the requests differ. */
async function decryptSubject(backend: KmsBackend): Promise<Subject> {
  const input = dataKeyInput() as { readonly EncryptionContext: object };
  const { CiphertextBlob } = await ask(backend.port, 'TrentService.GenerateDataKey', input);
  const request = (): WireRequest => {
    const { EncryptionContext } = input;
    return signed(backend.port, 'TrentService.Decrypt', { CiphertextBlob, EncryptionContext, Nonce: (made += 1) });
  };
  return { name: backend.name, backend, unitsEach: 1, count: countOf(backend), request };
}

function batchSubject(backend: KmsBackend): Subject {
  const request = (): WireRequest => {
    const Entries = Array.from({ length: BATCH_ENTRIES }, dataKeyInput);
    return signed(backend.port, 'Sealgate.BatchGenerateDataKey', { Entries });
  };
  return { name: backend.name, backend, unitsEach: BATCH_ENTRIES, count: BATCHES, request };
}

async function compared(
  title: string,
  unit: string,
  subjects: readonly Subject[],
  { rounds }: BenchOptions,
): Promise<string> {
  const all = new Map<Subject, Measured>(subjects.map((subject) => [subject, { costs: [], p50: [], p99: [] }]));
  for (let round = -1; round < rounds; round += 1) {
    for (const [subject, { costs, p50, p99 }] of all) {
      const { backend, unitsEach, count, request } = subject;
      const requests = Array.from({ length: count }, request);
      const atOnce = unitsEach === 1 ? AT_ONCE : 2;
      let took: readonly number[] = [];
      const cost = await measureCost(backend.pid, count * unitsEach, async () => {
        took = await sendAll(backend.port, requests, atOnce, backend.isKept);
      });
      // The first is not counted: what it ran was not compiled yet.
      if (round < 0) continue;
      costs.push(cost);
      const sorted = [...took].sort((a, b) => a - b);
      p50.push(sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN);
      p99.push(sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN);
    }
  }
  const table = costTable(
    title,
    unit,
    [...all].map(([{ name }, { costs }]) => [name, costs] as const),
  );
  const latencies = [...all].map(
    ([{ name }, { p50, p99 }]) => `${name} ${median(p50).toFixed(2)} ms, ${median(p99).toFixed(2)} ms`,
  );
  return `${table}\n\nHalf of the requests within, and 99 of 100: ${latencies.join('; ')}.`;
}
