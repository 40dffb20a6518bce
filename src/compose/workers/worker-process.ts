/**
 * A worker: a process that serves data on the ports it shares with the others, and asks the owner of the key store for every use of a key.
 *
 * It ends when the owner does, at once: without it no key can be used, and nobody would stop it.
 */
import { Socket } from 'node:net';
import { loadCommandConfig } from '../../cli/load.ts';
import { CliError } from '../../cli/errors.ts';
import type { Config } from '../../config/config.ts';
import { configDigest } from '../../config/digest.ts';
import { assertSelfTests } from '../../crypto/self-test.ts';
import { SealgateError } from '../../errors.ts';
import { AskedDataKeys } from '../../keys/shared/asked-data-keys.ts';
import { createLog } from '../../observe/log.ts';
import { Metrics } from '../../observe/metrics.ts';
import { createReadiness, type CheckResult, type Readiness } from '../../observe/readiness.ts';
import { Lifecycle, type Part } from '../lifecycle.ts';
import { startDataListeners } from '../listeners.ts';
import { PeerCertificates } from '../peer-certificates.ts';
import { KEYS_FD, type FromWorker, type Ports, type ToWorker } from './control.ts';

type Running = { readonly lifecycle: Lifecycle; readonly readiness: () => Promise<Readiness> };

const metrics = new Metrics({ process: true });
let running: Running | undefined;
let isStopping = false;

// A terminal's Ctrl-C comes to the whole group; when to stop is the owner's to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
// Where the owner's log went is gone.
process.stderr.on('error', () => undefined);

function tell(message: FromWorker, then?: () => void): void {
  process.send?.(message, () => then?.());
}

async function start({ worker, file, digest, ports }: Extract<ToWorker, { type: 'start' }>): Promise<void> {
  // It opens no key store, but seals and opens with what it gets.
  assertSelfTests();
  const config = await loadCommandConfig(file, { env: process.env, cwd: process.cwd() });
  if (configDigest(config) !== digest)
    throw new CliError('ERR_CLI_WORKER_CONFIG', `${file}, or what it names, is not what the running process read`);
  const log = createLog({ level: config.observe.log.level, base: { worker: String(worker) } }, process.stderr);
  const lifecycle = new Lifecycle(log);
  const dataKeys = new AskedDataKeys(new Socket({ fd: KEYS_FD }), {
    cache: cacheLimits(config),
    now: Date.now,
    ended: () => {
      if (!isStopping) process.exit(1);
    },
  });
  lifecycle.add({ name: 'keys', stop: async () => dataKeys.close() });
  const peers = new PeerCertificates(log);
  lifecycle.add(peers.part);
  const parts: Part[] = [];
  try {
    const started = await startDataListeners(
      onPorts(config, ports),
      { dataKeys, log, metrics, sharesPorts: true, tlsNow: peers.now },
      parts,
    );
    lifecycle.add(...parts);
    running = { lifecycle, readiness: createReadiness(started.flatMap(({ checks }) => checks)) };
    tell({ type: 'started', listeners: started.map(({ listener }) => listener) });
  } catch (error) {
    isStopping = true;
    lifecycle.add(...parts);
    await lifecycle.stop(0);
    throw error;
  }
}

/** A config that leaves the port open has got one from the owner, the same for all. */
function onPorts(config: Config, ports: Ports): Config {
  const { s3, postgres } = config;
  return {
    ...config,
    s3: s3 && { ...s3, listen: { ...s3.listen, port: ports.s3 ?? s3.listen.port } },
    postgres: postgres && { ...postgres, listen: { ...postgres.listen, port: ports.postgres ?? postgres.listen.port } },
  };
}

function cacheLimits({ keys: { cache } }: Config) {
  return { maxAgeMs: cache.maxAgeSeconds * 1000, maxUses: cache.maxUses, maxEntries: cache.maxEntries };
}

async function stop(deadlineMs: number): Promise<void> {
  isStopping = true;
  const whole = (await running?.lifecycle.stop(deadlineMs)) ?? true;
  tell({ type: 'stopped', whole }, () => process.exit(0));
}

async function answer(number: number, what: 'readiness' | 'metrics'): Promise<void> {
  if (what === 'metrics') {
    tell({ type: 'metrics', number, metrics: await metrics.registry.getMetricsAsJSON() });
    return;
  }
  const checks = running === undefined ? STARTING : (await running.readiness()).checks;
  tell({ type: 'readiness', number, checks });
}

/** Before it listens there is nothing to ask. */
const STARTING: readonly CheckResult[] = [{ name: 'process', ready: false, reason: 'STARTING' }];

function fail(error: unknown): void {
  // `instanceof` gives the class with its code's type left open.
  const known: SealgateError | undefined = error instanceof SealgateError ? (error as SealgateError) : undefined;
  const message = error instanceof Error ? error.message : 'something that is no error was thrown';
  tell({ type: 'failed', code: known?.code ?? 'ERR_CLI_BUG', message }, () => process.exit(1));
}

process.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'start':
      return void start(message).catch(fail);
    case 'stop':
      return void stop(message.deadlineMs);
    case 'ask':
      return void answer(message.number, message.what);
  }
});
process.on('disconnect', () => {
  if (!isStopping) process.exit(1);
});
tell({ type: 'here' });
