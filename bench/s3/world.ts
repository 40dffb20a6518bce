/** Sealgate as its users start it, in front of a backend, with nginx beside it where it is installed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from '../../src/cli/demo/servers.ts';
import { startNginx, untilListening } from '../programs.ts';
import { workers } from '../workers.ts';
import { startBackend, type Backend, type BackendName } from './backend.ts';
import type { Endpoint } from './objects.ts';

type Nginx = Awaited<ReturnType<typeof startNginx>>;

export type S3World = {
  readonly backend: Backend;
  readonly nginx: Nginx;
  readonly sealgate: { readonly port: number; readonly pid: number };
  /** Where objects can be put and got: directly, through nginx, through Sealgate. */
  readonly endpoints: readonly Endpoint[];
  readonly close: () => Promise<void>;
};

/** SEALGATE_BENCH_MAIN: that of another checkout, to compare the two. */
const mainFile = (): string =>
  process.env['SEALGATE_BENCH_MAIN'] ?? join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const CLIENT_KEY = 'BENCH';

function config(backend: Backend, port: number, secret: string): string {
  const { accessKeyId, secretAccessKey } = backend;
  return `version: 1
workers: ${workers()}
keys: { store: ./sealgate-keys.sqlite, unseal: [{ type: keyFile, path: ./root.key }] }
s3:
  listen: { port: ${port} }
  upstream: { endpoint: 'http://127.0.0.1:${backend.port}', credentials: { type: static, accessKeyId: '${accessKeyId}', secretAccessKey: '${secretAccessKey}' } }
  clients: [{ name: bench, accessKeyId: ${CLIENT_KEY}, secretAccessKey: ${secret} }]
  buckets: [{ bucket: sealed, seal: alias/bench }]
observe: { log: { level: warn } }
`;
}

function cli(folder: string, words: readonly string[], execArgv: readonly string[] = []): ChildProcess {
  return spawn(process.execPath, [...execArgv, mainFile(), ...words], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function finished(child: ChildProcess, what: string): Promise<void> {
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`sealgate ${what} ended with ${String(code)}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** Through Sealgate: not every store takes what the AWS SDK signs for a bucket. */
async function createBuckets(port: number, secretAccessKey: string): Promise<void> {
  const s3 = new S3Client({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: CLIENT_KEY, secretAccessKey },
  });
  for (const Bucket of ['plain', 'sealed']) await s3.send(new CreateBucketCommand({ Bucket }));
  s3.destroy();
}

/** SEALGATE_BENCH_NODE_OPTIONS: for Sealgate alone, e.g. `--cpu-prof --cpu-prof-dir=/tmp/profiles`. */
const profiling = (): readonly string[] =>
  (process.env['SEALGATE_BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean);

export async function createS3World(name: BackendName): Promise<S3World> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-bench-s3-'));
  const secret = randomBytes(12).toString('hex');
  const backend = await startBackend(name);
  const port = await freePort();
  await finished(cli(folder, ['init']), 'init');
  await writeFile(join(folder, 'sealgate.yaml'), config(backend, port, secret));
  await finished(cli(folder, ['keys', 'create', '--alias', 'bench']), 'keys create');
  const child = cli(folder, ['up'], profiling());
  await untilListening(port);
  await createBuckets(port, secret);
  const nginx = await startNginx(folder, backend.port);
  const pid = child.pid ?? 0;
  return {
    backend,
    nginx,
    sealgate: { port, pid },
    endpoints: endpoints(backend, nginx, { port, pid, accessKeyId: CLIENT_KEY, secretAccessKey: secret }),
    close: async () => {
      await Promise.all([stop(child), nginx?.stop()]);
      await backend.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Sealgate = {
  readonly port: number;
  readonly pid: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
};

function endpoints(backend: Backend, nginx: Nginx, sealgate: Sealgate): readonly Endpoint[] {
  const { accessKeyId, secretAccessKey } = backend;
  const plain = { accessKeyId, secretAccessKey, bucket: 'plain' };
  return [
    { name: 'direct', port: backend.port, pid: undefined, ...plain },
    ...(nginx === undefined ? [] : [{ name: 'nginx', port: nginx.port, pid: nginx.pid, ...plain }]),
    { name: 'sealgate, pass-through', ...sealgate, bucket: 'plain' },
    { name: 'sealgate, sealed', ...sealgate, bucket: 'sealed' },
  ];
}
