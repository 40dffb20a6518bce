/**
 * The composition root: from a config to running listeners, and their end in the opposite order. The only place that knows all rooms.
 *
 * Start: key manager, health (not ready yet), the listeners. End: not ready, the listeners drain side by side, health, keys: every
 * audit record of the last request is written before the store closes; audit sinks last, which get those records too.
 */
import { keyManagerOptions, keyPorts } from './cli/options/keys.ts';
import { remotePorts } from './cli/options/remote-keys.ts';
import { CliError } from './cli/errors.ts';
import type { Running, RunningListener, StartOptions } from './cli/start.ts';
import type { Config } from './config/config.ts';
import { AuditSinks } from './compose/audit-sinks.ts';
import { Health } from './compose/health.ts';
import { startKeySchedule } from './compose/key-schedule.ts';
import { PeerCertificates } from './compose/peer-certificates.ts';
import type { TlsNow } from './cli/options/peer-tls.ts';
import { startDataListeners } from './compose/listeners.ts';
import { Lifecycle, type Part } from './compose/lifecycle.ts';
import { workerCount } from './compose/workers/count.ts';
import { openKeyManager, type KeyManager } from './keys/key-manager.ts';
import type { KeyMetrics } from './keys/options.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import type { ReadinessCheck } from './observe/readiness.ts';
import type { MetricsPage } from './observe/server.ts';

/** Resolves when every listener accepts; where it rejects, everything that was started has been stopped. */
export async function start(config: Config, { log, metrics, accept = {} }: StartOptions): Promise<Running> {
  const { kms, s3, postgres, observe } = config;
  if (kms === undefined && s3 === undefined && postgres === undefined && observe.listen === undefined) {
    throw new CliError('ERR_CLI_NOTHING_TO_RUN', `${config.file} names no listener`);
  }
  const lifecycle = new Lifecycle(log);
  try {
    metrics.decryptions.raise({
      perMinute: config.keys.alarm.decryptionsPerMinute,
      raised: (alarm) => log.warn(alarm, 'a caller decrypts more with a key than keys.alarm allows'),
    });
    const peers = new PeerCertificates(log);
    lifecycle.add(peers.part);
    const sinks = new AuditSinks(config.keys.audit, peers.now, { log, metrics });
    lifecycle.add(sinks.part);
    const held = new HeldElsewhere();
    const ports = {
      ...keyPorts(keyMetrics(metrics, log)),
      ...(await remotePorts(config.keys, peers.now)),
      deksDropped: () => held.dropDeks(),
    };
    const keys = await openKeyManager(keyManagerOptions(config.keys, accept), ports);
    lifecycle.add({ name: 'keys', stop: () => keys.close() });
    sinks.start(keys.auditFeed);
    lifecycle.add(startKeySchedule((allow) => keys.runDue(allow), log));
    const health = new Health(metrics.registry, () => keys.ready());
    if (config.observe.listen !== undefined) lifecycle.add(await health.listen(config.observe.listen));
    const { listeners, checks, page } = await startListeners(
      config,
      { keys, log, metrics, held, tlsNow: peers.now },
      lifecycle,
    );
    health.started(checks, page);
    for (const listener of listeners) log.info(listener, 'listening');
    return {
      listeners: [...listeners, ...health.listeners],
      stop: (deadlineMs) => {
        health.stopping();
        return lifecycle.stop(deadlineMs);
      },
    };
  } catch (error) {
    await lifecycle.stop(0);
    throw error;
  }
}

/** Who holds DEKs besides the key manager, once there is somebody. */
class HeldElsewhere {
  workers: { readonly dropDeks: () => void } | undefined;

  dropDeks(): void {
    this.workers?.dropDeks();
  }
}

type ListenerDeps = {
  readonly keys: KeyManager;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tlsNow: TlsNow;
};
type Listening = {
  readonly listeners: readonly RunningListener[];
  readonly checks: readonly ReadinessCheck[];
  readonly page?: MetricsPage;
};

/** KMS where the keys are, the data beside it or in workers. They are one stage: they drain side by side. */
async function startListeners(
  config: Config,
  { held, ...deps }: ListenerDeps & { readonly held: HeldElsewhere },
  lifecycle: Lifecycle,
): Promise<Listening> {
  const parts: Part[] = [];
  try {
    const kms = await startKmsListener(config, deps, parts);
    const count = workerCount(config.workers);
    if (count === 1 || (config.s3 === undefined && config.postgres === undefined)) {
      const started = await startDataListeners(config, { ...deps, dataKeys: deps.keys }, parts);
      const listeners = started.map(({ listener }) => listener);
      return { listeners: [...kms, ...listeners], checks: started.flatMap(({ checks }) => checks) };
    }
    const { Workers } = await import('./compose/workers/workers.ts');
    const workers = new Workers({ count, config, ...deps });
    held.workers = workers;
    parts.push(workers.part);
    return { listeners: [...kms, ...(await workers.start())], checks: workers.checks, page: workers.metricsPage };
  } finally {
    lifecycle.add(...parts);
  }
}

/** A room is loaded only where the config has it. */
async function startKmsListener(
  config: Config,
  deps: ListenerDeps,
  parts: Part[],
): Promise<readonly RunningListener[]> {
  if (config.kms === undefined) return [];
  const { startKms } = await import('./compose/kms.ts');
  const { listener, part } = await startKms(config.kms, config.keys, deps);
  parts.push(part);
  return [listener];
}

const LIFE_TEXTS = {
  used: 'a key was used beyond its life; see docs/KEY-LIFE.md',
  refused: 'a key refused what is beyond its life; see docs/KEY-LIFE.md',
} as const;
const WEAK_WRAPPING_TEXTS = {
  used: 'key material came wrapped by a weaker key; see docs/KEY-LIFE.md',
  refused: 'key material was refused that would come wrapped by a weaker key; see docs/KEY-LIFE.md',
} as const;

function keyMetrics(metrics: Metrics, log: Log): KeyMetrics {
  return {
    cacheHit: () => {
      metrics.dekCache('hit');
    },
    cacheMiss: () => {
      metrics.dekCache('miss');
    },
    keyUse: (action, result) => {
      metrics.keyUse(action, result);
    },
    decrypted: (principal, keyArn) => {
      metrics.decryptions.note(principal, keyArn);
    },
    keyLife: ({ reason, outcome, keyArn, material, facts }) => {
      metrics.keyLife(reason, outcome);
      const texts = reason === 'weak wrapping' ? WEAK_WRAPPING_TEXTS : LIFE_TEXTS;
      log.warn({ key: keyArn, material, reason, outcome, ...facts }, texts[outcome]);
    },
  };
}
