/**
 * `npm run bench [-- lanes] [--rounds n] [--seconds n] [--backend store|s3rver|radosgw]`: Sealgate beside what people know, in one run.
 * Lanes: s3, bodies, range, list, workers, memory, forwarding, postgres, bounds, inserts, analysis, copy, idle, kms. Prints Markdown tables; `bench/README.md` keeps what was measured and the marks aimed at.
 */
import { parseArgs } from 'node:util';
import type { BenchOptions } from './options.ts';
import type { BackendName } from './s3/backend.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    backend: { type: 'string', default: 'store' },
  },
});

const options: BenchOptions = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  say: (line) => void process.stderr.write(`bench: ${line}\n`),
  print: (text) => void process.stdout.write(`${text}\n`),
};

function backendName(name: string): BackendName {
  if (name === 'store' || name === 's3rver' || name === 'radosgw') return name;
  throw new Error(`--backend is store, s3rver or radosgw, not ${name}`);
}
const backend = backendName(values.backend);

/** Each is loaded only when it is wanted: none needs what another needs installed. */
const LANES: Readonly<Record<string, () => Promise<void>>> = {
  s3: async () => (await import('./s3/lane.ts')).benchS3(options, backend),
  bodies: async () => (await import('./s3/bodies.ts')).benchBodies(options, backend),
  range: async () => (await import('./s3/range.ts')).benchRange(options, backend),
  list: async () => (await import('./s3/list.ts')).benchList(options),
  workers: async () => (await import('./s3/scaling.ts')).benchScaling(options, backend),
  memory: async () => (await import('./s3/memory.ts')).benchMemory(options, backend),
  forwarding: async () => (await import('./forwarding/lane.ts')).benchForwarding(options),
  kms: async () => (await import('./kms/lane.ts')).benchKms(options),
  copy: async () => (await import('./postgres/copy.ts')).benchCopy(options),
  idle: async () => (await import('./postgres/idle.ts')).benchIdle(options),
  inserts: async () => (await import('./postgres/inserts.ts')).benchInserts(options),
  analysis: async () => (await import('./postgres/analysis.ts')).benchAnalysis(options),
  bounds: async () => (await import('./postgres/bounds.ts')).benchBounds(options),
  postgres: async () => (await import('./postgres/lane.ts')).benchPostgres(options),
};

const wanted = positionals.length > 0 ? positionals : Object.keys(LANES);
const unknown = wanted.find((name) => LANES[name] === undefined);
if (unknown !== undefined) throw new Error(`no lane is called ${unknown}; there are ${Object.keys(LANES).join(', ')}`);
options.print(
  `Node ${process.version}, ${process.platform} ${process.arch}, ${options.rounds} interleaved rounds; medians.`,
);
for (const name of wanted) await LANES[name]?.();
