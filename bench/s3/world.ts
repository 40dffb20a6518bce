/** Sealgate as its users start it, in front of a backend, with nginx beside it where it is installed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/cli/demo/servers.ts';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM } from '../../test/support/certificates.ts';
import { startNginx, untilListening } from '../programs.ts';
import { workers } from '../workers.ts';
import { startBackend, type Backend, type BackendName } from './backend.ts';
import type { Endpoint } from './objects.ts';
import { signed } from './signed.ts';
import { WireClient } from './wire-client.ts';

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

export type WorldOptions = {
  /** Clients come by TLS, to nginx as well. */
  readonly tls?: boolean;
  /** As the config's; SEALGATE_BENCH_WORKERS unless told. */
  readonly workers?: string;
};

/** Beside the config; of the tests. */
const CERTIFICATE = { cert: 'cert.pem', key: 'key.pem' } as const;

function config(backend: Backend, port: number, secret: string, options: WorldOptions): string {
  const { accessKeyId, secretAccessKey } = backend;
  const tls = options.tls === true ? `, tls: { certFile: ./${CERTIFICATE.cert}, keyFile: ./${CERTIFICATE.key} }` : '';
  return `version: 1
workers: ${options.workers ?? workers()}
keys: { store: ./sealgate-keys.sqlite, unseal: [{ type: keyFile, path: ./root.key }] }
s3:
  listen: { port: ${port}${tls} }
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

/** Through Sealgate: not every store takes what is signed for it here. */
async function createBuckets(endpoint: Endpoint): Promise<void> {
  for (const bucket of ['plain', 'sealed']) {
    const client = new WireClient(endpoint.port, endpoint);
    const { status, text } = await client.send(signed({ ...endpoint, bucket }, { method: 'PUT' }));
    client.close();
    if (status !== 200) throw new Error(`the bucket ${bucket} could not be made: ${text}`);
  }
}

/** SEALGATE_BENCH_NODE_OPTIONS: for Sealgate alone, e.g. `--cpu-prof --cpu-prof-dir=/tmp/profiles`. */
const profiling = (): readonly string[] =>
  (process.env['SEALGATE_BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean);

export async function createS3World(name: BackendName, options: WorldOptions = {}): Promise<S3World> {
  const { tls = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-bench-s3-'));
  const secret = randomBytes(12).toString('hex');
  const backend = await startBackend(name);
  const port = await freePort();
  await finished(cli(folder, ['init']), 'init');
  await writeFile(join(folder, 'sealgate.yaml'), config(backend, port, secret, options));
  await writeFile(join(folder, CERTIFICATE.cert), PROXY_CERTIFICATE_PEM);
  await writeFile(join(folder, CERTIFICATE.key), PROXY_KEY_PEM);
  await finished(cli(folder, ['keys', 'create', '--alias', 'bench']), 'keys create');
  const child = cli(folder, ['up'], profiling());
  await untilListening(port);
  const pid = child.pid ?? 0;
  const sealgate = { port, pid, tls, accessKeyId: CLIENT_KEY, secretAccessKey: secret };
  await createBuckets({ ...sealgate, name: 'sealgate', bucket: '' });
  const nginx = await startNginx(folder, backend.port, tls ? CERTIFICATE : undefined);
  return {
    backend,
    nginx,
    sealgate: { port, pid },
    endpoints: endpoints(backend, nginx, sealgate),
    close: async () => {
      await Promise.all([stop(child), nginx?.stop()]);
      await backend.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function endpoints(backend: Backend, nginx: Nginx, sealgate: Omit<Endpoint, 'name' | 'bucket'>): readonly Endpoint[] {
  const { accessKeyId, secretAccessKey } = backend;
  const plain = { accessKeyId, secretAccessKey, bucket: 'plain' };
  const { tls } = sealgate;
  return [
    // The bench's own store has no TLS.
    ...(tls ? [] : [{ name: 'direct', port: backend.port, pid: undefined, tls, ...plain }]),
    ...(nginx === undefined ? [] : [{ name: 'nginx', port: nginx.port, pid: nginx.pid, tls, ...plain }]),
    { name: 'sealgate, pass-through', ...sealgate, bucket: 'plain' },
    { name: 'sealgate, sealed', ...sealgate, bucket: 'sealed' },
  ];
}
